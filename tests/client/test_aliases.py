"""Aliases published and looked up by: unknown, found, dated, shared by two, taken back."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from client.conftest import Exchange, row
from node.node_world import agree
from service.client import Conflict, Invalid, PublishingClient, StatusClient
from service.client.chain import ChainParty
from service.client.verdicts import AliasOf, Verdict

ASK = {"function": "EX", "direction": "IMPORT", "mode": 1}
NACCS, MID = "JP-NACCS", "US-MID"
# Later than the certificates begin to hold, which is when they are published.
BEGIN, END, LATER = 1_830_297_600_000, 1_861_920_000_000, 1_877_558_400_000  # 2028, 2029


def alias(tin: str, value: str, scheme: str = NACCS, **dates: object) -> publishing.AliasSubmission:
    return publishing.AliasSubmission(tin=tin, scheme=scheme, value=value, **dates)


def publish(
    made: Exchange,
    key: str,
    *aliases: publishing.AliasSubmission,
    economy: str = "HK",
    arrangement: bytes = b"",
) -> list[str]:
    """Publish and wait for the seal; the code of each row."""
    with made.connection(economy, "officer") as connection:
        client = PublishingClient(connection)
        answer = client.publish_aliases(key, aliases, [arrangement or made.shared])
        for step in client.watch(answer.publication_id):
            if step.state >= publishing.PUBLICATION_STATE_RECORDED:
                assert not step.refused, step
            if step.state >= publishing.PUBLICATION_STATE_SEALED or not step.records:
                break
        return [each.code for each in answer.rows]


@pytest.fixture
def engine(exchange: Exchange) -> Iterator[StatusClient]:
    with exchange.engine() as client:
        yield client


def ask(client: StatusClient, value: str, scheme: str = NACCS, **given: object) -> Verdict:
    return client.lookup(alias=AliasOf(scheme, value), **ASK, **given)


def test_unknown_then_found(exchange: Exchange, engine: StatusClient) -> None:
    value = "P4MY00000A01"
    assert ask(engine, value).reason == "ALIAS_UNKNOWN"
    assert publish(exchange, "found", alias("hk-1", f" {value} ")) == [""]
    verdict = ask(engine, value)
    assert verdict.recognised
    assert (verdict.issuing_economy, verdict.tin) == ("HK", "")
    direct = engine.lookup("HK1", **ASK)
    assert (verdict.status, verdict.level) == (direct.status, direct.level)
    # Another scheme is another alias; another value is nobody's.
    assert ask(engine, value, MID).reason == "ALIAS_UNKNOWN"
    assert ask(engine, "P4MY00000A02").reason == "ALIAS_UNKNOWN"
    # What the ledger said before the publication is still to be had.
    assert ask(engine, value, known_at=verdict.height - 1).reason == "ALIAS_UNKNOWN"


def test_one_trader_has_several(exchange: Exchange, engine: StatusClient) -> None:
    sites = [alias("HK1", f"HKEXA{number}HON", MID) for number in range(3)]
    assert publish(exchange, "sites", *sites) == ["", "", ""]
    assert all(ask(engine, each.value, MID).recognised for each in sites)


def test_dated(exchange: Exchange, engine: StatusClient) -> None:
    dates = {"valid_from": BEGIN, "valid_to": END}
    assert publish(exchange, "dated", alias("HK1", "D", "EORI", **dates)) == [""]

    def reason(instant: int) -> str:
        moment = datetime.fromtimestamp(instant / 1000, UTC)
        return ask(engine, "D", "EORI", as_of=moment).reason

    assert [reason(at) for at in (BEGIN - 1, END)] == ["ALIAS_UNKNOWN"] * 2
    assert [reason(at) for at in (BEGIN, END - 1)] == ["NONE"] * 2
    # The verdict holds for as long as the number leads there.
    inside = ask(engine, "D", "EORI", as_of=datetime(2028, 6, 1, tzinfo=UTC)).message
    assert (inside.holds_from, inside.holds_to) == (BEGIN, END)
    longer = alias("HK1", "D", "EORI", valid_from=BEGIN, valid_to=LATER)
    assert publish(exchange, "longer", longer) == [""]
    assert reason(END) == "NONE"


def test_a_code_that_two_share(exchange: Exchange, engine: StatusClient) -> None:
    """The published conversion to a NACCS code drops the serial of the site."""
    value = "P4MY12345000"
    assert publish(exchange, "one", alias("HK1", value)) == [""]
    alone = ask(engine, value)
    assert alone.recognised
    assert publish(exchange, "two", alias("HK3", value)) == [""]
    both = ask(engine, value)
    assert (both.outcome.value, both.reason) == ("UNDETERMINED", "ALIAS_AMBIGUOUS")
    assert not both.message.benefits
    assert ask(engine, value, known_at=alone.height).recognised
    (listed,) = engine.lookup_chain(
        [ChainParty("EX", alias=AliasOf(NACCS, value))], direction="IMPORT", mode=1
    ).parties
    assert listed.reason == "ALIAS_AMBIGUOUS"
    # Taken back from the second, it leads to the first again.
    again = alias("HK3", value, valid_from=BEGIN, valid_to=BEGIN)
    assert publish(exchange, "back", again) == [""]
    assert ask(engine, value).recognised


def test_two_in_one_request_and_one_after_the_other(
    exchange: Exchange, engine: StatusClient
) -> None:
    together = [alias("HK1", "T"), alias("HK3", "T")]
    assert publish(exchange, "together", *together) == ["", ""]
    assert ask(engine, "T").reason == "ALIAS_AMBIGUOUS"
    handed_on = [alias("HK1", "S", valid_to=END), alias("HK2", "S", valid_from=END)]
    assert publish(exchange, "handed on", *handed_on) == ["", ""]
    assert ask(engine, "S").recognised
    assert ask(engine, "S", as_of=datetime(2029, 1, 1, tzinfo=UTC)).reason == "SUSPENDED"  # HK2


def test_two_issuers_use_one_code(own_exchange: Exchange) -> None:
    other = agree(own_exchange.node, "SG", "NZ", key="second")
    assert publish(own_exchange, "hk", alias("HK1", "K", "KR-OPC")) == [""]
    with own_exchange.engine() as engine:
        assert ask(engine, "K", "KR-OPC").recognised
    assert publish(
        own_exchange, "sg", alias("SG1", "K", "KR-OPC"), economy="SG", arrangement=other
    ) == [""]
    with own_exchange.engine() as engine:
        assert ask(engine, "K", "KR-OPC").reason == "ALIAS_AMBIGUOUS"
    own_exchange.restart()
    with own_exchange.engine() as engine:
        assert ask(engine, "K", "KR-OPC").reason == "ALIAS_AMBIGUOUS"


def test_an_alias_without_a_record_says_so(exchange: Exchange, engine: StatusClient) -> None:
    assert publish(exchange, "early", alias("HK77", "E")) == [""]
    assert ask(engine, "E").reason == "NO_RECORD"
    exchange.publish("then", row("HK77"))
    assert ask(engine, "E").recognised


def test_bad_rows_leave_the_others(exchange: Exchange, engine: StatusClient) -> None:
    unknown = bytes(16)
    codes = publish(
        exchange,
        "rows",
        alias("?", "1"),
        alias("NZ1", "1"),
        alias("HK1", "1", ""),
        alias("HK1", "1", "us-mid"),
        alias("HK1", "1", "A" * 33),
        alias("HK1", "  "),
        alias("HK1", "x" * 257),
        alias("HK1", "1", valid_from=2, valid_to=1),
        alias("HK1", "1", valid_from=1 << 63),
        alias("HK1", "1", arrangement_ids=[unknown]),
        alias("HK1", "GOOD"),
    )
    assert codes == [
        *("TIN_MALFORMED", "TIN_NOT_OURS"),
        *("SCHEME_MALFORMED",) * 3,
        *("ALIAS_MALFORMED",) * 2,
        *("RECORD_MALFORMED",) * 2,
        *("ARRANGEMENT_UNKNOWN", ""),
    ]
    assert ask(engine, "GOOD").recognised


def test_what_the_ledger_says_is_not_said_again(exchange: Exchange) -> None:
    given = [alias("HK1", "AGAIN"), alias("HK3", "AGAIN", valid_from=BEGIN)]
    assert publish(exchange, "first", *given) == ["", ""]
    size = exchange.node.state.log_size
    assert publish(exchange, "second", *given) == ["ALIAS_UNCHANGED"] * 2
    assert exchange.node.state.log_size == size


def test_the_idempotency_key(exchange: Exchange) -> None:
    with exchange.connection("HK", "officer") as connection:
        client = PublishingClient(connection)
        first = client.publish_aliases("key", [alias("HK1", "I")], [exchange.shared])
        again = client.publish_aliases("key", [alias("HK1", "I")], [exchange.shared])
        assert (again.publication_id, again.repeated_request) == (first.publication_id, True)
        with pytest.raises(Conflict) as error:
            client.publish_aliases("key", [alias("HK1", "J")], [exchange.shared])
        assert error.value.reason == "IDEMPOTENCY_KEY_REUSED"


def test_what_the_ledger_holds_of_one(exchange: Exchange) -> None:
    both = [alias("HK1", "HELD", valid_from=BEGIN), alias("HK3", "HELD")]
    assert publish(exchange, "held", *both) == ["", ""]
    assert publish(exchange, "held on", alias("HK1", "HELD", valid_from=BEGIN, valid_to=END)) == [
        ""
    ]
    for economy, role in (("HK", "officer"), ("NZ", "auditor")):
        with exchange.connection(economy, role) as connection:
            entries = PublishingClient(connection).alias(NACCS, "HELD", ["HK1", "hk 2"])
        assert {(each.issuer, each.arrangement_id) for each in entries} == {("HK", exchange.shared)}
        said = [(each.tin, each.valid_from, each.valid_to, each.replaced) for each in entries]
        assert sorted(said[:2]) == [("", 0, 0, False), ("HK1", BEGIN, 0, True)]
        assert said[2:] == [("HK1", BEGIN, END, False)]
    with exchange.connection("SG", "officer") as connection:
        assert PublishingClient(connection).alias(NACCS, "HELD") == []
    with exchange.connection("HK", "officer") as connection:
        client = PublishingClient(connection)
        for given, field in (
            (("", "1", []), "scheme"),
            (("EORI", " ", []), "value"),
            (("EORI", "1", ["?"]), "tins"),
            (("EORI", "1", ["HK1"] * 3001), "tins"),
        ):
            with pytest.raises(Invalid) as error:
                client.alias(*given)
            assert error.value.field == field


@pytest.mark.parametrize(
    ("key", "aliases", "arrangements", "field"),
    [
        ("", [alias("HK1", "1")], [], "idempotency_key"),
        ("k", [], [], "aliases"),
        ("k", [alias("HK1", "1")] * 3001, [], "aliases"),
        ("k", [alias("HK1", "1")], [b"short"], "arrangement_ids"),
    ],
)
def test_a_request_that_is_none(
    exchange: Exchange, key: str, aliases: list, arrangements: list, field: str
) -> None:
    with exchange.connection("HK", "officer") as connection:
        with pytest.raises(Invalid) as error:
            PublishingClient(connection).publish_aliases(key, aliases, arrangements)
        assert error.value.field == field


def test_no_value_stands_on_the_ledger(exchange: Exchange) -> None:
    value = "HKSECRETVALUE7"
    assert publish(exchange, "keyed", alias("HK1", value)) == [""]
    folder = exchange.settings.ledger.parent
    for path in folder.rglob("*"):
        if path.is_file():
            assert value.encode() not in path.read_bytes(), path
