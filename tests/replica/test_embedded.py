"""What the embedded replica says is what `evaluate` says, byte for byte, in whatever life."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aeo.ledger.v1 import arrangement_pb2, status_pb2
from ledger.customs.evaluate import evaluate
from ledger.customs.profiles import NOTHING_DECLARED
from ledger.customs.subject import LookupKey
from ledger.customs.verdict import Times, format_verdict
from ledger.errors import KeyringError
from ledger.state.state import State
from ledger_world import DAY, SECOND, World
from lookup.test_lookup import rich_world, steps
from node.node_world import agree, make_network, request, row, wait_recorded
from replica.lives import MINUTE
from service.errors import StoreError, WrongStore
from service.keys.key_file import KeyFileError
from service.node.lookup.question import QuestionError, read_question
from service.node.node import Node
from service.node.replica.embedded import EmbeddedReplica
from service.node.replica.folder import KEYRING_FILE
from service.node.replica.keyring_file import KeyringContent, KeyringFile
from service.replica import AliasOf, Outcome, ProfilesElsewhere, Question, open_replica
from service.store.ledger.ledger_store import SealLevel, StoredSeal

TINS = tuple(f"HK{n:08d}" for n in range(6))


class LedgerOf:
    """A `FollowedLedger` that is a world; it is read when it is refreshed, not before."""

    def __init__(self, world: World, economy: str = "NZ") -> None:
        self.world = world
        self.economy = economy
        self.state: State = world.view
        self.keys: Mapping[bytes, LookupKey] = {}
        self.instructions: Mapping[int, str] = {1: "green lane"}
        self.attested = world.time
        self.seal = StoredSeal(0, b"", SealLevel.SEALED, self.attested, 1)
        self.next_keys: Mapping[bytes, LookupKey] = self.keys
        self.learn_keys()

    def learn_keys(self) -> None:
        state = self.world.view
        self.next_keys = {shared: self.world.lookup_key(shared) for shared in state.arrangements}

    @property
    def sealed(self) -> bool:
        return True

    def refresh(self) -> bool:
        changed = self.state is not self.world.view or self.attested != self.seal.attested_time
        self.state = self.world.view
        self.seal = StoredSeal(self.state.height, b"", SealLevel.SEALED, self.attested, 1)
        return changed

    def refresh_keys(self) -> bool:
        changed = self.keys is not self.next_keys
        self.keys = self.next_keys
        return changed

    def close(self) -> None:
        pass


class Asking:
    """An embedded replica over a world, with a clock and an attested time of its own."""

    def __init__(self, world: World, remembered: int = 1_000) -> None:
        self.world = world
        self.now = world.time
        self.ledger = LedgerOf(world)
        self.counted_ms = 0
        self.replica = EmbeddedReplica(self.ledger, remembered, self)
        self.evaluated = 0

    def now_ms(self) -> int:
        return self.now

    def monotonic_ns(self) -> int:
        return self.counted_ms * 1_000_000

    def ask(self, tin: str = TINS[0], **fields: object) -> bytes:
        """Ask twice, as if anew and as if known; both must be what `evaluate` says."""
        given = {"function": "EX", "direction": "IMPORT", "mode": 1, **fields}
        self.replica.refresh()
        query = read_question(Question(tin, **given).request(), "NZ")
        ledger = self.ledger
        expected = format_verdict(
            evaluate(
                query,
                ledger.state,
                ledger.keys,
                NOTHING_DECLARED,
                ledger.instructions,
                Times(self.now, ledger.attested),
            )
        )
        for _ in range(2):
            answer = self.replica.evaluate(tin, **given)
            assert answer.data == expected
        assert self.replica.lookup(Question(tin, **given)).data == expected
        return expected


def two_members() -> tuple[World, bytes, Asking]:
    world = World(("HK", "NZ"))
    shared = world.agree("HK", "NZ")
    world.publish("HK", shared, [world.grant(shared, tin) for tin in TINS[:4]])
    return world, shared, Asking(world)


def evaluations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The TINs that `evaluate` is asked about from here on."""
    asked: list[str] = []

    def counted(query, *rest):
        asked.append(query.tin)
        return evaluate(query, *rest)

    monkeypatch.setattr("service.node.replica.embedded.evaluate", counted)
    return asked


