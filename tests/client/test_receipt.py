"""A receipt over the wire: got from a node, checked without one."""

from dataclasses import replace

import pytest

from client.conftest import Exchange
from ledger.audit.receipt import Checked, check_receipt
from ledger.chain.anchor import Anchor
from ledger.chain.header import header_hash
from ledger.errors import AnchorError, CheckError
from ledger_world import BACKEND
from service.client import Denied, Invalid, Question, StatusClient

ASK = Question("HK1", function="EX", direction="IMPORT", mode=1)


def check(exchange: Exchange, data: bytes, **given: object) -> Checked:
    given.setdefault("network_id", exchange.node.network_id)
    return check_receipt(data, now=exchange.clock.now_ms(), backend=BACKEND, **given)


@pytest.mark.parametrize(
    "question",
    [
        ASK,
        replace(ASK, tin="HK2"),
        replace(ASK, tin="SG1"),
        replace(ASK, tin="NZ1"),
        replace(ASK, known_at=3),
        replace(ASK, known_at=2),
        replace(ASK, tin="hk 1"),
    ],
)
def test_the_receipt_says_what_the_lookup_says(exchange: Exchange, question: Question):
    with exchange.engine() as client:
        checked = check(exchange, client.receipt(question))
        said = client.ask(question).message
    # NZ1 is nobody: absence alone needs the lookup key.
    assert checked.verified == (question.tin != "NZ1")
    assert checked.level == "sealed"
    assert (checked.verdict.outcome, checked.verdict.reason) == (said.outcome, said.reason)
    assert (checked.verdict.tin, checked.verdict.height) == (said.tin, said.height)


def test_absence_needs_the_lookup_key(exchange: Exchange):
    with exchange.engine() as client:
        data = client.receipt(replace(ASK, tin="HK404"))
    assert not check(exchange, data).verified
    keys = exchange.node.hosted["NZ"].keyring.keys()
    assert check(exchange, data, lookup_keys=keys).verified


def test_from_an_anchor(exchange: Exchange):
    anchor = Anchor(2, header_hash(exchange.node.ledger_store.header(2).header))
    with exchange.engine() as client:
        data = client.receipt(ASK, anchor_height=2)
        plain = client.receipt(ASK)
    assert check(exchange, data, network_id=None, anchor=anchor).verified
    with pytest.raises(AnchorError):
        check(exchange, plain, anchor=anchor)
    with pytest.raises(AnchorError):
        check(exchange, data, anchor=Anchor(2, bytes(32)))


def test_without_the_genesis(exchange: Exchange):
    with exchange.engine() as client:
        data = client.receipt(ASK, include_genesis=False)
        whole = client.receipt(ASK)
    genesis = exchange.node.genesis.data
    assert len(data) < len(whole) - len(genesis)
    assert check(exchange, data, genesis_bytes=genesis).verified
    with pytest.raises(CheckError):
        check(exchange, data)


def test_what_is_refused(exchange: Exchange):
    with exchange.engine() as client:
        with pytest.raises(Invalid, match="function"):
            client.receipt(replace(ASK, function=""))
        with pytest.raises(Invalid, match="anchor_height"):
            client.receipt(ASK, anchor_height=1 << 40)
        with pytest.raises(Denied):
            client.receipt(replace(ASK, recognising_economy="JP"))
    with StatusClient(exchange.connection("NZ", "agency")) as agency:
        with pytest.raises(Invalid, match="purpose"):
            agency.receipt(ASK)
        assert agency.receipt(replace(ASK, purpose="biosecurity"))
