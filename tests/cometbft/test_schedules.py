"""Random schedules and random bytes: whatever happens, one ledger, and nothing a peer sends raises.

Each schedule draws, for every height, who proposes, how many rounds it takes, whose vote comes
late, who lies, who dies where and who comes back. `Network.decide` compares every application with
every other and with what solo would make of the same block; here the rest is compared.
"""

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aeo.abci.v1 import abci_pb2 as abci
from cometbft.driver import MAX_TX_BYTES, Decided, Network, stamp
from ledger.chain.seal import open_seal
from ledger_world import BACKEND, START
from service.engine.cometbft import application
from service.engine.cometbft.compression import compress_transaction
from service.engine.cometbft.extensions import Shares, attested_next
from service.engine.cometbft.protocol import BlockMark
from service.store import guard
from service.store.ledger import ledger_store

MEMBERS = ("AU", "HK", "NZ", "SG")
CUTS = (
    *(step for step in ledger_store.STEPS if step.startswith(("block:", "seal:"))),
    *guard.STEPS,
    *application.STEPS,
)
LIES = (lambda _: b"", lambda _: bytes(96), lambda share: share[::-1], lambda _: b"short")


@pytest.mark.parametrize("seed", range(6))
def test_any_schedule_leads_to_one_ledger(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    with Network(tmp_path, MEMBERS) as network:
        world = network.world
        for _ in range(25):
            for validator in network.validators.values():
                if not validator.alive and draw.random() < 0.5:
                    validator.start()
            for author in draw.sample(MEMBERS, draw.randrange(4)):
                if network.alive:
                    network.send(world.transaction(author))
            network.lies.clear()
            network.late = set()
            if draw.random() < 0.3:
                network.lies[draw.choice(MEMBERS)] = draw.choice(LIES)
            if draw.random() < 0.3:
                network.late = {draw.choice(MEMBERS)}
            if draw.random() < 0.3 and len(network.alive) == len(MEMBERS):
                draw.choice(network.alive).dies_at = draw.choice(CUTS)
            network.decide(rounds=draw.choice((1, 1, 2)), seconds=draw.choice((0, 0.0004, 1, 60)))
        for validator in network.validators.values():
            if not validator.alive:
                validator.start()
            validator.dies_at = ""
        network.lies.clear()
        network.late = set()
        network.decide()
        network.decide()
        first = network["AU"]
        assert first.state.height > 10, "the schedule went somewhere"
        for validator in network.alive:
            assert list(validator.store.blocks()) == list(first.store.blocks())
            newest = validator.application.newest_seal
            assert newest is not None
            assert (newest[0], newest[1].weight) == (world.view.height, 4)
            for stored in validator.store.seals():
                opened = open_seal(
                    stored.seal,
                    validator.state.signing_set_of(stored.height),
                    validator.state.network_id,
                    BACKEND,
                )
                assert opened.header_hash == world.header_hash(stored.height)
                following = min(stored.height + 1, world.view.height)
                if following > stored.height:
                    assert opened.attested_time <= world.view.time_of(following)
                assert opened.attested_time >= world.view.time_of(stored.height)


def test_a_block_that_was_finalised_and_not_committed_is_finalised_again(tmp_path: Path) -> None:
    """CometBFT dies between the two calls, and we do not."""
    with Network(tmp_path, MEMBERS) as network:
        network.decide()
        transaction = network.world.transaction("HK")
        block = Decided(2, START + 1_000, [transaction], network["AU"].address)
        first = network["AU"].finalize(block)
        assert network["AU"].application.info(abci.RequestInfo()).last_block_height == 1
        assert network["AU"].finalize(block) == first
        other = network["AU"].finalize(Decided(2, START + 1_000, [], b""))
        assert other.app_hash == network["AU"].state.header_hash
        network.decide([transaction])


def test_after_a_restored_snapshot_nobody_signs_a_time_that_nobody_knows(tmp_path: Path) -> None:
    with Network(tmp_path, MEMBERS) as network:
        network.send(network.world.transaction("HK"))
        network.decide()
        network.decide()
        state = network["NZ"].state
        shares = attested_next(state, BlockMark(2, 0, 0, 0))
        assert shares.time == 0
        network["NZ"].application.rounds.now = Shares(shares._replace(), state.network_id, BACKEND)
        network["NZ"].application.rounds.before = None
        assert network["NZ"].extend(Decided(3, network.time, [], b"")) == b""
        network["NZ"].application.rounds.now.seen = False
        network.decide()
        mark = network["NZ"].store.engine_mark()
        assert mark is not None
        assert (mark.height, mark.attested_time) == (3, 0)
        assert network["NZ"].application.rounds.before is None
        network.decide()
        network.decide()
        newest = network["NZ"].application.newest_seal
        assert newest is not None
        assert newest[1].weight == 4


# What peers send.

junk = st.one_of(
    st.binary(max_size=300),
    st.binary(max_size=300).map(lambda data: b"\x01" + data),
    st.binary(max_size=300).map(lambda data: b"\x02" + data),
    st.binary(max_size=300).map(lambda data: b"\x03" + data),
    st.binary(max_size=300).map(lambda data: compress_transaction(b"\x01" + data + bytes(200))),
)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    network = Network(tmp_path_factory.mktemp("junk"), MEMBERS)
    network.send(network.world.transaction("HK"))
    for _ in range(3):
        network.decide()
    return network


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=junk, flips=st.lists(st.integers(0, 148), max_size=3))
def test_no_transaction_raises(network: Network, data: bytes, flips: list[int]) -> None:
    changed = bytearray(network.world.sign("NZ", network.world.body("NZ").SerializeToString()))
    for flip in flips:
        changed[flip % len(changed)] ^= 1 << flip % 8
    for given_data in (data, bytes(changed)):
        for kind in (abci.CHECK_TX_TYPE_NEW, abci.CHECK_TX_TYPE_RECHECK):
            request = abci.RequestCheckTx(tx=given_data, type=kind)
            answer = network["AU"].application.check_tx(request)
            assert (answer.code == 0) == (answer.log == "")


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    transactions=st.lists(junk, max_size=5),
    address=st.one_of(st.binary(max_size=20), st.sampled_from(MEMBERS)),
    extension=st.binary(max_size=130),
    height=st.integers(-(1 << 63), (1 << 63) - 1),
)
def test_no_proposal_and_no_vote_raises(
    network: Network,
    transactions: list[bytes],
    address: bytes | str,
    extension: bytes,
    height: int,
) -> None:
    one = network["AU"]
    who = network[address].address if isinstance(address, str) else address
    one.process(Decided(height, START, transactions, who))
    assert one.verify(who, height, extension) == (len(extension) <= 96)
    assert one.verify(who, one.application.height + 1, extension) == (len(extension) <= 96)
    commit = abci.ExtendedCommitInfo(
        votes=[
            abci.ExtendedVoteInfo(
                validator=abci.Validator(address=who, power=-1), vote_extension=extension
            ),
            abci.ExtendedVoteInfo(),
        ]
    )
    request = abci.RequestPrepareProposal(
        max_tx_bytes=MAX_TX_BYTES,
        txs=transactions,
        local_last_commit=commit,
        height=one.application.height + 1,
        time=stamp(START),
    )
    prepared = one.application.prepare_proposal(request).txs
    assert not [each for each in prepared if each in transactions], "none of it may enter"
    decided = Decided(one.application.height + 1, START, transactions, who)
    answer = one.finalize(decided)
    assert len(answer.tx_results) == len(transactions)
