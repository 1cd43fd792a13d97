"""The application under CometBFT's grammar: blocks, seals, crashes between the steps, liars."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from aeo.abci.v1 import abci_pb2 as abci
from cometbft.driver import Decided, Network, stamp
from ledger.chain.seal import open_seal, sign_share
from ledger.state.machine import Machine
from ledger_world import BACKEND, START, bls_secret
from service.engine.cometbft.compression import compress_transaction
from service.engine.cometbft.extensions import Shares
from service.engine.cometbft.proposal import BLOCK_BYTES
from service.engine.protocol import Sealed
from service.errors import EngineStopped, StoreFull
from service.node.blocks import LedgerBlocks
from service.node.restoring import restore

MEMBERS = ("AU", "HK", "NZ", "SG")
# Every place where a commit can be cut off: the store's own steps, then the application's.
CUTS = (
    "abci:executed",
    "block:before",
    "block:header",
    "block:entries",
    "block:committed",
    "abci:stored",
    "abci:advanced",
    "abci:told",
)


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    with Network(tmp_path, MEMBERS) as network:
        yield network


def seals(network: Network) -> list[tuple[int, Sealed]]:
    """The newest seal of each validator that is up; each must verify."""
    found = []
    for validator in network.alive:
        newest = validator.application.newest_seal
        assert newest is not None
        height, seal = newest
        state = validator.state
        opened = open_seal(seal.data, state.signing_set_of(height), state.network_id, BACKEND)
        assert opened.header_hash == network.world.header_hash(height)
        assert opened.attested_time == seal.attested_time
        assert (opened.weight, opened.level) == (seal.weight, seal.level)
        found.append(newest)
    return found


# Blocks and seals.


def test_what_is_sent_is_decided_and_sealed_everywhere(network: Network) -> None:
    world = network.world
    assert network.send(world.transaction("HK"), world.transaction("NZ")) == ["", ""]
    block = network.decide()
    assert block.header is not None
    network.decide()
    for height, seal in seals(network):
        assert (height, seal.level, seal.weight) == (1, "sealed", 4)
        assert seal.attested_time == block.header.time


def test_a_seal_is_there_as_soon_as_the_next_block_is_decided(network: Network) -> None:
    network.send(network.world.transaction("HK"))
    network.decide()
    kept = [each.store.seal(1) for each in network.alive]
    assert kept == [None] * 4, "nobody has voted since"
    network.decide([])
    for validator in network.alive:
        stored = validator.store.seal(1)
        assert stored is not None
        assert stored.weight == 4


def test_a_block_that_changes_nothing_leaves_the_hash_and_renews_the_seal(network: Network) -> None:
    network.send(network.world.transaction("HK"))
    network.decide()
    network.decide()
    before = {each.economy: each.store.seal(1) for each in network.alive}
    hashes = {each.blocks[-1].app_hash for each in network.alive}
    network.decide(seconds=2)
    assert {each.blocks[-1].app_hash for each in network.alive} == hashes
    for validator in network.alive:
        assert validator.store.engine_height() == 3
        renewed, first = validator.store.seal(1), before[validator.economy]
        assert renewed is not None
        assert first is not None
        assert renewed.attested_time > first.attested_time
        assert renewed.attested_time == START + 1_000, "the time of the block before"


def test_block_1_has_the_time_of_the_genesis_and_its_header_a_later_one(network: Network) -> None:
    network.send(network.world.transaction("HK"))
    block = network.decide()
    assert block.header is not None
    assert block.header.time == START + 1


def test_the_injected_seal_is_no_entry_of_the_log(network: Network) -> None:
    network.send(network.world.transaction("HK"))
    network.decide()
    network.decide()
    network.send(network.world.transaction("NZ"))
    network.decide()
    decided = network["AU"].blocks[-1]
    assert decided.transactions[0][:1] == b"\x02"
    assert len(decided.transactions) == 2
    assert decided.results == [0, 0]
    assert len(list(network["AU"].store.transactions())) == 2


def test_results_are_numbers_of_a_closed_list_and_nothing_else(network: Network) -> None:
    world = network.world
    entered = world.transaction("HK")
    strange = [b"", b"\x03what", b"\x01" + bytes(200), b"\x02" + bytes(140), entered]
    network.decide([entered, *strange])
    assert network["AU"].blocks[-1].results == [0, 2, 2, 2, 2, 6]
    again = network["AU"].finalize(Decided(2, START + 1_000, [entered, b""], b""))
    assert [each.SerializeToString() for each in again.tx_results] == [b"\x08\x06", b"\x08\x02"]


def test_every_refused_transaction_is_told_after_what_entered(network: Network) -> None:
    transaction = network.world.transaction("HK")
    told: list[object] = []
    network["AU"].feed.listen(lambda block: told.append(block.transactions))
    network["AU"].feed.listen_refused(lambda *each: told.append(each))
    network.decide([transaction, transaction, b"\x03"], proposer="SG")
    assert network["AU"].application.counts["useless_transactions"] == {"SG": 1}
    assert told == [(transaction,), (transaction, "SEQUENCE_USED"), (b"\x03", "MALFORMED")]
    for validator in network.alive:
        assert validator.refused == [(transaction, "SEQUENCE_USED"), (b"\x03", "MALFORMED")]


# Late votes, liars, silence.


def test_a_late_vote_makes_the_seal_better_one_block_later(network: Network) -> None:
    network.late = {"SG"}
    network.send(network.world.transaction("HK"))
    network.decide()
    network.decide([])
    assert [seal.weight for _, seal in seals(network)] == [3, 3, 3, 4], "SG has its own share"
    network.decide(proposer="AU")
    for validator in network.alive:
        kept = validator.store.seal(1)
        assert kept is not None
        assert kept.weight >= 3
    decided = network["AU"].blocks[-1].transactions[0]
    opened = open_seal(
        decided,
        network["AU"].state.signing_sets.current,
        network["AU"].state.network_id,
        BACKEND,
    )
    assert opened.signers == MEMBERS


@pytest.mark.parametrize("lie", ["other header", "other time", "somebody's", "noise", "short"])
def test_a_wrong_share_is_left_out_and_counted(network: Network, lie: str) -> None:
    state = network["AU"].state

    def tell(share: bytes) -> bytes:
        made = {
            "other header": sign_share(
                bls_secret("SG"), BACKEND, state.network_id, bytes(32), network.time
            ),
            "other time": sign_share(
                bls_secret("SG"), BACKEND, state.network_id, state.header_hash, 1
            ),
            "somebody's": network["AU"].application.rounds.now._unchecked.get("AU", share[::-1]),
            "noise": bytes(96),
            "short": b"x",
        }
        return made[lie]

    network.lies["SG"] = tell
    network.send(network.world.transaction("HK"))
    for _ in range(4):
        network.decide()
    for validator in network.alive:
        newest = validator.application.newest_seal
        assert newest is not None
        assert (newest[1].weight, newest[1].level) == (3, "sealed")
        assert validator.application.counts["wrong_share"] == {"SG": 3}
        assert not validator.application.counts["missing_share"]


def test_a_late_liar_is_not_believed_either(network: Network) -> None:
    network.lies["SG"] = lambda _: bytes(96)
    network.late = {"SG"}
    network.send(network.world.transaction("HK"))
    for _ in range(6):
        network.decide()
    assert network.refusals == 0, "no honest proposer made a seal of it"
    for validator in network.alive:
        newest = validator.application.newest_seal
        assert newest is not None
        assert newest[1].weight >= 3


def test_who_sends_no_share_is_counted_as_missing(network: Network) -> None:
    network.lies["SG"] = lambda _: b""
    network.send(network.world.transaction("HK"))
    for _ in range(4):
        network.decide()
    assert network["AU"].application.counts["missing_share"] == {"SG": 3}
    assert {seal.weight for _, seal in seals(network)} == {3}


def test_two_liars_of_four_leave_a_header_attested_and_not_sealed(network: Network) -> None:
    network.lies.update({"SG": lambda _: bytes(96), "NZ": lambda _: b""})
    network.send(network.world.transaction("HK"))
    for _ in range(3):
        network.decide()
    newest = network["AU"].application.newest_seal
    assert newest is not None
    assert (newest[1].level, newest[1].weight) == ("attested", 2)
    network.lies.clear()
    network.decide()
    newest = network["AU"].application.newest_seal
    assert newest is not None
    assert (newest[1].level, newest[1].weight) == ("sealed", 4)


def test_three_liars_leave_no_seal_and_the_chain_goes_on(network: Network) -> None:
    network.lies.update(dict.fromkeys(("SG", "NZ", "HK"), lambda _: bytes(96)))
    network.send(network.world.transaction("HK"))
    for _ in range(3):
        network.decide()
    assert network["AU"].application.newest_seal is None
    assert network["AU"].state.height == 1


def test_an_extension_longer_than_any_share_is_refused_and_counted(network: Network) -> None:
    network.lies["SG"] = lambda share: share + b"x"
    network.decide()
    assert network["AU"].application.counts["refused_extensions"] == {"SG": 1}


def test_an_extension_of_an_unknown_validator_is_taken_and_ignored(network: Network) -> None:
    assert network["AU"].verify(bytes(20), 1, bytes(96))
    assert network["AU"].verify(b"", 1, b"")
    assert network["AU"].verify(network["HK"].address, 99, bytes(96))
    network.decide()


def test_a_validator_that_voted_twice_is_counted(network: Network) -> None:
    """CometBFT has proved it, and keeps the proof; an address that nobody has is nobody's."""
    twice = abci.Misbehavior(
        type=abci.MISBEHAVIOR_TYPE_DUPLICATE_VOTE,
        validator=abci.Validator(address=network["SG"].address, power=1),
        height=1,
    )
    unknown = abci.Misbehavior(validator=abci.Validator(address=bytes(20)))
    application = network["AU"].application
    application.finalize_block(
        abci.RequestFinalizeBlock(height=1, time=stamp(START), misbehavior=[twice, unknown])
    )
    assert application.counts["equivocations"] == {"SG": 1, "unknown": 1}


