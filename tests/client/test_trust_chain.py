"""A client follows the signing set through hand-overs, and refuses whom it replaced.

The nodes here are worlds: whole ledgers in memory, honest or made by whoever holds old keys.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path

import pytest

from aeo.exchange.v1.verdict_pb2 import Verdict
from ledger.audit.evidence import check_evidence
from ledger.chain.governance import Admission, Removal, Rotation, WeightChange
from ledger.chain.header import format_header, header_hash
from ledger.chain.seal import aggregate_seal, sign_share
from ledger.chain.set_change import HAND_OVER_MS, SetChange, changes_from
from ledger.errors import (
    AnchorError,
    CheckError,
    FormatError,
    LedgerError,
    Misbehaviour,
    ProofError,
)
from ledger_hand_over import set_changes
from ledger_world import BACKEND, DAY, World, bls_secret, registration, secret_behind
from service.client import checking
from service.client.errors import NoSuchThing
from service.client.trust import ShownHeader, Trust, VerifiedHeader
from service.client.trust_file import TrustFile, parse_trust_point

MEMBERS = ("HK", "NZ", "SG", "TH")


class Source:
    """What a node of a world shows; every header that it shows is sealed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.asked: list[bytes] = []

    def genesis(self) -> bytes:
        return self.world.genesis.data

    def header(self, height: int, anchor_height: int | None = None) -> ShownHeader:
        world = self.world
        if height >= len(world.headers):
            raise NoSuchThing("no such header")
        proof: Sequence[bytes] = ()
        if anchor_height is not None and anchor_height < height:
            proof = world.view.facts.headers.prove_inclusion(anchor_height, height)
        return ShownHeader(world.headers[height], world.seals.get(height, b""), proof)

    def trust_chain(self, signing_set_hash: bytes = b"") -> Sequence[SetChange]:
        self.asked.append(signing_set_hash)
        changes = set_changes(self.world)
        found = changes_from(signing_set_hash, changes) if signing_set_hash else changes
        if found is None:
            raise NoSuchThing("no such set")
        return found


def on(world: World, blocks: int = 1) -> World:
    """Let time go by: blocks, each sealed."""
    for _ in range(blocks):
        world.commit(world.transaction(next(iter(world.view.membership.members))))
        world.seal()
    return world


def rotate(world: World, economy: str, generation: int) -> None:
    """A member's new key, taken up by the signing set."""
    new = registration(
        economy, network_id=world.view.network_id, bls=generation, ed25519=generation
    )
    world.commit(world.govern(economy, Rotation(new)))
    world.decide(WeightChange(()))
    world.hand_over()


def forked(world: World) -> World:
    """The same ledger, from here on in other hands that hold all the keys of today."""
    other = World(world.members)
    for header, transactions in world.blocks:
        block = other.machine.follow(header, transactions)
        other.machine.advance(block)
        other.headers.append(header)
        other.blocks.append((header, transactions))
        other.time = block.header.time
    other.seals, other.signing_sets = dict(world.seals), dict(world.signing_sets)
    other._signed = copy(world._signed)
    return other


def begin(world: World, file: TrustFile | None = None, **given: object) -> Trust:
    given = {"network_id": world.view.network_id, "now_ms": lambda: world.time} | given
    return Trust.begin(Source(world), file, backend=BACKEND, **given)


def newest(world: World, trust: Trust, **given: object) -> VerifiedHeader:
    """The client is shown the world's newest header."""
    trust._source = Source(world)
    return trust.believe(world.headers[-1], world.seals[world.view.height], **given)


@pytest.fixture
def world() -> World:
    return on(World(MEMBERS), 2)


def test_from_the_network_id_through_several_hand_overs(world: World):
    kr = registration("KR", network_id=world.view.network_id)
    world.decide(Admission(kr))
    world.hand_over()
    rotate(world, "NZ", 1)
    world.decide(Removal("TH"))
    world.hand_over()
    on(world)
    trust = begin(world)
    believed = newest(world, trust)
    assert believed.level == "sealed"
    assert trust.signing_set == world.view.signing_sets.current
    assert len(trust.set_changes) == 3
    assert trust._source.asked == [world.genesis.signing_set.hash]


def test_step_by_step_and_after_a_restart(world: World, tmp_path: Path):
    file = TrustFile(tmp_path / "anchor.json")
    trust = begin(world, file)
    newest(world, trust)
    for generation in (1, 2, 3):
        rotate(world, "NZ", generation)
        on(world)
        newest(world, trust)
        assert trust.signing_set == world.view.signing_sets.current
        again = begin(world, file, network_id=None)
        assert again.signing_set == trust.signing_set
        assert again.set_changes == trust.set_changes
        on(world)
        newest(world, again)
        newest(on(world), trust)
    assert len(file.read().set_changes) == 3


def test_a_trust_file_from_before_hand_overs_is_read(world: World, tmp_path: Path):
    file = TrustFile(tmp_path / "anchor.json")
    newest(world, begin(world, file))
    text = file.path.read_text()
    old = text.replace(',\n "set_changes": []', "")
    assert old != text
    assert parse_trust_point(old.encode()) == file.read()
    for wrong in ('"set_changes": [7]', '"set_changes": ["00"]', '"set_changes": 7'):
        with pytest.raises(FormatError):
            parse_trust_point(text.replace('"set_changes": []', wrong).encode())


