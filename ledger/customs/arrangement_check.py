"""Which step may follow in the life of an arrangement: one pure check.

    propose              by a party, all parties being members
    sign                 the text proposed, by each party once; of an arrangement that all have
                         signed: the amendment that waits, by each of whom it waits for
    suspend, resume, end once all have signed; each for itself, before the end, with notice
    amend                a text that differs, with the first text's lookup key; by a party, the new
                         parties being members. A later one takes the place of one that waits
    start                where the text is staged, a day for each party; no other day once it began
    open_epoch           the next number, while none waits
    republished          the number that waits, once by each party

A party may bring forward what it planned, never repeat it or put it off: a suspension, resumption
or end is refused where an earlier one of the same effect stands. Whoever was a party and is no
member any more is named in the amendment or epoch (`without`), else it is waited for; nobody who is
a member can be left out so. From the recorded time of an end on, nothing follows at all.

>>> amendment_signers(("KR", "SG", "TW"), ("JP", "KR", "TW"), members={"JP", "KR", "TW"})
(('JP', 'KR', 'TW'), ('SG',))
"""

from collections.abc import Collection, Container

from ledger.customs.arrangement_history import DAY, ArrangementHistory
from ledger.customs.arrangement_step import Step
from ledger.customs.staged_start import may_replace, newest_notice
from ledger.state import refusals


def amendment_signers(
    old: Collection[str], new: Collection[str], members: Container[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Who must sign an amendment, and who leaves without: no member any more, not in the new."""
    without = {party for party in old if party not in new and party not in members}
    return tuple(sorted({*old, *new} - without)), tuple(sorted(without))


def check_step(
    step: Step,
    history: ArrangementHistory | None,
    author: str,
    recorded_time: int,
    members: Container[str],
) -> str | None:
    """Return why `step` is refused, a code of `ledger.state.refusals`, or None.

    `history` is that of the arrangement named (None for a proposal or an unknown id); `members` are
    those at `recorded_time`.
    """
    if step.kind == "propose":
        assert step.text is not None, "parse_step reads it"
        if author not in step.text.parties:
            return refusals.NOT_A_PARTY
        known = all(party in members for party in step.text.parties)
        return None if known else refusals.PARTY_UNKNOWN
    if history is None:
        return refusals.ARRANGEMENT_UNKNOWN
    if step.kind == "sign":
        return _check_signature(step, history, author, recorded_time)
    if author not in history.text.parties:
        return refusals.NOT_A_PARTY
    if history.complete is None:
        return refusals.ARRANGEMENT_NOT_SIGNED
    end = min((end.instant for end in history.ends), default=None)
    instant = max(recorded_time, step.effective_from)
    if end is not None and end <= instant:
        return refusals.ARRANGEMENT_HAS_ENDED
    if step.kind == "end":
        too_soon = instant < recorded_time + history.text.notice_days * DAY
        return refusals.NOTICE_TOO_SHORT if too_soon else None
    if step.kind == "amend":
        return _check_amendment(step, history, members)
    if step.kind == "start":
        return _check_start(step, history, author, recorded_time)
    if step.kind == "open_epoch":
        return _check_epoch(step, history, members)
    if step.kind == "republished":
        return _check_republished(step, history, author)
    return _check_stop(step.kind == "suspend", instant, author, history)


def _check_signature(
    step: Step, history: ArrangementHistory, author: str, recorded_time: int
) -> str | None:
    amendment = history.amendment
    signers, text, signatures = history.text.parties, history.text, history.signatures
    if amendment is not None:
        signers, text, signatures = amendment.signers, amendment.text, amendment.signatures
    if author not in signers:
        return refusals.NOT_A_PARTY
    if step.text_hash != text.text_hash:
        return refusals.TEXT_DIFFERS
    if any(signature.economy == author for signature in signatures):
        return refusals.ALREADY_SIGNED
    if any(end.instant <= recorded_time for end in history.ends):
        return refusals.ARRANGEMENT_HAS_ENDED
    return None


def _check_amendment(
    step: Step, history: ArrangementHistory, members: Container[str]
) -> str | None:
    text, waiting = step.text, history.amendment
    assert text is not None, "parse_step reads it"
    if any(party not in members for party in text.parties):
        return refusals.PARTY_UNKNOWN
    for party in step.without:
        if party in members or party in text.parties or party not in history.text.parties:
            return refusals.MEMBER_LEFT_OUT
    if text.lookup_key_commitment != history.text.lookup_key_commitment:
        return refusals.AMENDMENT_KEY_DIFFERS
    same = text.text_hash == history.text.text_hash
    if waiting is not None and text.text_hash == waiting.text.text_hash:
        same = step.without == waiting.entry.step.without
    return refusals.AMENDMENT_UNCHANGED if same else None


def _check_start(
    step: Step, history: ArrangementHistory, author: str, recorded_time: int
) -> str | None:
    text = history.text
    if not text.staged_starts:
        return refusals.START_NOT_STAGED
    if tuple(start.recognising for start in step.starts) != text.parties:
        return refusals.START_INCOMPLETE
    earlier = newest_notice(history.notices, author, history.newest_height)
    if earlier is not None and not may_replace(earlier, step.starts, recorded_time):
        return refusals.START_HAS_BEGUN
    return None


def _check_epoch(step: Step, history: ArrangementHistory, members: Container[str]) -> str | None:
    if history.waiting_epoch is not None:
        return refusals.EPOCH_PENDING
    if step.epoch != history.epochs[-1].number + 1:
        return refusals.EPOCH_WRONG
    for party in step.without:
        if party in members or party not in history.text.parties:
            return refusals.MEMBER_LEFT_OUT
    return None


def _check_republished(step: Step, history: ArrangementHistory, author: str) -> str | None:
    waiting = history.waiting_epoch
    if waiting is None or step.epoch != waiting.number:
        return refusals.EPOCH_WRONG
    return refusals.ALREADY_REPUBLISHED if author in waiting.republished else None


def _check_stop(stops: bool, instant: int, author: str, history: ArrangementHistory) -> str | None:
    counting = history.stops_of(author, history.newest_height)
    if not counting:
        return None if stops else refusals.NOT_SUSPENDED
    newest = counting[-1]
    if newest.stops == stops and newest.instant <= instant:
        return refusals.ALREADY_SUSPENDED if stops else refusals.NOT_SUSPENDED
    return None
