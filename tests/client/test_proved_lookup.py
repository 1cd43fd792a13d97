"""What the client refuses: parts of a proof altered, forks, old anchors, wrong keys."""

import copy
from collections.abc import Callable
from pathlib import Path

import pytest

from aeo.exchange.v1 import status_service_pb2 as pb
from client.conftest import Exchange, row
from ledger.audit.evidence import check_evidence
from ledger.chain.header import format_header, header_hash, parse_header
from ledger.chain.seal import aggregate_seal, sign_share
from ledger.customs.subject import LookupKey
from ledger.errors import AnchorError, CheckError, FormatError, LedgerError, Misbehaviour
from ledger_world import BACKEND, bls_secret
from service.client import Question, StatusClient, TrustFile
from service.client.checking import Asked, check_lookup
from service.client.ledger import LedgerClient
from service.client.trust import ShownHeader, Trust

ASK = {"function": "EX", "direction": "IMPORT", "mode": 1}
DAY = 86_400_000


def keys_of(exchange: Exchange) -> dict[bytes, LookupKey]:
    return dict(exchange.node.hosted["NZ"].keyring.keys())


def test_a_proof_that_leaves_nothing_open(exchange: Exchange):
    with exchange.engine() as client:
        for tin, reason in (("HK1", "NONE"), ("HK2", "SUSPENDED")):
            verdict = client.lookup(tin, prove=True, **ASK)
            assert verdict.reason == reason
            assert verdict.verified
            assert verdict.checked.level == "sealed"
            (history,) = verdict.checked.histories
            assert history.opened
            assert history.present


def test_absence_needs_the_lookup_key(exchange: Exchange):
    with exchange.engine() as client:
        verdict = client.lookup("HK404", prove=True, **ASK)
        assert verdict.reason == "NO_RECORD"
        assert not verdict.verified
        assert "lookup key" in verdict.checked.unproved[0]
    with exchange.engine(lookup_keys=keys_of(exchange)) as client:
        assert client.lookup("HK404", prove=True, **ASK).verified
        assert client.lookup("HK1", prove=True, **ASK).verified


def test_a_wrong_lookup_key(exchange: Exchange):
    wrong = LookupKey(bytes(32), exchange.node.network_id, exchange.shared)
    with exchange.engine(lookup_keys={exchange.shared: wrong}) as client:
        for tin in ("HK1", "HK404"):
            with pytest.raises(CheckError):
                client.lookup(tin, prove=True, **ASK)


def test_what_no_proof_shows_is_said(exchange: Exchange):
    with exchange.engine() as client:
        for tin in ("XX1", "SG1", "?"):
            verdict = client.lookup(tin, prove=True, **ASK)
            assert verdict.checked.unproved
            assert not verdict.verified


def test_other_times_are_proved_by_the_same_histories(exchange: Exchange):
    with exchange.engine() as client:
        height = exchange.node.state.height
        suspended = client.lookup("HK2", prove=True, **ASK)
        steps = suspended.checked.histories[0].entries
        assert len(steps) == 2
        before = client.lookup("HK2", prove=True, known_at=steps[1].height - 1, **ASK)
        assert before.verified
        assert before.reason == "NONE"
        assert client.lookup("HK2", prove=True, known_at=height, **ASK).reason == "SUSPENDED"


class Answer:
    """One honest answer, to be altered and checked by a client that trusts only the network id."""

    def __init__(self, exchange: Exchange, tin: str = "HK2", **asked: object) -> None:
        self.exchange = exchange
        connection = exchange.connection("NZ")
        self.ledger = LedgerClient(connection)
        self.trust = Trust.begin(
            self.ledger, network_id=exchange.node.network_id, now_ms=exchange.clock.now_ms
        )
        client = exchange.engine()
        self.request = Question(tin, **(ASK | asked)).request(include_proof=True)
        self.response = client._connection.call(client._stub.Lookup, self.request)
        self.now = exchange.clock.now_ms()

    def check(self, response: pb.LookupResponse, keys: dict[bytes, LookupKey] | None = None):
        asked = Asked(self.request, self.now, self.trust.anchor)
        return check_lookup(asked, response, self.trust, keys or {}, self.now)


@pytest.fixture(scope="module")
def answer(exchange: Exchange) -> Answer:
    return Answer(exchange)


def test_the_answer_unaltered_passes(answer: Answer):
    assert not answer.check(answer.response).unproved


