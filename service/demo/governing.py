"""The scene of governance: a key is rotated, the members take it up, and old proofs still hold."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from rich.console import Console

from aeo.exchange.v1 import membership_service_pb2 as pb
from aeo.ledger.v1 import governance_pb2
from ledger.audit.receipt import Checked, check_receipt
from ledger.bls.scheme import default_backend
from service.client import ApprovalClient, MembershipClient, Pending, StatusClient
from service.demo.questions import Asked
from service.demo.stage import Stage
from service.demo.telling import Unexpected
from service.keys.member_keys import BLS_FILE

T = TypeVar("T")

# The member whose key is replaced.
ROTATING: Final = "HK"
_HOUR_MS: Final = 3_600_000
_CALLERS: Final = 8
_HAND_OVER_SECONDS: Final = 20.0


def show_governance(stage: Stage, console: Console, asked: Asked) -> None:
    """Rotate, vote, hand over; a receipt about `asked` from before it is checked after it."""
    old = _receipt(stage, asked)
    before = _auditor(stage).get(ROTATING)
    rotated = _approved(stage, ROTATING, _officer(stage, ROTATING).rotate_key())
    console.print(
        f"\n[bold]{ROTATING} replaces its key[/] (an officer prepares it, an approver approves it):"
        f"\n  {before.key_id.hex()} is replaced by {rotated.key_id.hex()}, which signs from now on."
        "\n  The older one goes on sealing until the members take up the new one.",
        highlight=False,
    )
    began = time.monotonic()
    accepted = _decide(stage)
    taken_up = _await_hand_over(stage)
    console.print(
        f"  {len(accepted.in_favour)} of {len(taken_up.members)} members vote for the signing set "
        "with the new key, more than two thirds; the outgoing set seals\n  a header that shows "
        f"the incoming one, and hands over: {time.monotonic() - began:.1f} s in all. The older key "
        "is destroyed.",
        highlight=False,
    )
    new = _receipt(stage, asked)
    for which, data in (("from before", old), ("of now", new)):
        checked = _check(stage, data)
        console.print(
            f"  The receipt {which} ({len(data):,} bytes, header {checked.verdict.height}) is "
            "verified offline from the network id alone.",
            highlight=False,
        )


def _decide(stage: Stage) -> pb.MemberProposal:
    """Propose that the set takes up the keys in force; vote with just enough members."""
    listed = _auditor(stage).list()
    voting = [each.economy for each in listed.members if each.state == pb.MEMBER_STATE_ACTIVE]
    enough = voting[: 2 * len(voting) // 3 + 1]
    change = governance_pb2.Proposal(
        closes_at=int(time.time() * 1000) + _HOUR_MS, weights=governance_pb2.WeightChange()
    )
    made = _officer(stage, ROTATING).propose(change, "take up the keys in force")
    proposal_id = _approved(stage, ROTATING, made).proposal_id

    def vote(economy: str) -> None:
        cast = _officer(stage, economy).vote(proposal_id, in_favour=True)
        _approved(stage, economy, cast)

    with ThreadPoolExecutor(_CALLERS) as pool:
        list(pool.map(vote, enough))
    [proposal] = [
        each for each in _auditor(stage).list().proposals if each.proposal_id == proposal_id
    ]
    if proposal.state != pb.PROPOSAL_STATE_ACCEPTED:
        raise Unexpected(f"{len(enough)} of {len(voting)} votes did not pass the proposal")
    return proposal


def _await_hand_over(stage: Stage) -> pb.MembershipServiceListResponse:
    """Wait until the new set has sealed and the node has destroyed the key that it replaced."""
    replaced = stage.folder / "members" / ROTATING / BLS_FILE
    until = time.monotonic() + _HAND_OVER_SECONDS
    while time.monotonic() < until:
        listed = _auditor(stage).list()
        old_key_seals = any(each.old_key_seals for each in listed.members)
        if not listed.set_pending and not old_key_seals and not replaced.exists():
            return listed
        time.sleep(0.05)
    raise Unexpected("the signing set was not handed over")


def _receipt(stage: Stage, asked: Asked) -> bytes:
    return StatusClient(stage.connection(asked.by, "risk-engine")).receipt(asked.question())


def _check(stage: Stage, data: bytes) -> Checked:
    return check_receipt(
        data,
        now=int(time.time() * 1000),
        backend=default_backend(),
        network_id=bytes.fromhex(stage.network_id),
    )


def _auditor(stage: Stage) -> MembershipClient:
    return MembershipClient(stage.connection(ROTATING, "auditor"))


def _officer(stage: Stage, economy: str) -> MembershipClient:
    return MembershipClient(stage.connection(economy, "officer"))


def _approved(stage: Stage, economy: str, made: "T | Pending[T]") -> T:
    return ApprovalClient(stage.connection(economy, "approver")).complete(made)
