"""`aeo suspend` and its sisters: one event for a trader's certificates.

What the event does not change is taken by the node from each certificate's newest record. Unless
told otherwise a step reaches every certificate of the trader under every arrangement.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeAlias, cast

import typer

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from aeo.ledger.v1 import status_pb2 as status
from service.cli import exits
from service.cli.civil import parse_instant
from service.cli.commands import JsonOption, examples
from service.cli.errors import AnswerIsNo, InputRefused
from service.cli.governing.network_facts import NetworkFacts
from service.cli.output import facts, show
from service.cli.profile import Profile, calls_node
from service.cli.publishing.pending import show_pending
from service.cli.publishing.publication import describe, follow, new_key
from service.client import Pending, PublishingClient

_REASONS: Final = tuple(
    name.removeprefix("PUBLIC_REASON_") for name in status.PublicReason.keys()[1:]
)

TinArgument: TypeAlias = Annotated[str, typer.Argument(help="The trader's number.")]
CertificateOption: TypeAlias = Annotated[
    str | None, typer.Option(help="Only this certificate of the trader.")
]
ArrangementOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(help="Only under this arrangement, by name or id; repeat it for more."),
]
FromOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--from",
        help="When it takes effect: a date, which begins in your time zone, or an instant like "
        "2026-12-31T12:00+09:00. Default: now. At most 7 days back.",
    ),
]
ReasonOption: TypeAlias = Annotated[
    str | None,
    typer.Option(help=f"What may be said in public: {', '.join(_REASONS)}."),
]
WaitOption: TypeAlias = Annotated[
    bool, typer.Option("--wait/--no-wait", help="Wait until the ledger has every record.")
]


@dataclass(frozen=True, slots=True)
class _Given:
    """What every step can be told."""

    tin: str
    certificate: str | None
    arrangement: list[str] | None
    effective_from: str | None
    reason: str | None


def register(app: typer.Typer) -> None:
    """Add every step to the commands."""
    app.command(
        epilog=examples(
            "aeo suspend HK12345678 --reason AUTHORITY --profile clients/HK/officer.toml",
            "aeo suspend HK12345678 --role EX --until 2026-12-31 --lapses",
        )
    )(suspend)
    for name, event, help_text, example in _PLAIN:
        app.command(name, help=help_text, epilog=examples(example))(_plain(name, event))
    app.command(epilog=examples("aeo revoke HK12345678 --reapply-after 2029-12-31"))(revoke)


@calls_node
def suspend(
    tin: TinArgument,
    *,
    level: Annotated[
        list[str] | None, typer.Option(help="Suspend only this level; repeat it for more.")
    ] = None,
    role: Annotated[
        list[str] | None, typer.Option(help="Suspend only this role, such as EX, or CA/4 by air.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Its last day, as expected; a date, or an instant.")
    ] = None,
    lapses: Annotated[
        bool, typer.Option("--lapses", help="It ends then by itself, without a further record.")
    ] = False,
    certificate: CertificateOption = None,
    arrangement: ArrangementOption = None,
    effective_from: FromOption = None,
    reason: ReasonOption = None,
    wait: WaitOption = True,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Suspend a trader: until reinstated, partners no longer recognise it."""
    if lapses and until is None:
        raise InputRefused("--lapses needs --until")
    request = publishing.ChangeStatusRequest(event=status.EVENT_SUSPEND, lapses=lapses)
    if level or role:
        request.scope.levels.extend(sorted(set(level or ())))
        request.scope.roles.extend(_role(each) for each in sorted(set(role or ())))

    def dated(zone: str) -> None:
        if until is not None:
            request.effective_to = parse_instant(until, zone, last_day=True)

    given = _Given(tin, certificate, arrangement, effective_from, reason)
    _change(request, given, profile, dated, wait=wait, as_json=json)