# Proposals.


def test_a_missing_seal_is_fine(network: Network) -> None:
    network.send(network.world.transaction("HK"))
    network.decide()
    network.decide()
    network.decide([])
    assert network.refusals == 0


def test_a_wrong_seal_is_refused_by_everyone_and_counted(network: Network) -> None:
    network.send(network.world.transaction("HK"))
    network.decide()
    network.decide()
    good = network["AU"].prepare(3, network.time, network.votes)[0]
    older = network["AU"].blocks[-1].transactions[0]
    flipped = bytes([*good[:-1], good[-1] ^ 1])
    later = good[:33] + (network.time + 5_000).to_bytes(8) + good[41:]
    fewer = good[:41] + b"\x80" + good[42:]
    for seal in (older, flipped, later, fewer, b"\x02", good[:-1]):
        with pytest.raises(AssertionError, match="no proposal was accepted"):
            network.decide([seal], proposer="SG")
    assert network["AU"].application.counts["refused_proposals"] == {"SG": 6}
    network.decide([good])


def test_a_seal_of_at_most_a_third_is_refused(network: Network) -> None:
    network.lies.update(dict.fromkeys(("SG", "NZ", "HK"), lambda _: b""))
    network.send(network.world.transaction("HK"))
    network.decide()
    attested = network["AU"].application.rounds.now.attested
    network.decide()
    state = network["AU"].state
    share = sign_share(
        bls_secret("AU"), BACKEND, state.network_id, attested.header_hash, attested.time
    )
    alone = b"\x02" + attested.header_hash + attested.time.to_bytes(8) + b"\x80" + share
    with pytest.raises(AssertionError, match="no proposal was accepted"):
        network.decide([alone], proposer="AU")