def parts(response: pb.LookupResponse) -> list[tuple[object, str]]:
    """Every bytes field of the proof, as (message, name)."""
    proof = response.proof
    (subject,) = proof.subjects
    return [
        (proof, "header"),
        (proof, "seal"),
        (subject, "arrangement_id"),
        (subject, "subject"),
        (subject, "tin_mac"),
        (subject, "map_proof"),
        *[(entry, "record") for entry in subject.history],
    ]


@pytest.mark.parametrize("which", range(8))
def test_each_bit_of_each_part_counts(answer: Answer, which: int):
    honest = getattr(*parts(answer.response)[which])
    step = 7 if len(honest) > 64 else 1
    for bit in range(0, 8 * len(honest), step):
        altered = copy.deepcopy(answer.response)
        message, name = parts(altered)[which]
        data = bytearray(honest)
        data[bit // 8] ^= 0x80 >> bit % 8
        setattr(message, name, bytes(data))
        with pytest.raises(LedgerError):
            answer.check(altered)


def better(response: pb.LookupResponse) -> None:
    response.verdict.outcome = response.verdict.arrangements[0].outcome = 1
    response.verdict.reason = response.verdict.arrangements[0].reason = 1
    response.verdict.status = 1


Alter = Callable[[pb.LookupResponse], object]
ALTERED: dict[str, Alter] = {
    "no header": lambda r: r.proof.ClearField("header"),
    "no seal": lambda r: r.proof.ClearField("seal"),
    "no histories": lambda r: r.proof.ClearField("subjects"),
    "a history too many": lambda r: r.proof.subjects.append(r.proof.subjects[0]),
    "the newest entry left out": lambda r: r.proof.subjects[0].history.pop(),
    "the oldest entry left out": lambda r: r.proof.subjects[0].history.pop(0),
    "all entries left out": lambda r: r.proof.subjects[0].ClearField("history"),
    "an entry twice": lambda r: r.proof.subjects[0].history.append(r.proof.subjects[0].history[0]),
    "entries exchanged": lambda r: r.proof.subjects[0].history.reverse(),
    "another height": lambda r: change(r.proof.subjects[0].history[0], "height", 1),
    "another time": lambda r: change(r.proof.subjects[0].history[0], "time", -1),
    "a time before 1970": lambda r: setattr(r.proof.subjects[0].history[0], "time", -5),
    "another log index": lambda r: change(r.proof.subjects[0].history[0], "log_index", 1),
    "another position": lambda r: change(r.proof.subjects[0].history[0], "position", 1),
    "a position too large": lambda r: setattr(r.proof.subjects[0].history[0], "position", 1 << 20),
    "another author": lambda r: setattr(r.proof.subjects[0].history[0], "author", "NZ"),
    "another issuer": lambda r: setattr(r.proof.subjects[0], "issuer", "NZ"),
    "another epoch": lambda r: change(r.proof.subjects[0], "epoch", 1),
    "epoch 0": lambda r: setattr(r.proof.subjects[0], "epoch", 0),
    "a better outcome": better,
    "a status that it has not": lambda r: setattr(r.verdict, "status", 1),
    "a level that it has not": lambda r: setattr(r.verdict, "level", "OTHER"),
    "a longer validity": lambda r: change(r.verdict, "valid_to", 1),
    "another reason": lambda r: setattr(r.verdict.arrangements[0], "reason", 19),
    "no record said": lambda r: setattr(r.verdict.arrangements[0], "reason", 14),
    "another trader": lambda r: setattr(r.verdict, "tin", "HK1"),
    "another height said": lambda r: change(r.verdict, "height", 1),
    "fresher than sealed": lambda r: change(r.verdict, "attested_time", 1),
    "as of yesterday": lambda r: change(r.verdict, "as_of", -DAY),
    "as known yesterday": lambda r: change(r.verdict, "known_at", -DAY),
    "followed to nowhere": lambda r: setattr(r.verdict, "followed_subject", b"\x01" * 32),
}


def change(message: object, name: str, by: int) -> None:
    setattr(message, name, getattr(message, name) + by)


@pytest.mark.parametrize("how", ALTERED)
def test_altered_answers(answer: Answer, how: str):
    altered = copy.deepcopy(answer.response)
    ALTERED[how](altered)
    assert altered != answer.response
    with pytest.raises(LedgerError):
        answer.check(altered)


def test_parts_of_other_answers(exchange: Exchange, answer: Answer):
    other = Answer(exchange, "HK1")
    absent = Answer(exchange, "HK404")
    for donor in (other, absent):
        for altered in (copy.deepcopy(answer.response) for _ in range(1)):
            altered.proof.subjects[0].CopyFrom(donor.response.proof.subjects[0])
            with pytest.raises(LedgerError):
                answer.check(altered)
    whole = copy.deepcopy(other.response)
    with pytest.raises(LedgerError):
        answer.check(whole)


def test_an_old_answer_is_not_news(own_exchange: Exchange):
    old = Answer(own_exchange)
    old.check(old.response)
    own_exchange.publish("more", row("HK60"))
    fresh = Answer(own_exchange)
    fresh.trust = old.trust
    fresh.check(fresh.response)
    with pytest.raises(AnchorError, match="verified before"):
        fresh.check(old.response)


# Forks.


class Forked:
    """A source that shows another header of its own making, sealed by everybody's keys."""

    def __init__(self, ledger: LedgerClient, exchange: Exchange, height: int) -> None:
        self._ledger = ledger
        self._height = height
        header = parse_header(ledger.header(height).header)
        forged = format_header(
            type(header)(
                **{
                    name: getattr(header, name)
                    for name in header.__dataclass_fields__
                    if name != "map_root"
                },
                map_root=b"\x07" * 32,
            )
        )
        signing_set = exchange.node.state.signing_sets.current
        hashed = header_hash(forged)
        shares = {
            economy: sign_share(
                bls_secret(economy), BACKEND, header.network_id, hashed, header.time
            )
            for economy in ("HK", "NZ")
        }
        self.header_bytes = forged
        self.seal = aggregate_seal(signing_set, hashed, header.time, shares, BACKEND)

    def genesis(self) -> bytes:
        return self._ledger.genesis()

    def header(self, height: int, anchor_height: int | None = None) -> ShownHeader:
        said = self._ledger.header(height, anchor_height)
        if height == self._height:
            return ShownHeader(self.header_bytes, self.seal, said.ancestor_proof)
        return said


def begun(exchange: Exchange, file: TrustFile | None = None) -> tuple[Trust, LedgerClient]:
    ledger = LedgerClient(exchange.connection("NZ"))
    trust = Trust.begin(ledger, file, exchange.node.network_id, exchange.clock.now_ms)
    return trust, ledger


def test_two_sealed_headers_of_one_height_are_evidence(own_exchange: Exchange):
    trust, ledger = begun(own_exchange)
    height = own_exchange.node.state.height
    honest = ledger.header(height)
    trust.believe(honest.header, honest.seal)
    fork = Forked(ledger, own_exchange, height)
    with pytest.raises(Misbehaviour) as error:
        trust.believe(fork.header_bytes, fork.seal)
    guilty = check_evidence(error.value.evidence, own_exchange.node.network_id, BACKEND)
    assert guilty == ("HK", "NZ")


def test_a_node_that_left_the_chain(own_exchange: Exchange):
    trust, ledger = begun(own_exchange)
    height = own_exchange.node.state.height
    fork = Forked(ledger, own_exchange, height)
    forked = Trust.begin(fork, network_id=own_exchange.node.network_id)
    forked.believe(fork.header_bytes, fork.seal)
    own_exchange.publish("on", row("HK61"))
    newer = ledger.header(own_exchange.node.state.height)
    # Shown the honest chain, who believed the fork sees that it does not descend from it.
    forked._source = ledger
    with pytest.raises(Misbehaviour) as error:
        forked.believe(newer.header, newer.seal)
    assert check_evidence(error.value.evidence, trust.network_id, BACKEND) == ("HK", "NZ")


def test_evidence_that_convicts_nobody(own_exchange: Exchange):
    trust, ledger = begun(own_exchange)
    height = own_exchange.node.state.height
    fork = Forked(ledger, own_exchange, height)
    honest = ledger.header(height)
    trust.believe(honest.header, honest.seal)
    with pytest.raises(Misbehaviour) as error:
        trust.believe(fork.header_bytes, fork.seal)
    evidence = error.value.evidence
    with pytest.raises(CheckError):
        check_evidence(evidence, bytes(32), BACKEND)
    same = evidence.replace(fork.header_bytes, honest.header).replace(fork.seal, honest.seal)
    with pytest.raises(CheckError):
        check_evidence(same, trust.network_id, BACKEND)
    for bit in range(0, 8 * len(evidence), 97):
        altered = bytearray(evidence)
        altered[bit // 8] ^= 0x80 >> bit % 8
        with pytest.raises(LedgerError):
            check_evidence(bytes(altered), trust.network_id, BACKEND)


# Anchors.


def test_another_network_id(exchange: Exchange):
    with exchange.engine(network_id=bytes(32)) as client, pytest.raises(AnchorError):
        client.lookup("HK1", prove=True, **ASK)


def test_nothing_to_start_from(exchange: Exchange):
    with exchange.engine(network_id=None) as client, pytest.raises(AnchorError):
        client.lookup("HK1", prove=True, **ASK)


def test_the_anchor_moves_forward_and_is_kept(own_exchange: Exchange, tmp_path: Path):
    file = TrustFile(tmp_path / "anchor.json", own_exchange.node.network_id)
    client = own_exchange.engine(trust_file=file)
    client.lookup("HK1", prove=True, **ASK)
    first = file.read()
    assert first.height == own_exchange.node.state.height
    own_exchange.publish("more", row("HK62"))
    client.lookup("HK1", prove=True, **ASK)
    second = file.read()
    assert second.height > first.height
    assert file.advance(first) == second
    assert file.read() == second
    again = own_exchange.engine(trust_file=TrustFile(tmp_path / "anchor.json"), network_id=None)
    assert again.lookup("HK62", prove=True, **ASK).verified


def test_an_anchor_too_old(own_exchange: Exchange, tmp_path: Path):
    file = TrustFile(tmp_path / "anchor.json", own_exchange.node.network_id)
    own_exchange.engine(trust_file=file).lookup("HK1", prove=True, **ASK)
    client = own_exchange.engine(
        trust_file=file, now_ms=lambda: own_exchange.clock.now_ms() + 31 * DAY
    )
    with pytest.raises(AnchorError, match="too long ago"):
        client.lookup("HK1", prove=True, **ASK)


def test_a_trust_file_of_another_network(own_exchange: Exchange, tmp_path: Path):
    path = tmp_path / "anchor.json"
    own_exchange.engine(trust_file=TrustFile(path)).lookup("HK1", prove=True, **ASK)
    with pytest.raises(AnchorError):
        TrustFile(path, bytes(32)).read()


@pytest.mark.parametrize("damage", ["", "{}", "[]", '{"network_id": 1}', "\x00"])
def test_a_damaged_trust_file(tmp_path: Path, damage: str):
    path = tmp_path / "anchor.json"
    path.write_text(damage)
    with pytest.raises(FormatError):
        TrustFile(path).read()


def test_a_seal_from_the_future(exchange: Exchange):
    client = exchange.engine(now_ms=lambda: exchange.clock.now_ms() - 2 * 60_000)
    with pytest.raises(AnchorError, match="ahead of the clock"):
        client.lookup("HK1", prove=True, **ASK)


def test_a_seal_of_too_few(own_exchange: Exchange):
    trust, ledger = begun(own_exchange)
    header = ledger.header(own_exchange.node.state.height).header
    hashed = header_hash(header)
    time = parse_header(header).time
    share = sign_share(bls_secret("HK"), BACKEND, trust.network_id, hashed, time)
    members = own_exchange.node.state.signing_sets.current
    seal = aggregate_seal(members, hashed, time, {"HK": share}, BACKEND)
    with pytest.raises(CheckError, match="at most a third"):
        trust.believe(header, seal)


def test_one_proof_checks_quickly_once_its_header_is_known(answer: Answer):
    """Not a timed test: no second BLS check is made."""
    answer.check(answer.response)
    backend, answer.trust._backend = answer.trust._backend, None
    try:
        assert not answer.check(answer.response).unproved
    finally:
        answer.trust._backend = backend


def test_renumbering_is_followed_and_proved(own_exchange: Exchange):
    renumbered = row("HK70", predecessor_tin="HK1", predecessor_kind=1)
    own_exchange.publish("renumber", renumbered)
    client: StatusClient = own_exchange.engine()
    verdict = client.lookup("HK1", prove=True, **ASK)
    assert verdict.message.followed_subject
    assert verdict.verified
    assert len(verdict.checked.histories) == 2