@calls_node
def revoke(
    tin: TinArgument,
    *,
    reapply_after: Annotated[
        str | None, typer.Option(help="The day before which the holder may not apply again.")
    ] = None,
    certificate: CertificateOption = None,
    arrangement: ArrangementOption = None,
    effective_from: FromOption = None,
    reason: ReasonOption = None,
    wait: WaitOption = True,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Revoke a trader's certificates: an authority's decision. A second person approves it."""
    request = publishing.ChangeStatusRequest(event=status.EVENT_REVOKE)

    def dated(zone: str) -> None:
        if reapply_after is not None:
            request.reapply_after = parse_instant(reapply_after, zone)

    given = _Given(tin, certificate, arrangement, effective_from, reason)
    _change(request, given, profile, dated, wait=wait, as_json=json)


_PLAIN: Final = (
    (
        "reinstate",
        status.EVENT_REINSTATE,
        "Reinstate a suspended trader.",
        "aeo reinstate HK12345678 --profile clients/HK/officer.toml",
    ),
    (
        "withdraw",
        status.EVENT_WITHDRAW,
        "Record that the holder leaves the programme.",
        "aeo withdraw HK12345678 --reason HOLDER_REQUEST",
    ),
    (
        "annul",
        status.EVENT_ANNUL,
        "Annul a trader's certificates: void from the beginning. A second person approves it.",
        "aeo annul HK12345678 --certificate AEO-77 --profile clients/HK/officer.toml",
    ),
    (
        "end-sharing",
        status.EVENT_END_SHARING,
        "End sharing a trader with partners, because consent ended. Says nothing of its status.",
        "aeo end-sharing HK12345678 --arrangement HK-NZ",
    ),
)


def _plain(name: str, event: status.Event) -> Callable[..., None]:
    """The command of an event that takes no options of its own."""

    def step(
        tin: TinArgument,
        *,
        certificate: CertificateOption = None,
        arrangement: ArrangementOption = None,
        effective_from: FromOption = None,
        reason: ReasonOption = None,
        wait: WaitOption = True,
        json: JsonOption = False,
        profile: Profile,
    ) -> None:
        request = publishing.ChangeStatusRequest(event=event)
        given = _Given(tin, certificate, arrangement, effective_from, reason)
        _change(request, given, profile, lambda _: None, wait=wait, as_json=json)

    step.__name__ = name
    return calls_node(step)


def _change(
    request: publishing.ChangeStatusRequest,
    given: _Given,
    profile: Profile,
    dated: Callable[[str], None],
    *,
    wait: bool,
    as_json: bool,
) -> None:
    """Fill in what every step shares, take it, and follow it; `dated` reads dates in a zone."""
    request.idempotency_key = new_key()
    request.tin = given.tin
    request.certificate_number = given.certificate or ""
    if given.reason is not None:
        request.reason = _reason(given.reason)
    with profile.connect() as connection:
        network = NetworkFacts(connection, profile)
        zone = network.time_zone(profile.economy())
        dated(zone)
        if given.effective_from is not None:
            request.effective_from = parse_instant(given.effective_from, zone)
        request.arrangement_ids.extend(map(network.arrangement_id, given.arrangement or ()))
        client = PublishingClient(connection)
        response = client.change_status(request)
        if isinstance(response, Pending):
            event = status.Event.Name(request.event).removeprefix("EVENT_")
            show_pending(response.step, as_json=as_json, tin=given.tin, event=event)
            return
        for row in response.rows:
            if row.code:
                raise AnswerIsNo(f"{given.tin}: {row.message} ({row.code})")
        result: dict[str, Any] = {
            "tin": given.tin,
            "event": status.Event.Name(request.event).removeprefix("EVENT_"),
            "publication_id": response.publication_id,
            "prepared": response.prepared,
        }
        if wait:
            result |= describe(follow(client, response.publication_id))
    show(result, lambda: facts(_rows(result)), as_json=as_json)
    if result.get("refused"):
        raise typer.Exit(exits.NO)


def _rows(result: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [
        ("TIN", result["tin"]),
        ("event", result["event"]),
        ("records", str(result["prepared"])),
        ("publication", result["publication_id"]),
    ]
    if "state" in result:
        rows.append(("recorded", f"{result['recorded']} at height {result['height']}"))
        rows.append(("finality", result["finality"]))
        rows += [
            (f"refused under {each['arrangement_id']}", each["message"])
            for each in result["refused"]
        ]
    return rows


def _reason(text: str) -> status.PublicReason:
    if text.upper() not in _REASONS:
        raise InputRefused(f"{text} is none of {', '.join(_REASONS)}")
    return cast("status.PublicReason", status.PublicReason.Value(f"PUBLIC_REASON_{text.upper()}"))


def _role(text: str) -> status.CertifiedRole:
    code, slash, mode = text.partition("/")
    if slash and mode not in tuple("12345678"):
        raise InputRefused(f"{text}: a transport mode is 1 to 8")
    return status.CertifiedRole(code=code.upper(), mode=int(mode or 0))