def test_old_keys_with_a_longer_chain_from_before_the_hand_over(world: World, tmp_path: Path):
    """More than two thirds of a replaced set, indeed all of it, sign another and longer chain."""
    attacker = forked(world)
    rotate(world, "NZ", 1)
    on(world)
    file = TrustFile(tmp_path / "anchor.json")
    trust = begin(world, file)
    newest(world, trust)
    on(attacker, 12)
    assert attacker.view.height > world.view.height
    for _ in range(2):
        with pytest.raises(Misbehaviour) as error:
            newest(attacker, trust)
        convicted = check_evidence(error.value.evidence, trust.network_id, BACKEND)
        # Of the outgoing set everyone signed both; by the new set, all but the key replaced.
        assert set(convicted) <= set(MEMBERS)
        assert len(convicted) >= 3
        (kept,) = tmp_path.glob("*.evidence-*")
        assert kept.read_bytes() == error.value.evidence
    assert trust.signing_set == world.view.signing_sets.current
    # Nor is a client convinced that has only the file.
    with pytest.raises(LedgerError):
        newest(attacker, begin(world, file, network_id=None))
    assert newest(on(world), trust)


def test_old_keys_that_all_were_replaced(world: World):
    """Nothing convicts anybody of the new set: it is refused all the same."""
    attacker = forked(world)
    for economy in MEMBERS:
        new = registration(economy, network_id=world.view.network_id, bls=1, ed25519=1)
        world.commit(world.govern(economy, Rotation(new)))
    world.decide(WeightChange(()))
    world.commit(world.transaction("HK"))
    world.hand_over()
    trust = begin(on(world))
    newest(world, trust)
    # It hides the headers that the old set has sealed both here and there.
    on(attacker, 20)
    kept = {attacker.view.height: attacker.seals[attacker.view.height]}
    attacker.seals = kept
    with pytest.raises(AnchorError, match="replaced before height"):
        newest(attacker, trust)


def test_a_hand_over_of_their_own(world: World):
    """Old keys hand over to a set of their choice; who has seen the true one is not led there."""
    attacker = forked(world)
    rotate(world, "NZ", 1)
    trust = begin(on(world))
    newest(world, trust)
    kr = registration("KR", network_id=attacker.view.network_id)
    attacker.decide(Admission(kr))
    attacker.hand_over()
    on(attacker, 9)
    with pytest.raises(LedgerError):
        newest(attacker, trust)
    assert trust.signing_set == world.view.signing_sets.current


def test_a_fork_after_the_anchor_and_before_the_hand_over(world: World):
    """The client has the last header before the fork: nothing tells it which way is the true one,
    but once it has gone one way the other is refused."""
    trust = begin(world)
    newest(world, trust)
    attacker = on(forked(world), 3)
    rotate(world, "NZ", 1)
    on(world)
    newest(world, trust)
    on(attacker, 9)
    with pytest.raises(Misbehaviour):
        newest(attacker, trust)


def test_an_anchor_too_long_ago_follows_nobody(world: World, tmp_path: Path):
    file = TrustFile(tmp_path / "anchor.json")
    clock = [world.time]
    trust = begin(world, file, now_ms=lambda: clock[0])
    newest(world, trust)
    rotate(world, "NZ", 1)
    on(world)
    clock[0] += 31 * DAY
    with pytest.raises(AnchorError, match="too long ago"):
        newest(world, trust)
    assert not trust.set_changes
    late = world.time + 31 * DAY
    with pytest.raises(AnchorError, match="too long ago"):
        begin(world, file, network_id=None, now_ms=lambda: late)


def test_a_replaced_set_makes_nothing_fresh(world: World):
    """Of a header on the past its seal counts; a new time for it, by replaced keys, does not."""
    height = world.view.height
    trust = begin(world)
    asked = trust.anchor
    rotate(world, "NZ", 1)
    on(world)
    newest(world, trust)
    old = trust.believe(world.headers[height], world.seals[height], asked)
    assert old.attested_time == world.view.time_of(height)
    first = world.genesis.signing_set
    hashed, later = world.header_hash(height), world.time + 1
    shares = {
        member.economy: sign_share(
            secret_behind(member.economy, member.key), BACKEND, trust.network_id, hashed, later
        )
        for member in first.members
    }
    fresh = aggregate_seal(first, hashed, later, shares, BACKEND)
    with pytest.raises(AnchorError, match="had been replaced"):
        trust.believe(world.headers[height], fresh, asked)


def test_a_set_that_comes_back(world: World):
    trust = begin(world)
    newest(world, trust)
    for weight in (2, 1, 2, 1):
        world.decide(WeightChange((("HK", weight),)))
        world.hand_over()
        on(world)
        newest(world, trust)
        assert trust.signing_set == world.view.signing_sets.current
    assert len(trust.set_changes) == 4


