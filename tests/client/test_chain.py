"""Whole supply chains, through the client, the listener and the node."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from aeo.ledger.v1 import arrangement_pb2
from client.conftest import Exchange, begin, row
from node.node_world import text_between
from service.api.chains import MAX_PARTIES
from service.client import ArrangementClient, Denied, Invalid, PublishingClient, StatusClient
from service.client.chain import Chain, ChainParty
from service.client.verdicts import AliasOf

INFORMATION = arrangement_pb2.ARRANGEMENT_KIND_INFORMATION


def agree(made: Exchange, one: str, other: str, **text: object) -> bytes:
    return made.agree(text_between(one, other, **text), one + other)


def publish(made: Exchange, economy: str, shared: bytes, *rows: object) -> None:
    with made.connection(economy, "approver") as connection:
        client = PublishingClient(connection)
        answer = made.approved(economy, client.publish(f"{economy} {rows[0].tin}", rows, [shared]))
        assert not any(each.code for each in answer.rows), answer
        for step in client.watch(answer.publication_id):
            if step.state >= 5:
                return


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """HK and NZ as everywhere; NZ and SG need whole chains; HK only informs SG."""
    made = begin(tmp_path_factory.mktemp("chains"))
    made.whole = agree(made, "NZ", "SG", supply_chain_roles=["CB", "EX", "IM", "WH"])
    informed = agree(made, "HK", "SG", kind=INFORMATION, supply_chain_roles=["X-INFO"])
    publish(made, "NZ", made.shared, row("NZ1"))
    publish(made, "SG", made.whole, row("SG1"))
    publish(made, "HK", informed, row("HK9"))
    yield made
    made.stop()


def ask(made: Exchange, *parties: ChainParty, economy: str = "NZ", **given: object) -> Chain:
    with made.engine(economy) as client:
        return client.lookup_chain(parties, **{"direction": "IMPORT", "mode": 1, **given})


def test_every_party_is_answered_in_its_place(made: Exchange) -> None:
    chain = ask(
        made,
        ChainParty("EX", "HK1"),
        ChainParty("SE", " hk-2 "),
        ChainParty("CN", "NZ1"),
        ChainParty("CA"),
        ChainParty("CZ", "?"),
    )
    exporter, seller, consignee, carrier, malformed = chain.parties
    assert (exporter.reason, seller.reason, consignee.reason) == ("NONE", "SUSPENDED", "NONE")
    assert consignee.message.basis == 2  # HOME: issuer and recogniser are the same
    assert carrier is None
    assert malformed.reason == "TIN_MALFORMED"
    assert seller.tin == "HK2"
    summary = chain.message.summary
    assert (summary.parties, summary.certified, summary.recognised) == (5, 2, 2)
    assert summary.without_identifier == 1
    assert chain.share == 0.4
    assert not chain.whole_chain_certified
    assert chain.finality == "SEALED"
    assert len({party.height for party in chain.parties if party}) == 1


def test_each_verdict_is_that_of_a_single_question(made: Exchange) -> None:
    instant = datetime(2026, 1, 1, tzinfo=UTC)
    (verdict,) = ask(made, ChainParty("EX", "HK1"), as_of=instant).parties
    with made.engine() as client:
        alone = client.lookup("HK1", function="EX", direction="IMPORT", mode=1, as_of=instant)
    assert verdict.message == alone.message


def test_a_whole_chain(made: Exchange) -> None:
    chain = ask(made, ChainParty("EX", "HK1"), ChainParty("CN", "NZ1"))
    assert chain.share == 1.0
    assert chain.whole_chain_certified
    assert chain.whole_chain_recognised
    assert not chain.missing


def test_a_party_without_identifier_breaks_the_chain(made: Exchange) -> None:
    blank = ChainParty("CA", "  ")
    chain = ask(made, ChainParty("EX", "HK1"), blank)
    assert chain.parties[1] is None
    assert (chain.certified, chain.whole_chain_certified) == (1, False)


def test_roles_that_nobody_declared(made: Exchange) -> None:
    parties = (ChainParty("CZ", "SG1"), ChainParty("CN", "NZ1"), ChainParty("WH"))
    chain = ask(made, *parties)
    # CZ and CN stand for EX and IM; a warehouse was declared, though without a number.
    assert chain.missing == {"CB": (made.whole,)}
    complete = ask(made, ChainParty("SE", "SG1"), ChainParty("IM", "NZ1"))
    assert complete.share == 1.0
    assert list(complete.missing) == ["CB", "WH"]
    assert not complete.whole_chain_certified


def test_only_texts_in_force_from_a_party_s_issuer_are_asked(made: Exchange) -> None:
    assert not ask(made, ChainParty("EX", "HK1")).missing
    early = datetime(2018, 1, 1, tzinfo=UTC)
    before = ask(made, ChainParty("EX", "SG1"), as_of=early)
    assert (before.parties[0].reason, dict(before.missing)) == ("ARRANGEMENT_NOT_YET", {})
    unsigned = ask(made, ChainParty("EX", "SG1"), known_at=1)
    assert not unsigned.missing
    genesis = ask(made, ChainParty("EX", "SG1"), known_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert (genesis.parties[0].reason, dict(genesis.missing)) == ("KNOWN_AT_BEFORE_GENESIS", {})


def test_information_certifies_and_does_not_recognise(made: Exchange) -> None:
    chain = ask(made, ChainParty("EX", "HK9"), ChainParty("X-INFO"), economy="SG")
    assert (chain.message.summary.certified, chain.message.summary.recognised) == (1, 0)
    assert not chain.missing
    alone = ask(made, ChainParty("EX", "HK9"), economy="SG")
    assert list(alone.missing) == ["X-INFO"]


def test_a_suspended_arrangement_needs_no_roles(own_exchange: Exchange) -> None:
    whole = agree(own_exchange, "NZ", "SG", supply_chain_roles=["CB"])
    assert ask(own_exchange, ChainParty("EX", "SG1")).missing == {"CB": (whole,)}
    with own_exchange.connection("NZ", "approver") as connection:
        ArrangementClient(connection).suspend(whole)
    after = ask(own_exchange, ChainParty("EX", "SG1"))
    assert (after.parties[0].reason, dict(after.missing)) == ("ARRANGEMENT_SUSPENDED", {})


@pytest.mark.parametrize(
    ("party", "given", "field"),
    [
        (ChainParty("", "HK1"), {}, "parties[1].function"),
        (ChainParty("ex"), {}, "parties[1].function"),
        (ChainParty("EX", "x" * 1000), {}, "parties[1].tin"),
        (ChainParty("EX", alias=AliasOf("", "1")), {}, "parties[1].alias.scheme"),
        (ChainParty("EX", alias=AliasOf("EORI", " ")), {}, "parties[1].alias.value"),
        (ChainParty("EX", "HK1", level="\n"), {}, "parties[1].level"),
        (ChainParty("EX", "HK1", declared_name="x" * 1000), {}, "parties[1].declared_name"),
        (ChainParty("EX", "HK1"), {"mode": 9}, "transport_mode"),
        (ChainParty("EX", "HK1"), {"dispatch_economy": "nz"}, "dispatch_economy"),
        (ChainParty("EX", "HK1"), {"as_of": datetime(1969, 1, 1, tzinfo=UTC)}, "as_of"),
    ],
)
def test_a_faulty_field_is_named(
    made: Exchange, party: ChainParty, given: dict, field: str
) -> None:
    with pytest.raises(Invalid) as error:
        ask(made, ChainParty("EX", "HK1"), party, **given)
    assert error.value.field == field


def test_one_to_a_hundred_parties(made: Exchange) -> None:
    parties = [ChainParty("EX", f"HK{number}") for number in range(1, MAX_PARTIES + 1)]
    chain = ask(made, *parties)
    # HK1 and HK3; HK2 is suspended, and of the others nothing is known.
    assert (chain.message.summary.parties, chain.certified) == (MAX_PARTIES, 2)
    for wrong in ((), (*parties, parties[0])):
        with pytest.raises(Invalid) as error:
            ask(made, *wrong)
        assert error.value.field == "parties"


def test_only_for_one_s_own_economy_and_with_a_purpose(made: Exchange) -> None:
    exporter = ChainParty("EX", "HK1")
    for economy, recognising in (("KR", ""), ("NZ", "XX")):
        with pytest.raises(Denied):
            ask(made, exporter, economy=economy, recognising_economy=recognising)
    with made.connection("NZ", "agency") as connection:
        client = StatusClient(connection)
        given = {"direction": "IMPORT", "mode": 1}
        with pytest.raises(Invalid) as error:
            client.lookup_chain([exporter], **given)
        assert error.value.field == "purpose"
        assert client.lookup_chain([exporter], purpose="plant health", **given).certified == 1