def test_an_answer_reads_as_the_clients_verdict_does() -> None:
    _, shared, asking = two_members()
    answer = asking.replica.evaluate(TINS[0], function="EX", mode=1)
    assert (answer.outcome, answer.reason, answer.recognised) == (Outcome.RECOGNISED, "NONE", True)
    assert (answer.status, answer.tin, answer.issuing_economy) == ("CERTIFIED", TINS[0], "HK")
    assert answer.finality == "SEALED"
    assert [each.arrangement_id for each in answer.arrangements] == [shared]
    assert answer.as_of == datetime.fromtimestamp(asking.now / 1000, UTC)
    assert repr(answer) == "Answer(RECOGNISED, NONE)"
    said = asking.replica.evaluate("XX1", function="EX", mode=1)
    assert (said.outcome, said.reason) == (Outcome.NOT_RECOGNISED, "ISSUER_UNKNOWN")


def test_what_was_asked_before_is_not_evaluated_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world, shared, asking = two_members()
    asking.replica.evaluate(TINS[0], function="EX", mode=1)
    asked = evaluations(monkeypatch)
    for _ in range(3):
        asking.replica.evaluate(TINS[0], function="EX", mode=1)
        # Another block, which is not about this trader.
        world.publish("HK", shared, [world.suspend(shared, TINS[1])])
        asking.now = asking.ledger.attested = world.time
        asking.replica.refresh()
    assert asked == []
    assert len(asking.replica) == 1
    world.publish("HK", shared, [world.suspend(shared, TINS[0])])
    asking.now = asking.ledger.attested = world.time
    asking.replica.refresh()
    answer = asking.replica.evaluate(TINS[0], function="EX", mode=1)
    assert (answer.reason, asked) == ("SUSPENDED", [TINS[0]])


def test_what_is_prepared_needs_no_evaluation_when_it_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, shared, asking = two_members()
    world.publish("HK", shared, [world.suspend(shared, TINS[1])])
    asking.now = asking.ledger.attested = world.time
    # Four traders, and the one answer for whoever has no record.
    assert asking.replica.prepare("EX", mode=1) == 5
    asked = evaluations(monkeypatch)
    answers = [asking.replica.evaluate(tin, function="EX", mode=1) for tin in TINS]
    assert asked == []
    assert [each.reason for each in answers] == [
        *("NONE", "SUSPENDED", "NONE", "NONE", "NO_RECORD", "NO_RECORD")
    ]
    for tin in TINS:
        asking.ask(tin)
    world.publish("HK", shared, [world.suspend(shared, TINS[2]), world.grant(shared, TINS[5])])
    asking.now = asking.ledger.attested = world.time
    asking.replica.forget()
    asked.clear()
    asking.replica.refresh()
    answers = [asking.replica.evaluate(tin, function="EX", mode=1) for tin in TINS]
    assert [each.reason for each in answers] == [
        *("NONE", "SUSPENDED", "SUSPENDED", "NONE", "NO_RECORD", "NONE")
    ]
    # Only those that the block changed.
    assert asked == [TINS[2], TINS[5]]


def test_an_arrangement_that_changes_ends_what_was_prepared() -> None:
    world, shared, asking = two_members()
    asking.replica.prepare("EX", mode=1)
    asking.ask(TINS[0])
    suspension = arrangement_pb2.ArrangementSuspension(arrangement_id=shared)
    world.commit(world.step("NZ", suspend=suspension))
    asking.now = asking.ledger.attested = world.time
    for tin in TINS:
        asking.ask(tin)
    assert asking.replica.evaluate(TINS[3], "EX", mode=1).reason == "ARRANGEMENT_SUSPENDED"


def test_a_second_arrangement_of_the_pair_counts_at_once() -> None:
    world, shared, asking = two_members()
    asking.replica.prepare("EX", mode=1)
    other = world.agree("NZ", "HK")
    world.publish("HK", other, [world.grant(other, TINS[5])])
    asking.now = asking.ledger.attested = world.time
    asking.ledger.learn_keys()
    asking.now += 2 * SECOND
    for tin in TINS:
        asking.ask(tin)
    answer = asking.replica.evaluate(TINS[5], "EX", mode=1)
    assert (answer.recognised, len(answer.arrangements)) == (True, 2)
    assert asking.replica.prepare("EX", mode=1) == 0
    assert answer.message.arrangement_id == other != shared


def test_time_alone_ends_an_answer() -> None:
    world, shared, asking = two_members()
    ends = world.time + 10 * MINUTE
    world.publish("HK", shared, [world.grant(shared, TINS[5], valid_to=ends)])
    world.commit(world.transaction("HK"), time=ends - MINUTE)
    asking.ledger.attested = world.time
    asking.now = world.time
    asking.replica.prepare("EX", mode=1)
    for now in (world.time, ends - 1, ends, ends + 1, ends - 1):
        asking.now = now
        asking.ask(TINS[5])
    asking.now = ends
    assert asking.replica.evaluate(TINS[5], "EX", mode=1).reason == "EXPIRED"