def test_a_block_above_a_mebibyte_is_refused(network: Network) -> None:
    large = b"\x01" * 60_000
    for block in (
        [b"x" * (BLOCK_BYTES + 1)],
        [b""] * 1_001,
        [large] * 18,
        [compress_transaction(large)] * 18,  # some 70 bytes each, as they travel
    ):
        with pytest.raises(AssertionError, match="no proposal was accepted"):
            network.decide(block, proposer="NZ")
    assert network["AU"].application.counts["refused_proposals"] == {"NZ": 4}
    network.decide([b"x" * BLOCK_BYTES])
    assert network["AU"].blocks[-1].results == [1], "OVERSIZED"


def test_a_proposal_leaves_room_for_tags_under_any_limit_of_cometbft(network: Network) -> None:
    world = network.world
    network.send(*[world.transaction("HK") for _ in range(10)])
    for limit in (0, 100, 4_300, 5_000, 10_000):
        request = abci.RequestPrepareProposal(
            max_tx_bytes=limit, txs=network["AU"].mempool, height=1, time=stamp(START)
        )
        offered = network["AU"].application.prepare_proposal(request).txs
        assert sum(len(each) + 4 for each in offered) <= limit


# Start.


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("chain_id", "aeo-another"),
        ("initial_height", 2),
        ("time", stamp(START + 1)),
        ("consensus_params", abci.ConsensusParams(block=abci.BlockParams(max_bytes=-1))),
        (
            "consensus_params",
            abci.ConsensusParams(
                block=abci.BlockParams(max_bytes=1 << 20),
                abci=abci.AbciParams(vote_extensions_enable_height=1),
            ),
        ),
    ],
)
def test_cometbft_of_another_network_is_refused(network: Network, name: str, value: object) -> None:
    request = network.init_chain()
    request.ClearField(name)  # type: ignore[arg-type]
    request.MergeFrom(abci.RequestInitChain(**{name: value}))  # type: ignore[arg-type]
    with pytest.raises(EngineStopped, match="not set up for this network"):
        network["AU"].application.init_chain(request)


