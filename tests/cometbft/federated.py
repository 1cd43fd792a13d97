"""What officers do across the nodes of a network: each calls the node of its own administration."""

import time
from collections.abc import Sequence
from typing import TypeVar

from aeo.exchange.v1 import arrangement_service_pb2 as arrangements
from aeo.exchange.v1 import membership_service_pb2 as membership
from aeo.exchange.v1 import publishing_service_pb2 as publishing
from aeo.ledger.v1 import governance_pb2
from cometbft.network import Member, Network, wait_until
from ledger.chain.transaction import parse_transaction
from node.node_world import row, text_between
from service.client import (
    ApprovalClient,
    ArrangementClient,
    LedgerClient,
    MembershipClient,
    Pending,
    PublishingClient,
    Question,
    StatusClient,
    TrustFile,
    Verdict,
)

T = TypeVar("T")
HOUR = 3_600_000
DEADLINE_S = 60.0
RECORDED = publishing.PUBLICATION_STATE_RECORDED


def approved(member: Member, made: "T | Pending[T]") -> T:
    """A step that takes two, approved by the second person of the member."""
    if not isinstance(made, Pending):
        return made
    with member.client("approver", DEADLINE_S) as connection:
        return ApprovalClient(connection).complete(made)


def arrange(network: Network, *parties: str) -> bytes:
    """Propose at the first party's node, sign at each of the others': the arrangement's id."""
    proposer = network.member(parties[0])
    with proposer.client("officer", DEADLINE_S) as connection:
        made = ArrangementClient(connection).propose(text_between(*parties), "first")
    proposed = approved(proposer, made)
    for party in parties:
        member = network.member(party)
        wait_until(lambda m=member: knows(m, proposed), f"{party} knows the proposal")
        with member.client("officer", DEADLINE_S) as connection:
            step = ArrangementClient(connection).sign(proposed.arrangement_id, proposed.text_hash)
        approved(member, step)
    return bytes(proposed.arrangement_id)


def knows(member: Member, arrangement: arrangements.Arrangement) -> bool:
    """Whether a member's node has an arrangement."""
    with member.client("officer") as connection:
        known = [each.arrangement_id for each in ArrangementClient(connection).list()]
    return arrangement.arrangement_id in known


def publish(member: Member, arrangement: bytes, *tins: str) -> publishing.Publication:
    """Grant certificates; returns once they are in the log."""
    with member.client("officer", DEADLINE_S) as connection:
        client = PublishingClient(connection)
        rows = [publishing.Submission.FromString(row(tin).SerializeToString()) for tin in tins]
        answer = approved(member, client.publish(f"{tins[0]} and {len(tins)}", rows, [arrangement]))
        return recorded(client, answer.publication_id)


def suspend(member: Member, tin: str) -> publishing.Publication:
    """Suspend a trader; returns once it is in the log."""
    request = publishing.ChangeStatusRequest(
        idempotency_key=f"suspend {tin}", tin=tin, event=3, reason=1
    )
    with member.client("officer", DEADLINE_S) as connection:
        client = PublishingClient(connection)
        answer = approved(member, client.change_status(request))
        return recorded(client, answer.publication_id)


def recorded(client: PublishingClient, publication_id: str) -> publishing.Publication:
    """Follow a publication until all of it is in the log."""
    for publication in client.watch(publication_id):
        if publication.state >= RECORDED:
            return publication
    raise AssertionError("the publication ended before it was recorded")


def lookup(network: Network, asker: str, tin: str) -> Verdict:
    """Ask as a risk engine, and check the proof with the client."""
    member = network.member(asker)
    with StatusClient.open(
        member.address,
        member.tls("risk-engine"),
        TrustFile(member.folder / "anchor.json", network.genesis.network_id),
        deadline=DEADLINE_S,
    ) as client:
        return client.lookup(tin, function="EX", direction="IMPORT", mode=1, prove=True)


def receipt(network: Network, asker: str, tin: str) -> bytes:
    """A receipt about a trader."""
    member = network.member(asker)
    with StatusClient.open(
        member.address, member.tls("risk-engine"), deadline=DEADLINE_S
    ) as client:
        return client.receipt(Question(tin=tin, function="EX", direction="IMPORT", mode=1))


def decide(network: Network, proposer: str, change: governance_pb2.Proposal, *voters: str) -> None:
    """Propose at one node, vote at each voter's."""
    change.closes_at = int(time.time() * 1000) + HOUR
    member = network.member(proposer)
    with member.client("officer", DEADLINE_S) as connection:
        made = MembershipClient(connection).propose(change, f"change {change.closes_at}")
    proposal = approved(member, made)
    for economy in voters:
        voter = network.member(economy)
        wait_until(
            lambda v=voter: proposal.proposal_id in [p.proposal_id for p in listed(v).proposals],
            f"{economy} knows the proposal",
        )
        with voter.client("officer", DEADLINE_S) as connection:
            cast = MembershipClient(connection).vote(proposal.proposal_id, in_favour=True)
        approved(voter, cast)


def listed(member: Member) -> membership.MembershipServiceListResponse:
    """Members and proposals as a node has them."""
    with member.client("auditor") as connection:
        return MembershipClient(connection).list()


def handed_over(network: Network, members: Sequence[str]) -> None:
    """Wait until the pending set has taken over, and has sealed, at all these nodes."""
    for economy in members:
        member = network.member(economy)
        wait_until(
            lambda m=member: (
                not (known := listed(m)).set_pending
                and not any(each.old_key_seals for each in known.members)
            ),
            f"{economy} sees the hand-over\n{member.log_end()}",
        )


def authors(member: Member) -> list[str]:
    """The author of each transaction in the log, in order."""
    found = []
    with member.client("auditor") as connection:
        ledger = LedgerClient(connection)
        for index in range(member.header().log_size):
            data = ledger.inclusion_proof(index).transaction
            found.append(parse_transaction(data).body.author)
    return found
