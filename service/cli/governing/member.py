"""`aeo member`: who belongs to the network, and how its members change that."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from aeo.exchange.v1 import membership_service_pb2 as pb
from aeo.ledger.v1 import governance_pb2
from ledger.bls.scheme import default_backend
from ledger.chain.parameters import format_parameters, parse_parameters
from ledger.chain.registration import open_registration
from ledger.errors import FormatError, SignatureError
from service.cli.civil import parse_moment
from service.cli.commands import JsonOption, examples, group
from service.cli.errors import InputRefused
from service.cli.governing.member_text import (
    describe_member,
    describe_network,
    describe_proposal,
    member_text,
    network_text,
    proposal_text,
)
from service.cli.output import show
from service.cli.profile import Profile, calls_node
from service.cli.publishing.pending import show_pending
from service.cli.publishing.publication import new_key
from service.client import MembershipClient, Pending

VOTING_DAYS: Final = 14
"""For votes where no closing time is given: every administration is open on some of them."""
_MINUTE: Final = 60_000
_DAY: Final = 24 * 60 * _MINUTE

app = group("See the members, propose and vote on changes, rotate keys.")

EconomyArgument: TypeAlias = Annotated[str, typer.Argument(help="The member's code.")]
ClosesOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--closes",
        help=f"Votes count until then: a date (UTC) or an instant. Default: {VOTING_DAYS} days.",
    ),
]


@app.command("list", epilog=examples("aeo member list --profile clients/NZ/auditor.toml"))
@calls_node
def list_(*, json: JsonOption = False, profile: Profile) -> None:
    """List everyone who ever was a member, and every proposal, the newest first."""
    with profile.connect() as connection:
        listed = MembershipClient(connection).list()
    show(describe_network(listed), lambda: network_text(listed), as_json=json)


@app.command("show", epilog=examples("aeo member show NZ --json"))
@calls_node
def show_(economy: EconomyArgument, *, json: JsonOption = False, profile: Profile) -> None:
    """Show one member."""
    with profile.connect() as connection:
        member = MembershipClient(connection).get(economy)
    found = describe_member(member) | {"registration": member.registration.hex()}
    show(found, lambda: member_text(member), as_json=json)


@app.command(
    epilog=examples(
        "aeo member admit --registration JP/registration.bin --profile clients/NZ/officer.toml"
    )
)
@calls_node
def admit(
    *,
    registration: Annotated[
        Path, typer.Option(help="The file that the applicant made with `aeo key register`.")
    ],
    closes: ClosesOption = None,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Propose to admit a member, or one that was suspended or removed, with new keys."""
    data = registration.read_bytes()
    try:
        open_registration(data, default_backend())
    except (FormatError, SignatureError) as error:
        raise InputRefused(
            f"{registration}: no registration that `aeo key register` made: {error}"
        ) from None
    _propose(governance_pb2.Proposal(admit=data), closes, profile, as_json=json)