def test_other_validators_than_the_founders_are_refused(network: Network) -> None:
    request = network.init_chain()
    request.validators[0].power = 2
    with pytest.raises(EngineStopped, match="validators are not the founders"):
        network["AU"].application.init_chain(request)


def test_a_height_that_does_not_follow_stops_us(network: Network) -> None:
    network.decide()
    block = network["AU"].blocks[-1]
    with pytest.raises(EngineStopped, match="2 is the next"):
        network["AU"].finalize(block)
    with pytest.raises(EngineStopped, match="not decided"):
        network["AU"].application.commit(abci.RequestCommit())


# Crashes.


@pytest.mark.parametrize("cut", CUTS)
def test_a_crash_in_any_step_of_a_commit_loses_nothing(network: Network, cut: str) -> None:
    world = network.world
    network.send(world.transaction("HK"))
    network.decide()
    network["NZ"].dies_at = cut
    network.send(world.transaction("HK"), world.transaction("AU"))
    network.decide()
    assert not network["NZ"].alive
    network.decide()
    network["NZ"].start()
    assert network["NZ"].application.height == network.height
    assert network["NZ"].state.header_bytes == world.view.header_bytes
    network.send(world.transaction("NZ"))
    network.decide()
    network.decide()
    assert network["NZ"].state.header_bytes == world.view.header_bytes
    assert {seal.weight for _, seal in seals(network)} == {4}


def test_an_empty_block_is_not_forgotten_either(network: Network) -> None:
    network.decide()
    network["NZ"].dies_at = "abci:executed"
    network.decide()
    network["NZ"].start()
    assert network["NZ"].application.height == 2
    network["NZ"].crash()
    network["NZ"].start()
    assert network["NZ"].application.height == 2
    network.decide()