def test_silence_makes_it_stale_as_a_nodes_answers() -> None:
    world, _, asking = two_members()
    asking.replica.prepare("EX", mode=1)
    for minutes in (0, 54, 55, 56, 59, 60, 61):
        asking.now = world.time + minutes * MINUTE
        asking.ask(TINS[0])
    assert asking.replica.evaluate(TINS[0], "EX", mode=1).reason == "LEDGER_STALE"
    asking.ledger.attested = asking.now
    asking.replica.refresh()
    assert asking.replica.evaluate(TINS[0], "EX", mode=1).reason == "ISSUER_STALE"


def test_the_folder_is_looked_at_again_in_time() -> None:
    world, shared, asking = two_members()
    assert asking.replica.evaluate(TINS[0], "EX", mode=1).recognised
    world.publish("HK", shared, [world.suspend(shared, TINS[0])])
    asking.ledger.attested = world.time
    height = asking.replica.height
    asking.now += 49
    assert asking.replica.evaluate(TINS[0], "EX", mode=1).height == height
    asking.now = world.time + 1
    answer = asking.replica.evaluate(TINS[0], "EX", mode=1)
    assert (answer.reason, answer.height) == ("SUSPENDED", height + 1)


def test_a_missing_key_is_an_error_and_no_answer() -> None:
    _, _, asking = two_members()
    asking.ledger.next_keys = {}
    asking.now += 2 * SECOND
    with pytest.raises(KeyringError):
        asking.replica.evaluate(TINS[0], "EX", mode=1)
    asking.ledger.learn_keys()
    asking.now += 2 * SECOND
    assert asking.replica.evaluate(TINS[0], "EX", mode=1).recognised


def test_what_cannot_be_asked_is_told_by_its_field() -> None:
    _, _, asking = two_members()
    for fields, field in (
        ({"function": ""}, "function"),
        ({"function": "EX"}, "transport_mode"),
        ({"function": "EX", "mode": 9}, "transport_mode"),
        ({"function": "EX", "mode": 1, "level": "é"}, "level"),
        ({"function": "EX", "mode": 1, "dispatch_economy": "hk"}, "dispatch_economy"),
    ):
        with pytest.raises(QuestionError) as caught:
            asking.replica.evaluate(TINS[0], **fields)
        assert caught.value.field == field
    for text in ("", "?", "HK" * 40, "é", "\x00"):
        assert asking.replica.evaluate(text, "EX", mode=1).reason == "TIN_MALFORMED"


def test_names_are_for_the_node() -> None:
    _, _, asking = two_members()
    for fields in ({"declared_name": "Acme"}, {"declared_address": "1 Queen Street"}):
        with pytest.raises(ProfilesElsewhere, match="ask the administration's node"):
            asking.replica.lookup(Question(TINS[0], function="EX", mode=1, **fields))


def test_other_times_and_aliases() -> None:
    world, shared, asking = two_members()
    world.commit(world.aliases("HK", shared, [world.alias(shared, "mine", TINS[2])]))
    world.publish("HK", shared, [world.suspend(shared, TINS[2])])
    asking.now = asking.ledger.attested = world.time
    lookup = asking.replica.lookup
    alias = Question(alias=AliasOf("TEST", "mine"), function="EX", mode=1)
    assert lookup(alias).reason == "SUSPENDED"
    assert lookup(Question(TINS[2], function="EX", mode=1, known_at=4)).recognised
    before = datetime.fromtimestamp((world.time - DAY) / 1000, UTC)
    assert lookup(Question(TINS[2], function="EX", mode=1, as_of=before)).outcome


def test_memory_is_bounded_and_can_be_dropped() -> None:
    world, _, _ = two_members()
    asking = Asking(world, remembered=20)
    for n in range(100):
        asking.ask(f"HK{n:08d}", mode=1 + n % 3)
        assert len(asking.replica) <= 20
    asking.replica.forget()
    assert len(asking.replica) == 0
    asking.ask(TINS[0])


