"""A replica goes on through hand-overs: it believes the new set's seals, and others believe it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from aeo.exchange.v1.status_service_pb2 import FINALITY_SEALED
from ledger.audit.receipt import check_receipt
from ledger.chain.set_change import format_set_change
from ledger_world import BACKEND
from node.governing_world import until as done
from replica.governed_replica import GovernedNode
from service.api.replica import ReplicaServer, ReplicaServing, serve_replica
from service.client import Connection, LedgerClient, Plaintext, Question, StatusClient, TrustFile
from service.node.replica.replica import Replica
from service.replica import open_replica

ASK = {"function": "EX", "direction": "IMPORT", "mode": 1}


@pytest.fixture
def governed(tmp_path: Path) -> Iterator[GovernedNode]:
    made = GovernedNode(tmp_path)
    yield made
    made.stop()


def serving(replica: Replica) -> ReplicaServing:
    folder = replica.settings.folder
    return ReplicaServing(
        "127.0.0.1:0", folder / "ledger.db", folder / "access", None, log_level="WARNING"
    )


@contextmanager
def engine(server: ReplicaServer, file: TrustFile, network_id: bytes) -> Iterator[StatusClient]:
    connection = Connection.open(server.address, Plaintext("NZ", "risk-engine", "engine"))
    with StatusClient(connection, file, network_id) as client:
        yield client


def reaches(client: StatusClient, height: int) -> None:
    """Wait until whoever answers has a header sealed that is so new."""

    def shown() -> bool:
        said = client.lookup("HK1", **ASK)
        return said.height >= height and said.finality == "SEALED"

    done(shown, f"answers from height {height}")


def same(governed: GovernedNode, replica: Replica) -> None:
    """Whether a replica has what the node has, trust included."""
    node = governed.node
    assert replica.failure is None
    assert replica.state.header_bytes == node.state.header_bytes
    assert replica.newest_seal.finality == FINALITY_SEALED
    assert replica.state.signing_sets == node.state.signing_sets
    theirs, own = node.set_changes.all(), replica.set_changes.all()
    assert [each.sets.pending for each in own] == [each.sets.pending for each in theirs]
    # Kept while the state was at hand: nothing had to be executed again.
    kept = dict(replica.ledger_store.set_changes())
    assert [kept[each.height] for each in own] == [format_set_change(each) for each in own]


def test_a_replica_and_those_who_ask_it_go_on_through_hand_overs(
    governed: GovernedNode, tmp_path: Path
) -> None:
    governed.publish("HK1")
    network_id, clock = governed.node.network_id, governed.world.clock
    file = TrustFile(tmp_path / "anchor.json")
    with ExitStack() as keep:
        replica = keep.enter_context(governed.replica())
        left: list[str] = []
        replica.on_block(
            lambda _: left.extend(each.detail for each in replica.sources if each.detail)
        )
        server = keep.enter_context(serve_replica(replica, serving(replica)))
        client = keep.enter_context(engine(server, file, network_id))
        embedded = keep.enter_context(open_replica(replica.settings.folder, backend=BACKEND))
        assert client.lookup("HK1", prove=True, **ASK).verified
        before = file.path.read_bytes()
        assert file.read().set_changes == ()
        founders = governed.node.state.signing_sets.current
        for number, change in enumerate((governed.rotate, governed.remove, governed.admit), 1):
            change()
            governed.publish(f"HK1{number}")
            governed.caught_up(replica)
            same(governed, replica)
            assert len(replica.set_changes.all()) == number
            reaches(client, governed.node.state.height)
            proved = client.lookup(f"HK1{number}", prove=True, **ASK)
            assert (proved.outcome, proved.verified) == ("RECOGNISED", True)
            point = file.read()
            assert point.signing_set == governed.node.state.signing_sets.current
            assert len(point.set_changes) == number
            embedded.refresh()
            assert embedded.height == governed.node.state.height
            said = embedded.evaluate(f"HK1{number}", "EX", mode=1)
            assert (said.recognised, said.finality) == (True, "SEALED")
        # It was never taken for one that withholds or lies.
        assert not [each for each in left if "refused" in each]
        assert replica.refusals.all() == []
        assert governed.node.state.signing_sets.current != founders
        receipt = client.receipt(Question("HK13", **ASK))
        now = clock.now_ms() + 5_000
        checked = check_receipt(receipt, now=now, backend=BACKEND, network_id=network_id)
        assert (checked.verified, checked.hand_overs) == (True, 3)
        # An anchor from before all of them leads there at once.
        old = TrustFile(tmp_path / "old.json")
        old.path.write_bytes(before)
        with engine(server, old, network_id) as late:
            assert late.lookup("HK13", prove=True, **ASK).verified
            assert len(old.read().set_changes) == 3
        with Connection.open(server.address, Plaintext("NZ", "auditor")) as connection:
            shown = LedgerClient(connection)
            assert shown.trust_chain() == replica.set_changes.all()
            assert shown.trust_chain(founders.hash) == replica.set_changes.all()


def test_a_replica_that_was_away_catches_up_over_hand_overs(
    governed: GovernedNode, tmp_path: Path
) -> None:
    governed.publish("HK1")
    file = TrustFile(tmp_path / "anchor.json")
    network_id = governed.node.network_id
    with (
        governed.replica() as replica,
        serve_replica(replica, serving(replica)) as server,
        engine(server, file, network_id) as client,
    ):
        assert client.lookup("HK1", prove=True, **ASK).verified
    governed.rotate()
    governed.remove()
    governed.publish("HK2")
    with governed.replica() as replica:
        same(governed, replica)
    # What it kept is enough, also when it only restarts.
    with governed.replica() as replica:
        same(governed, replica)
        assert len(replica.set_changes.all()) == 2
        governed.admit()
        governed.publish("HK3")
        governed.caught_up(replica)
        same(governed, replica)
        with (
            serve_replica(replica, serving(replica)) as server,
            engine(server, file, network_id) as client,
            open_replica(replica.settings.folder, backend=BACKEND) as embedded,
        ):
            assert client.lookup("HK3", prove=True, **ASK).verified
            assert len(file.read().set_changes) == 3
            assert embedded.evaluate("HK3", "EX", mode=1).recognised
    with governed.replica("fresh") as replica:
        same(governed, replica)
        assert len(replica.set_changes.all()) == 3