@pytest.mark.parametrize("followed", [True, False])
def test_who_sealed_between_two_terms_of_a_set_seals_nothing_after_them(
    world: World, followed: bool
):
    """KR came with more weight than all the others, and left: the set is what it was before. The
    hand-over to KR is true and on the past, but it is older than the one that took KR out."""
    trust = begin(world)
    kr = registration("KR", 100, network_id=world.view.network_id)
    world.decide(Admission(kr))
    world.hand_over()
    on(world)
    if followed:
        newest(world, trust)
    strong = world.view.signing_sets.current
    world.decide(Removal("KR"))
    world.hand_over()
    on(world)
    assert world.view.signing_sets.current == world.genesis.signing_set
    if not followed:
        world.time += 2 * HAND_OVER_MS
        on(world)
    newest(world, trust)
    view, time = world.view, world.time + 1
    forged = format_header(
        replace(
            view.header,
            height=view.height + 1,
            time=time,
            previous=view.header_hash,
            earlier_root=view.facts.headers.root_at(view.height + 1),
            log_size=view.log_size + 1,
            signing_set_hash=strong.hash,
        )
    )
    share = sign_share(bls_secret("KR"), BACKEND, trust.network_id, header_hash(forged), time)
    seal = aggregate_seal(strong, header_hash(forged), time, {"KR": share}, BACKEND)

    class OneMembers(Source):
        """Shows what one member that was removed can make."""

        def header(self, height: int, anchor_height: int | None = None) -> ShownHeader:
            if height <= view.height:
                return super().header(height, anchor_height)
            below = 0 if anchor_height is None else anchor_height
            proof = view.facts.headers.prove_inclusion(below, height)
            return ShownHeader(forged, seal, proof)

        def trust_chain(self, _signing_set_hash: bytes = b"") -> Sequence[SetChange]:
            return set_changes(world)[:1]

    trust._source = OneMembers(world)
    trust._now_ms = lambda: time
    with pytest.raises(AnchorError, match="names a signing set"):
        trust.believe(forged, seal)
    assert trust.anchor.header_hash == view.header_hash
    assert newest(on(world), trust)


@pytest.mark.parametrize(
    "lie",
    [
        lambda _: [],
        lambda changes: changes[1:],
        lambda changes: changes[:-1],
        lambda changes: changes[::-1],
        lambda changes: [changes[0], *changes],
        lambda changes: [each._replace(seal=changes[0].seal) for each in changes],
        lambda changes: [each._replace(map_proof=changes[0].map_proof) for each in changes],
        lambda changes: [each._replace(header=changes[0].header) for each in changes],
        lambda changes: [each._replace(signing_sets=b"") for each in changes],
    ],
)
def test_a_trust_chain_that_does_not_hold(world: World, lie: object):
    rotate(world, "NZ", 1)
    rotate(world, "NZ", 2)
    on(world)

    class Lying(Source):
        def trust_chain(self, signing_set_hash: bytes = b"") -> Sequence[SetChange]:
            return lie(list(super().trust_chain(signing_set_hash)))

    trust = begin(world)
    trust._source = Lying(world)
    with pytest.raises(CheckError):
        trust.believe(world.headers[-1], world.seals[world.view.height])
    assert not trust.set_changes
    assert newest(world, trust)


def test_a_hand_over_that_is_not_on_the_past_of_the_header(world: World):
    """Two ledgers take up the same set; the change of one does not vouch for the other's header."""
    other = on(forked(world), 3)
    rotate(other, "NZ", 1)
    rotate(world, "NZ", 1)
    on(world)

    class Mixing(Source):
        def trust_chain(self, _signing_set_hash: bytes = b"") -> Sequence[SetChange]:
            return set_changes(other)

    trust = begin(world)
    trust._source = Mixing(world)
    with pytest.raises(CheckError):
        trust.believe(world.headers[-1], world.seals[world.view.height])


@pytest.mark.parametrize(
    ("text", "tin", "issuer", "unproved"),
    [
        ("HK1", "HK1", "HK", []),
        ("TH1", "TH1", "TH", ["that TH speaks for TH"]),  # TH has left
        ("TH1", "TH1", "", ["that nobody speaks for TH"]),
        ("TH1", "TH1", "KR", ["that KR speaks for TH"]),
        ("AEOKR1", "KR1", "KR", ["that 'AEOKR1' is to be read as KR1", "that KR speaks for KR"]),
        ("AEOTH1", "AEOTH1", "", ["that 'AEOTH1' is to be read as AEOTH1"]),
        ("?", "", "", []),
    ],
)
def test_who_speaks_for_a_prefix_may_have_changed_since_genesis(
    world: World, text: str, tin: str, issuer: str, unproved: list[str]
):
    world.decide(Removal("TH"))
    world.hand_over()
    trust = begin(on(world))
    newest(world, trust)
    said: list[str] = []
    checking._check_trader(text, Verdict(tin=tin, issuing_economy=issuer), trust, said)
    assert said == unproved
    with pytest.raises(ProofError):
        checking._check_trader(text, Verdict(tin="HK2", issuing_economy="HK"), trust, said)