@pytest.mark.parametrize("cut", ["guard:before", "guard:written", "guard:renamed", "guard:synced"])
def test_a_crash_while_signing_leaves_one_truth(network: Network, cut: str) -> None:
    network.send(network.world.transaction("HK"))
    network.decide()
    network["NZ"].dies_at = cut
    network.decide()
    assert not network["NZ"].alive
    network["NZ"].start()
    network.decide()
    network.decide()
    assert {seal.weight for _, seal in seals(network)} == {4}


@pytest.mark.parametrize("cut", ["seal:before", "seal:written", "seal:committed"])
def test_a_crash_while_a_seal_is_kept_costs_a_seal_at_most(network: Network, cut: str) -> None:
    network.send(network.world.transaction("HK"))
    network.decide()
    network["NZ"].dies_at = cut
    network.decide()
    assert not network["NZ"].alive
    network["NZ"].start()
    network.decide()
    assert network["NZ"].store.seal(1) is not None


def test_all_may_crash_at_once(network: Network) -> None:
    network.send(network.world.transaction("HK"))
    network.decide()
    for cut in CUTS:
        for validator in network.alive:
            validator.dies_at = cut
        network.decide([network.world.transaction("HK")])
        assert not network.alive
        for validator in network.validators.values():
            validator.start()
        network.decide()
    assert {seal.weight for _, seal in seals(network)} == {4}


def test_a_guard_that_knows_a_later_time_gives_no_share(network: Network) -> None:
    """A member that is brought back from a backup is held to what it has signed."""
    network.send(network.world.transaction("HK"))
    network.decide()
    network.decide(seconds=100)
    network.decide(seconds=100)
    nz = network["NZ"]
    nz.crash()
    nz.start()
    block = Decided(network.height + 1, network.time, [], b"")
    assert len(nz.extend(block)) == 96
    shares = nz.application.rounds.now
    earlier = shares.attested._replace(time=network.time - 50_000)
    nz.application.rounds.now = Shares(earlier, nz.state.network_id, BACKEND)
    assert nz.extend(block) == b""


def test_a_node_that_starts_empty_catches_up(network: Network) -> None:
    network["NZ"].crash()
    for _ in range(3):
        network.send(network.world.transaction("HK"))
        network.decide()
    network["NZ"].start()
    assert network["NZ"].state.header_bytes == network.world.view.header_bytes
    network.decide()
    assert {seal.weight for _, seal in seals(network)} == {4}
    assert not network["NZ"].application.counts["missing_share"], "it saw none of those votes"


def test_a_full_disk_changes_nothing(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    network.send(network.world.transaction("HK"))
    nz = network["NZ"]

    def full(*_: object) -> None:
        raise StoreFull(nz.store.path)

    with monkeypatch.context() as patch:
        patch.setattr(LedgerBlocks, "append_marked", full)
        block = Decided(1, network.time, list(nz.mempool), nz.address)
        nz.finalize(block)
        with pytest.raises(StoreFull):
            nz.application.commit(abci.RequestCommit())
    assert (nz.state.height, nz.application.height) == (0, 0)
    nz.crash()
    network.decide()
    nz.start()
    assert nz.state.header_bytes == network.world.view.header_bytes


def test_what_is_stored_is_a_ledger_that_restores(network: Network) -> None:
    for _ in range(3):
        network.send(network.world.transaction("HK"))
        network.decide()
    for validator in network.alive:
        again = restore(validator.store, BACKEND, validator.machine._updates)
        assert isinstance(again, Machine)
        assert again.state.header_bytes == network.world.view.header_bytes


def test_cometbft_may_forget_what_is_older_than_a_week(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network["AU"].application, "_retained_blocks", 2)
    answers = []
    application = network["AU"].application
    original = application.commit
    monkeypatch.setattr(
        application, "commit", lambda request: answers.append(original(request)) or answers[-1]
    )
    for _ in range(4):
        network.decide()
    assert [answer.retain_height for answer in answers] == [0, 0, 1, 2]


def test_nothing_is_asked_of_the_application_directly(network: Network) -> None:
    assert network["AU"].application.query(abci.RequestQuery(path="/store")).code == 1
