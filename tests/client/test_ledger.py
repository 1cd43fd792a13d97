"""The ledger through the client: what a node shows leads to its headers, and an export verifies."""

import threading

import pytest

from client.conftest import Exchange, row
from ledger.audit.replay import verify_export
from ledger.chain.anchor import Anchor, check_descends
from ledger.chain.export import parse_export
from ledger.chain.header import header_hash, parse_header
from ledger.chain.keys import PARAMETERS_KEY, author_key, object_value, pair_key
from ledger.chain.seal import open_seal
from ledger.chain.signing_set import parse_signing_sets
from ledger.tree.log import leaf_hash
from ledger.tree.log_proof import check_consistency, check_inclusion
from ledger.tree.map_proof import check_map_proof
from ledger_world import BACKEND
from service.api import ledger as servicer
from service.client import Invalid, LedgerClient, NoSuchThing


def test_the_network(exchange: Exchange, ledger: LedgerClient):
    said = ledger.network()
    assert said.network_id == exchange.node.network_id
    assert said.genesis == exchange.node.genesis.data
    assert list(said.hosted) == ["HK", "NZ", "SG"]
    sets = parse_signing_sets(said.signing_sets)
    assert sets.current.hash == exchange.node.genesis.signing_set.hash


def test_every_header_descends_from_every_earlier_one(exchange: Exchange, ledger: LedgerClient):
    top = exchange.node.state.height
    headers = [ledger.header(height).header for height in range(top + 1)]
    for height in range(top + 1):
        for below in range(height + 1):
            shown = ledger.header(height, below)
            anchor = Anchor(below, header_hash(headers[below]))
            check_descends(anchor, parse_header(shown.header), shown.ancestor_proof)
    latest = ledger.latest(0)
    anchor = Anchor(0, header_hash(headers[0]))
    check_descends(anchor, parse_header(latest.header), latest.ancestor_proof)


def test_seals(exchange: Exchange, ledger: LedgerClient):
    height = exchange.node.state.height
    members = exchange.node.state.signing_sets.current
    value = open_seal(ledger.seal(height), members, exchange.node.network_id, BACKEND)
    assert value.header_hash == header_hash(ledger.header(height).header)
    assert value.level == "sealed"


def test_what_is_not_there(exchange: Exchange, ledger: LedgerClient):
    beyond = exchange.node.state.height + 1
    for call in (ledger.header, ledger.seal):
        with pytest.raises(NoSuchThing):
            call(beyond)
    with pytest.raises(Invalid) as error:
        ledger.header(0, 1)
    assert error.value.field == "anchor_height"
    with pytest.raises(NoSuchThing):
        ledger.inclusion_proof(10**6)
    for size, field in ((10**6, "log_size"),):
        with pytest.raises(Invalid) as error:
            ledger.inclusion_proof(0, size)
        assert error.value.field == field
    for old, new, field in ((0, 0, "old_size"), (1, 10**6, "new_size"), (3, 2, "old_size")):
        with pytest.raises(Invalid) as error:
            ledger.consistency_proof(old, new)
        assert error.value.field == field
    with pytest.raises(Invalid):
        ledger.state_proof(b"short")


def test_every_entry_is_in_the_log_of_every_size(exchange: Exchange, ledger: LedgerClient):
    state = exchange.node.state
    for size in range(1, state.log_size + 1):
        for log_index in range(size):
            said = ledger.inclusion_proof(log_index, size)
            root = state.facts.log.root_at(size)
            check_inclusion(leaf_hash(said.transaction), log_index, size, said.proof, root)
        check_consistency(
            size,
            state.log_size,
            state.facts.log.root_at(size),
            state.header.log_root,
            ledger.consistency_proof(size),
        )


def test_the_state_map_present_and_absent(exchange: Exchange, ledger: LedgerClient):
    parameters = ledger.state_proof(PARAMETERS_KEY)
    assert parameters.value == object_value(exchange.node.genesis.parameter_bytes)
    for key in (PARAMETERS_KEY, author_key("HK"), author_key("JP"), pair_key("HK", "NZ")):
        said = ledger.state_proof(key)
        root = parse_header(said.header).map_root
        check_map_proof(root, key, said.value or None, said.map_proof)
    assert not ledger.state_proof(author_key("JP")).value


def test_an_export_verifies_offline(exchange: Exchange, ledger: LedgerClient):
    data = b"".join(ledger.export())
    assert sum(1 for _ in parse_export([data]))
    steps = verify_export(
        [data],
        now=exchange.clock.now_ms(),
        backend=BACKEND,
        network_id=exchange.node.network_id,
    )
    *_, report = steps
    assert report.verified
    assert report.height == exchange.node.state.height


def test_a_stream_goes_on_with_new_blocks_and_their_seals(exchange: Exchange, ledger: LedgerClient):
    start = exchange.node.state.height + 1
    stream = ledger.blocks(start)
    publishing = threading.Thread(
        target=exchange.publish, args=("streamed", row("HK80"), row("HK81"))
    )
    publishing.start()
    sealed: set[int] = set()
    seen: list[int] = []
    while start not in sealed:
        message = next(stream)
        height = parse_header(message.header).height
        seen.append(height)
        if message.seal:
            sealed.add(height)
    publishing.join()
    stream.close()
    assert seen[0] == start


def test_a_large_block_comes_in_parts(
    exchange: Exchange, ledger: LedgerClient, monkeypatch: pytest.MonkeyPatch
):
    whole = list(ledger.blocks(0, stop_at_latest=True))
    exported = b"".join(ledger.export())
    monkeypatch.setattr(servicer, "BLOCK_MESSAGE_BYTES", 1)
    parts = list(ledger.blocks(0, stop_at_latest=True))
    assert len(parts) > len(whole)
    assert b"".join(ledger.export()) == exported
