"""A look-up's answer against its proof: does it answer the question, do the histories bear it out?

What disagrees raises `ledger.errors.CheckError`. What a proof of this kind cannot show is listed in
`Checked.unproved`, in words: it is never passed over.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from aeo.exchange.v1 import status_service_pb2 as exchange
from aeo.exchange.v1 import verdict_pb2 as pb
from aeo.ledger.v1 import status_pb2
from ledger.chain.anchor import MAX_CLOCK_LEAD, Anchor
from ledger.chain.header import Header
from ledger.customs.holding import Holding, holdings
from ledger.customs.subject import LookupKey
from ledger.customs.tin import parse_tin
from ledger.errors import ProofError, TinError
from ledger.state.view import StatusEntry
from service.client.proofs import ProvedHistory, check_history_proof, check_subject_proof
from service.client.trust import Trust, VerifiedHeader
from service.client.verdicts import Checked

_RENUMBERED: Final = status_pb2.PREDECESSOR_KIND_RENUMBERED
# Check 5 and those before it need no record; staleness may have covered either.
_BEFORE_RECORDS: Final = frozenset(
    {
        pb.REASON_TIN_MALFORMED,
        pb.REASON_ALIAS_UNKNOWN,
        pb.REASON_ALIAS_AMBIGUOUS,
        pb.REASON_KNOWN_AT_BEFORE_GENESIS,
        pb.REASON_ISSUER_UNKNOWN,
        pb.REASON_NO_ARRANGEMENT,
        pb.REASON_ARRANGEMENT_NOT_YET,
        pb.REASON_ARRANGEMENT_SUSPENDED,
        pb.REASON_ARRANGEMENT_ENDED,
        pb.REASON_DIRECTION_NOT_COVERED,
        pb.REASON_MODE_NOT_COVERED,
        pb.REASON_FUNCTION_NOT_COVERED,
        pb.REASON_LEDGER_STALE,
        pb.REASON_ISSUER_STALE,
    }
)
_HOLDS: Final = frozenset({pb.REASON_NONE, pb.REASON_NO_RECOGNITION})
_STATUS_OF: Final[Mapping[int, int]] = {
    pb.REASON_NOT_YET_VALID: pb.HELD_STATUS_NOT_YET_VALID,
    pb.REASON_ANNULLED: pb.HELD_STATUS_ANNULLED,
    pb.REASON_REVOKED: pb.HELD_STATUS_REVOKED,
    pb.REASON_WITHDRAWN: pb.HELD_STATUS_WITHDRAWN,
    pb.REASON_NOT_SHARED: pb.HELD_STATUS_NOT_SHARED,
    pb.REASON_EXPIRED: pb.HELD_STATUS_EXPIRED,
    pb.REASON_SUSPENDED: pb.HELD_STATUS_SUSPENDED,
}


class Asked(NamedTuple):
    """A question as it was sent: when (Unix ms, this client's clock), and the anchor by then."""

    request: exchange.LookupRequest
    sent: int
    anchor: Anchor


def check_lookup(
    asked: Asked,
    response: exchange.LookupResponse,
    trust: Trust,
    keys: Mapping[bytes, LookupKey],
    received: int,
) -> Checked:
    """Check one answer with its proof; `keys` are the lookup keys that this client was given.

    Raises `FormatError`, a `CheckError`, `Misbehaviour`, or a `ClientError` where the node does not
    show what is missing.
    """
    verdict, proof = response.verdict, response.proof
    header = trust.believe(proof.header, proof.seal, asked.anchor)
    unproved: list[str] = []
    _check_place(verdict, header)
    _check_question(asked, verdict, header.header, trust, received, unproved)
    subjects = list(proof.subjects)
    count = len(verdict.arrangements)
    if len(subjects) != count + bool(verdict.followed_subject):
        raise ProofError(f"{len(subjects)} histories are shown for {count} arrangements")
    histories = []
    for shown, listed in zip(subjects, verdict.arrangements, strict=False):
        if (shown.arrangement_id, shown.issuer) != (listed.arrangement_id, verdict.issuing_economy):
            raise ProofError("a history of another arrangement or issuer than the verdict's")
        key = keys.get(shown.arrangement_id)
        history = check_subject_proof(shown, header.header, verdict.tin, key)
        if not history.opened:
            name = history.arrangement_id.hex()
            unproved.append(
                f"that the trader is absent under arrangement {name}: a node can show the absence"
                " of anybody, and only the lookup key tells whose it is"
            )
        histories.append(history)
    if verdict.followed_subject:
        histories.append(_check_followed(subjects[-1], verdict, header, histories))
    if not count:
        unproved.append("that there is no arrangement, issuer or number to look under")
    _check_agreement(asked.request, verdict, histories, header, unproved)
    return Checked(
        header.header.height,
        header.header_hash,
        header.level,
        header.attested_time,
        tuple(histories),
        tuple(unproved),
    )


def _check_place(verdict: pb.Verdict, header: VerifiedHeader) -> None:
    said = verdict.height, verdict.header_hash
    if said != (header.header.height, header.header_hash):
        raise ProofError("the verdict is of another header than the one shown")
    if verdict.attested_time > header.attested_time:
        raise ProofError("the verdict claims to be fresher than its header's seal says")


def _check_question(
    asked: Asked,
    verdict: pb.Verdict,
    header: Header,
    trust: Trust,
    received: int,
    unproved: list[str],
) -> None:
    """Whether the verdict answers this question, about the right trader and the right time."""
    request = asked.request
    if request.recognising_economy not in {"", verdict.recognising_economy}:
        raise ProofError("the verdict is for another recognising economy")
    if request.HasField("as_of"):
        if verdict.as_of != request.as_of:
            raise ProofError("the verdict is as of another time than asked")
    elif not asked.sent - MAX_CLOCK_LEAD <= verdict.as_of <= received + MAX_CLOCK_LEAD:
        raise ProofError("the verdict is not as of now; check both clocks")
    if request.HasField("known_at_time"):
        known_at = request.known_at_time
    elif request.HasField("known_at_height") and request.known_at_height < header.height:
        # The time of that height's header; which it was, the heights of the entries decide.
        known_at = verdict.known_at
    else:
        known_at = header.time
    if verdict.known_at != known_at:
        raise ProofError("the verdict is by what was known at another time than asked")
    if request.WhichOneof("identifier") == "alias":
        unproved.append("that the alias leads to this trader")
        return
    _check_trader(request.tin, verdict, trust, unproved)


def _check_trader(text: str, verdict: pb.Verdict, trust: Trust, unproved: list[str]) -> None:
    """Whether the verdict is about the TIN asked about, and who speaks for it.

    Genesis says who spoke for a prefix at first. Votes may have changed that since, of which a
    look-up's proof shows nothing (a receipt's does).
    """
    founding = {prefix: f.economy for f in trust.genesis.founders for prefix in f.prefixes}
    issuer, prefix = verdict.issuing_economy, verdict.tin[:2]
    said = {prefix} if issuer else set[str]()
    tin = _canonical(text, founding)
    if verdict.tin != tin:
        if verdict.tin not in (_canonical(text, said), _canonical(text, said | founding.keys())):
            raise ProofError(f"the verdict is about {verdict.tin!r}, not about {tin!r}")
        unproved.append(f"that {text!r} is to be read as {verdict.tin}")
    sealing = {member.economy for member in trust.signing_set.members}
    stays = not trust.set_changes or issuer in sealing
    if issuer != founding.get(prefix, "") or (issuer and not stays):
        unproved.append(f"that {issuer or 'nobody'} speaks for {prefix}")


def _canonical(text: str, prefixes: Container[str]) -> str:
    try:
        return parse_tin(text, prefixes).canonical
    except TinError:
        return ""


def _check_followed(
    shown: exchange.SubjectProof,
    verdict: pb.Verdict,
    header: VerifiedHeader,
    histories: Sequence[ProvedHistory],
) -> ProvedHistory:
    """The new number's history: one of its records must name the old number."""
    said = shown.arrangement_id, shown.issuer, shown.subject
    if said != (verdict.arrangement_id, verdict.issuing_economy, verdict.followed_subject):
        raise ProofError("the history shown is not that of the number followed")
    old = next(each for each in histories if each.arrangement_id == verdict.arrangement_id)
    history = check_history_proof(shown, header.header)
    names = {
        entry.record.predecessor.subject
        for entry in history.entries
        if entry.record.predecessor is not None and entry.record.predecessor.kind == _RENUMBERED
    }
    if old.subject not in names:
        raise ProofError("the number followed does not name the one asked about")
    # Opened by that record: only the issuer could write it.
    return replace(history, opened=True)


def _check_agreement(
    request: exchange.LookupRequest,
    verdict: pb.Verdict,
    histories: Sequence[ProvedHistory],
    header: VerifiedHeader,
    unproved: list[str],
) -> None:
    """Whether each arrangement's reason, and the verdict's status, follow from the histories."""
    known_height = header.header.height
    by_height = request.HasField("known_at_height")
    if by_height:
        known_height = min(known_height, request.known_at_height)
    for listed, history in zip(verdict.arrangements, histories, strict=False):
        decides = listed.arrangement_id == verdict.arrangement_id
        shown = histories[-1] if decides and verdict.followed_subject else history
        entries = [
            entry
            for entry in shown.entries
            if entry.height <= known_height and (by_height or entry.time <= verdict.known_at)
        ]
        held = holdings(entries, verdict.as_of)
        if _bears_out(listed.reason, entries, held) and (not decides or _states(verdict, held)):
            continue
        name = listed.arrangement_id.hex()
        if decides:
            raise ProofError(f"the verdict does not follow from the history shown under {name}")
        # There a renumbering may have led on, whose history is not shown.
        unproved.append(f"what arrangement {name}, which did not decide, says for itself")


def _bears_out(reason: int, entries: Sequence[StatusEntry], held: Sequence[Holding]) -> bool:
    if reason in _BEFORE_RECORDS:
        return True
    if reason == pb.REASON_NO_RECORD or not entries:
        return (reason == pb.REASON_NO_RECORD) == (not entries)
    if reason in _STATUS_OF:
        return any(holding.status == _STATUS_OF[reason] for holding in held)
    if reason in _HOLDS:
        return any(_may_hold(holding) for holding in held)
    return True


def _may_hold(holding: Holding) -> bool:
    """CERTIFIED, or suspended only in part."""
    partly = holding.entry.record.terms.scope is not None
    return holding.status == pb.HELD_STATUS_CERTIFIED or (
        holding.status == pb.HELD_STATUS_SUSPENDED and partly
    )


def _states(verdict: pb.Verdict, held: Sequence[Holding]) -> bool:
    """Whether one of the certificates is the one that the verdict describes."""
    if not verdict.status:
        return True
    return any(
        verdict.level == holding.entry.record.terms.level
        and verdict.valid_from == holding.entry.record.valid_from
        and verdict.valid_to == holding.entry.record.valid_to
        and verdict.status == holding.status
        for holding in held
    )