@app.command(epilog=examples("aeo member suspend KR --profile clients/NZ/officer.toml"))
@calls_node
def suspend(
    economy: EconomyArgument,
    *,
    key_id: Annotated[
        str | None,
        typer.Option(help="The key that is not trusted any more; default: the one in force."),
    ] = None,
    closes: ClosesOption = None,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Propose to suspend a member whose key is compromised: nothing that it signs enters then."""
    if key_id is None:
        with profile.connect() as connection:
            key = MembershipClient(connection).get(economy).key_id
    else:
        key = _hex(key_id, 8, "key id")
    change = governance_pb2.MemberSuspension(economy=economy, key_id=key)
    _propose(governance_pb2.Proposal(suspend=change), closes, profile, as_json=json)


@app.command(epilog=examples("aeo member reinstate KR"))
@calls_node
def reinstate(
    economy: EconomyArgument,
    *,
    closes: ClosesOption = None,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Propose to trust a suspended member's key again."""
    _propose(governance_pb2.Proposal(reinstate=economy), closes, profile, as_json=json)


@app.command(epilog=examples("aeo member remove KR --closes 2027-01-31"))
@calls_node
def remove(
    economy: EconomyArgument,
    *,
    closes: ClosesOption = None,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Propose that a member leaves: it speaks for no prefix any more, and seals no more."""
    _propose(governance_pb2.Proposal(remove=economy), closes, profile, as_json=json)


@app.command(epilog=examples("aeo member weights NZ=2 AU=1", "aeo member weights"))
@calls_node
def weights(
    weight: Annotated[
        list[str] | None,
        typer.Argument(help="Weights like NZ=2; the others keep theirs. 0: no seal, no vote."),
    ] = None,
    *,
    closes: ClosesOption = None,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Propose new weights. Without any, the signing set takes up the keys in force."""
    members = [
        governance_pb2.MemberWeight(economy=economy, weight=number)
        for economy, number in sorted(_weights(weight or ()).items())
    ]
    change = governance_pb2.WeightChange(members=members)
    _propose(governance_pb2.Proposal(weights=change), closes, profile, as_json=json)


@app.command(
    epilog=examples("aeo member parameters --heartbeat-minutes 10 --staleness-minutes 120")
)
@calls_node
def parameters(
    *,
    heartbeat_minutes: Annotated[
        int | None, typer.Option(min=1, help="How often a silent member says that it is alive.")
    ] = None,
    staleness_minutes: Annotated[
        int | None,
        typer.Option(min=1, help="From when a status is stale where no arrangement says."),
    ] = None,
    trust_days: Annotated[
        int | None, typer.Option(min=1, help="From when an anchor is too old to start from.")
    ] = None,
    block_transactions: Annotated[
        int | None, typer.Option(min=1, help="Transactions of a block, at most.")
    ] = None,
    block_bytes: Annotated[
        int | None, typer.Option(min=1, help="Bytes of a block's transactions, at most.")
    ] = None,
    closes: ClosesOption = None,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Propose other rules of the network; what is not given stays."""
    given = {
        "heartbeat_interval": heartbeat_minutes and heartbeat_minutes * _MINUTE,
        "default_staleness_limit": staleness_minutes and staleness_minutes * _MINUTE,
        "trust_period": trust_days and trust_days * _DAY,
        "max_block_transactions": block_transactions,
        "max_block_bytes": block_bytes,
    }
    changed = {name: value for name, value in given.items() if value is not None}
    if not changed:
        raise InputRefused("name at least one parameter; see aeo member parameters --help")
    with profile.connect() as connection:
        now = parse_parameters(MembershipClient(connection).list().parameters)
    try:
        data = format_parameters(now._replace(**changed))
    except FormatError as error:
        raise InputRefused(str(error)) from None
    _propose(governance_pb2.Proposal(parameters=data), closes, profile, as_json=json)


@app.command(
    epilog=examples(
        "aeo member vote 5d41e0a7 --yes --profile clients/NZ/officer.toml",
        "aeo member vote 5d41e0a7 --no",
    )
)
@calls_node
def vote(
    proposal: Annotated[str, typer.Argument(help="The proposal's id, or its first digits.")],
    *,
    yes: Annotated[bool | None, typer.Option("--yes/--no", help="For it, or against it.")] = None,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Vote on a proposal, once. The vote that decides also makes the change."""
    if yes is None:
        raise InputRefused("say --yes or --no")
    with profile.connect() as connection:
        client = MembershipClient(connection)
        found = _find(proposal, client.list())
        made = client.vote(found, in_favour=yes)
    _tell(made, as_json=json)


@app.command(
    epilog=examples(
        "aeo member rotate --profile clients/NZ/officer.toml",
        "aeo member rotate --endpoint nz-node.example:7443",
    )
)
@calls_node
def rotate(
    *,
    endpoint: Annotated[
        str, typer.Option(help="Where partners reach the node from now on, host:port.")
    ] = "",
    authority: Annotated[
        Path | None,
        typer.Option(help="PEM of a new authority of your nodes' and clients' certificates."),
    ] = None,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Have your node make new keys and register them.

    The new key signs at once. It seals, and the old one is destroyed, once members have voted for a
    signing set that takes it up (aeo member weights).
    """
    der = b""
    if authority is not None:
        try:
            certificate = x509.load_pem_x509_certificate(authority.read_bytes())
        except ValueError:
            raise InputRefused(f"{authority}: not a certificate in PEM") from None
        der = certificate.public_bytes(Encoding.DER)
    with profile.connect() as connection:
        made = MembershipClient(connection).rotate_key(endpoint, der)
    if isinstance(made, Pending):
        show_pending(made.step, as_json=json)
        return
    show(describe_member(made), lambda: member_text(made), as_json=json)


def _propose(
    proposal: governance_pb2.Proposal, closes: str | None, profile: Profile, *, as_json: bool
) -> None:
    moment = (
        datetime.fromtimestamp(time.time(), UTC) + timedelta(days=VOTING_DAYS)
        if closes is None
        else parse_moment(closes)
    )
    if moment.timestamp() <= time.time():
        raise InputRefused(f"--closes {closes}: is over, so that nobody could vote")
    proposal.closes_at = round(moment.timestamp() * 1000)
    with profile.connect() as connection:
        made = MembershipClient(connection).propose(proposal, new_key())
    _tell(made, as_json=as_json)


def _tell(made: pb.MemberProposal | Pending[pb.MemberProposal], *, as_json: bool) -> None:
    if isinstance(made, Pending):
        show_pending(made.step, as_json=as_json)
        return
    show(describe_proposal(made), lambda: proposal_text(made), as_json=as_json)


def _find(text: str, listed: pb.MembershipServiceListResponse) -> bytes:
    digits = text.lower()
    found = [
        each.proposal_id
        for each in listed.proposals
        if len(digits) >= 4 and each.proposal_id.hex().startswith(digits)
    ]
    if len(found) != 1:
        raise InputRefused(
            f"{text!r} names {len(found) or 'no'} proposals: see `aeo member list`, use the id"
        )
    return found[0]


def _weights(given: Any) -> dict[str, int]:
    weights: dict[str, int] = {}
    for each in given:
        economy, equals, number = each.partition("=")
        if not equals or not number.isdecimal() or int(number) >= 1 << 31:
            raise InputRefused(f"{each!r} is not like NZ=2")
        if economy in weights:
            raise InputRefused(f"{economy} is there twice")
        weights[economy] = int(number)
    return weights


def _hex(text: str, size: int, what: str) -> bytes:
    try:
        data = bytes.fromhex(text)
    except ValueError:
        data = b""
    if len(data) != size:
        raise InputRefused(f"{text!r} is not a {what}: {2 * size} hex digits")
    return data