questions = st.tuples(
    st.sampled_from([f"{prefix}{n:08d}" for prefix in ("HK", "SG", "NZ") for n in range(6)]),
    st.fixed_dictionaries(
        {
            "function": st.sampled_from(["EX", "IM", "MF"]),
            "direction": st.sampled_from(["IMPORT", "EXPORT"]),
            "mode": st.sampled_from([1, 4]),
            "level": st.sampled_from(["", "A"]),
            "dispatch_economy": st.sampled_from(["", "HK"]),
        }
    ),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(steps, min_size=3, max_size=12), st.lists(questions, min_size=2, max_size=5), st.data()
)
def test_every_answer_in_random_lives(life, asked, data) -> None:
    world, (first, second, information) = rich_world()
    asking = Asking(world)
    for kind, what in life:
        if data.draw(st.booleans()):
            asking.replica.prepare(**asked[0][1])
        if kind == "record":
            economy, which, n, (event, status), number, roles, level, valid, effect, _ = what
            shared = information if economy == "SG" else (first, second)[which]
            record = world.record(
                shared,
                f"{economy}{n:08d}",
                event,
                status,
                number=number,
                roles=roles,
                level=level,
                valid_to=asking.now + valid,
                effective_from=asking.now + effect,
            )
            world.publish(economy, shared, [record], time=asking.now)
        elif kind == "renumber":
            old, new = world.subject(first, TINS[what]), TINS[(what + 1) % 6]
            renumbered = (old, status_pb2.PREDECESSOR_KIND_RENUMBERED)
            record = world.grant(first, new, number="9", predecessor=renumbered, level="A")
            world.publish("HK", first, [record], time=asking.now)
        elif kind == "wait":
            asking.now += what
        elif kind == "beat":
            world.commit(world.transaction(what), time=asking.now)
        elif kind == "attest":
            asking.ledger.attested = asking.now
        else:
            step = {
                "suspend": arrangement_pb2.ArrangementSuspension,
                "resume": arrangement_pb2.ArrangementResumption,
            }[what](arrangement_id=first)
            world.commit(world.step("NZ", **{what: step}), time=asking.now)
        for tin, fields in asked:
            asking.ask(tin, **fields)


# On real folders.


def test_a_nodes_folder_while_the_node_writes(tmp_path: Path) -> None:
    network = make_network(tmp_path)
    with Node.start(network) as node:
        shared = agree(node, "HK", "NZ")
        publisher = node.hosted["HK"].publisher
        with open_replica(tmp_path, "NZ") as replica:
            assert replica.economy == "NZ"
            assert replica.evaluate("HK1", "EX", mode=1).reason == "NO_RECORD"
            for tin in ("HK1", "HK2"):
                given = publisher.publish(
                    request(secrets.token_hex(8), [row(tin)], shared), confirms=True
                )
                wait_recorded(node, "HK", given.publication_id)
                replica.refresh()
                answer = replica.evaluate(tin, "EX", mode=1)
                assert (answer.outcome, answer.height) == (Outcome.RECOGNISED, node.state.height)
        with pytest.raises(StoreError, match="name the economy"):
            open_replica(tmp_path)
        with pytest.raises(StoreError, match="there are: none"):
            open_replica(tmp_path, "SG")


def test_a_replicas_folder_with_its_keyring(tmp_path: Path) -> None:
    network = make_network(tmp_path / "node")
    folder = tmp_path / "replica"
    folder.mkdir()
    with Node.start(network) as node:
        shared = agree(node, "HK", "NZ")
        given = node.hosted["HK"].publisher.publish(
            request("k", [row("HK1")], shared), confirms=True
        )
        wait_recorded(node, "HK", given.publication_id)
        network_id, keys = node.network_id, node.hosted["NZ"].home.lookup_keys()
    (tmp_path / "node" / "ledger.db").rename(folder / "ledger.db")
    file = KeyringFile(folder / KEYRING_FILE, network_id, "NZ")
    file.write(KeyringContent(network_id, "NZ", {}, {}))
    with open_replica(folder) as replica:
        assert replica.economy == "NZ"
        with pytest.raises(KeyringError):
            replica.evaluate("HK1", "EX", mode=1)
        file.write(KeyringContent(network_id, "NZ", keys, {3: "Wave through"}))
        replica._look_at_keys = 0
        replica.refresh()
        assert replica.evaluate("HK1", "EX", mode=1).recognised
    with pytest.raises(WrongStore):
        open_replica(folder, "HK")
    file.path.chmod(0o644)
    with pytest.raises(KeyFileError):
        open_replica(folder)


def test_a_clock_that_is_behind_makes_nothing_fresh() -> None:
    world, _, asking = two_members()
    ask = partial(asking.replica.evaluate, TINS[0], function="EX", direction="IMPORT", mode=1)
    limit = world.view.default_staleness_limit
    assert ask().recognised
    asking.now -= limit
    asking.counted_ms = limit - SECOND
    asking.replica.refresh()
    answer = ask()
    assert answer.recognised
    assert answer.as_of == datetime.fromtimestamp((world.time + limit - SECOND) / 1000, UTC)
    asking.counted_ms += 2 * SECOND
    asking.replica.refresh()
    assert (ask().outcome, ask().reason) == (Outcome.UNDETERMINED, "LEDGER_STALE")
    # Set right, it is believed again.
    asking.now = world.time + limit - SECOND
    asking.counted_ms = limit - SECOND
    asking.replica.refresh()
    assert ask().recognised
