"""A new text for an arrangement, and the day from which a party takes part, for one member.

A start is one civil date. What goes on the ledger is the instant at which it begins for each party
of the text, itself included, in the time zone that the party registered.

>>> begins_on("2026-10-01", "Pacific/Auckland") - begins_on("2026-10-01", "Asia/Seoul")
-14400000
>>> begins_on("2026-09-06", "America/Santiago")     # a day without midnight: its first instant
1788667200000
>>> begins_on("1 October", "Asia/Seoul")
Traceback (most recent call last):
ledger.errors.FormatError: a start is a date like 2026-12-31
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aeo.ledger.v1 import arrangement_pb2 as pb
from ledger.customs.arrangement import (
    ArrangementHistory,
    amendment_signers,
    format_arrangement_text,
    parse_arrangement_text,
)
from ledger.errors import FormatError
from ledger.state.refusals import ARRANGEMENT_NOT_SIGNED, PARTY_UNKNOWN, START_NOT_STAGED
from ledger.state.state import State
from service.node.arrangements.agreements import Agreements, StepRefused


def amend(
    agreements: Agreements,
    state: State,
    arrangement: bytes,
    text: pb.ArrangementText,
    timeout: float,
) -> None:
    """Put a new text, without commitment, to all parties of both texts; they sign with `sign`.

    What waits already is not put again. Raises `FormatError`, `StepRefused` or `TooLate`.
    """
    history, data, without = check_amendment(agreements, state, arrangement, text)
    waiting, text_hash = history.amendment, parse_arrangement_text(data).text_hash
    if waiting is not None and (waiting.text.text_hash, waiting.entry.step.without) == (
        text_hash,
        without,
    ):
        return
    step = pb.ArrangementAmendment(arrangement_id=arrangement, text=data, without=without)
    agreements.step(pb.ArrangementStep(amend=step), timeout)


def check_amendment(
    agreements: Agreements, state: State, arrangement: bytes, text: pb.ArrangementText
) -> tuple[ArrangementHistory, bytes, tuple[str, ...]]:
    """The arrangement, the whole new text, and who leaves it without a signature.

    Raises `FormatError` or `StepRefused`, and changes nothing.
    """
    history = _signed(agreements, arrangement)
    if text.lookup_key_commitment:
        raise FormatError("the node fills in the commitment to the lookup key")
    whole = pb.ArrangementText()
    whole.CopyFrom(text)
    whole.lookup_key_commitment = history.text.lookup_key_commitment
    data = format_arrangement_text(whole)
    read = parse_arrangement_text(data)
    members = state.membership.members
    _, without = amendment_signers(history.text.parties, read.parties, members)
    return history, data, without


def start(
    agreements: Agreements, state: State, arrangement: bytes, day: str, timeout: float
) -> None:
    """Give notice that this member starts on a civil date. As `amend` raises."""
    step = check_start(agreements, state, arrangement, day)
    agreements.step(pb.ArrangementStep(start=step), timeout)


def check_start(
    agreements: Agreements, state: State, arrangement: bytes, day: str
) -> pb.StagedStart:
    """The notice; raises `FormatError` or `StepRefused`, and changes nothing."""
    history = _signed(agreements, arrangement)
    if not history.text.staged_starts:
        raise StepRefused(START_NOT_STAGED, "the text has no staged starts")
    step = pb.StagedStart(arrangement_id=arrangement)
    for party in history.text.parties:
        registered = state.membership.all.get(party)
        if registered is None:
            raise StepRefused(PARTY_UNKNOWN, f"{party} never was a member")
        begins = pb.StartFor(recognising=party)
        # `from` is a word of Python's own.
        setattr(begins, "from", begins_on(day, registered.registration.time_zone))
        step.starts.append(begins)
    return step


def begins_on(day: str, time_zone: str) -> int:
    """The instant (Unix ms) at which a civil date begins in a zone; raises `FormatError`."""
    try:
        named = date.fromisoformat(day)
    except ValueError:
        named = None
    if named is None or named.isoformat() != day:  # Python reads 20261231 too
        raise FormatError("a start is a date like 2026-12-31")
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise FormatError(f"{time_zone!r}, as registered, is not a time zone") from None
    begins = datetime(named.year, named.month, named.day, tzinfo=zone)
    return round(begins.timestamp() * 1000)


def _signed(agreements: Agreements, arrangement: bytes) -> ArrangementHistory:
    history = agreements.history(arrangement)
    if history.complete is None:
        raise StepRefused(ARRANGEMENT_NOT_SIGNED, "not every party has signed the arrangement")
    return history
