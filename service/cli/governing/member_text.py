"""Members and proposals as commands print them."""

from typing import Any

from rich.console import Group
from rich.text import Text

from aeo.exchange.v1 import membership_service_pb2 as pb
from ledger.chain.governance import parse_proposal
from ledger.chain.parameters import parse_parameters
from ledger.wire import format_strict
from service.api.membership_summary import summarise_change
from service.cli.civil import format_instant
from service.cli.output import facts, table


def describe_member(member: pb.Member) -> dict[str, Any]:
    """A member as JSON has it."""
    return {
        "economy": member.economy,
        "name": member.name,
        "time_zone": member.time_zone,
        "prefixes": list(member.prefixes),
        "weight": member.weight,
        "key_id": member.key_id.hex(),
        "endpoint": member.endpoint,
        "state": member_state(member),
        "since": member.since,
        "old_key_seals": member.old_key_seals,
    }


def describe_proposal(proposal: pb.MemberProposal) -> dict[str, Any]:
    """A proposal as JSON has it; `change` is for people, `kind` names it."""
    return {
        "proposal_id": proposal.proposal_id.hex(),
        "proposer": proposal.proposer,
        "kind": str(proposal.proposal.WhichOneof("change")),
        "change": change_text(proposal),
        "state": proposal_state(proposal),
        "in_favour": list(proposal.in_favour),
        "against": list(proposal.against),
        "closes_at": proposal.proposal.closes_at,
        "height": proposal.height,
    }


def describe_network(listed: pb.MembershipServiceListResponse) -> dict[str, Any]:
    """Members, proposals and parameters as JSON has them."""
    return {
        "members": [describe_member(each) for each in listed.members],
        "proposals": [describe_proposal(each) for each in listed.proposals],
        "proposals_left_out": listed.proposals_left_out,
        "parameters": parse_parameters(listed.parameters)._asdict(),
        "set_pending": listed.set_pending,
        "height": listed.height,
    }


def network_text(listed: pb.MembershipServiceListResponse) -> Group:
    """The same for people."""
    members = [
        (
            each.economy,
            member_state(each).lower(),
            str(each.weight),
            " ".join(each.prefixes),
            each.key_id.hex() + (" (an older one seals)" if each.old_key_seals else ""),
            format_instant(each.since),
            each.name,
        )
        for each in listed.members
    ]
    parts: list[Any] = [
        table("economy", "state", "weight", "prefixes", "key", "since", "name", rows=members)
    ]
    if listed.set_pending:
        parts.append(Text("\nA signing set waits for its hand-over."))
    if listed.proposals:
        rows = [
            (
                each.proposal_id.hex(),
                proposal_state(each).lower(),
                each.proposer,
                " ".join(each.in_favour),
                " ".join(each.against),
                format_instant(each.proposal.closes_at),
                change_text(each),
            )
            for each in listed.proposals
        ]
        headings = ("proposal", "state", "by", "for", "against", "closes", "change")
        parts += [Text(), table(*headings, rows=rows)]
    if listed.proposals_left_out:
        parts.append(Text(f"\n{listed.proposals_left_out} more proposals do not fit here."))
    return Group(*parts)


def member_text(member: pb.Member) -> Any:
    """One member for people."""
    return facts(
        [
            ("economy", member.economy),
            ("name", member.name),
            ("state", member_state(member).lower()),
            ("member since", format_instant(member.since)),
            ("speaks for", ", ".join(member.prefixes)),
            ("weight", str(member.weight)),
            ("key in force", member.key_id.hex()),
            ("seals with", "an older key, until the hand-over" if member.old_key_seals else ""),
            ("time zone", member.time_zone),
            ("endpoint", member.endpoint),
        ]
    )


def proposal_text(proposal: pb.MemberProposal) -> Any:
    """One proposal for people."""
    return facts(
        [
            ("proposal", proposal.proposal_id.hex()),
            ("change", change_text(proposal)),
            ("by", proposal.proposer),
            ("state", proposal_state(proposal).lower()),
            ("for", ", ".join(proposal.in_favour)),
            ("against", ", ".join(proposal.against)),
            ("closes", format_instant(proposal.proposal.closes_at)),
        ]
    )


def change_text(proposal: pb.MemberProposal) -> str:
    """What a proposal would change, in a line."""
    return summarise_change(parse_proposal(format_strict(proposal.proposal)).change)


def member_state(member: pb.Member) -> str:
    """ACTIVE, SUSPENDED or REMOVED."""
    return pb.MemberState.Name(member.state).removeprefix("MEMBER_STATE_")


def proposal_state(proposal: pb.MemberProposal) -> str:
    """OPEN, ACCEPTED, REFUSED or CLOSED."""
    return pb.ProposalState.Name(proposal.state).removeprefix("PROPOSAL_STATE_")
