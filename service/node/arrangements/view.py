"""An arrangement as people see it: its texts with their exact bytes, and what it comes to now."""

from typing import NamedTuple

from aeo.exchange.v1 import arrangement_service_pb2 as exchange
from aeo.ledger.v1 import arrangement_pb2 as pb
from ledger.customs.arrangement import ArrangementEntry, ArrangementHistory
from ledger.state.state import State


class ArrangementView(NamedTuple):
    """An arrangement at one instant. `ended_from` is 0 while no end is known.

    `amendment_bytes` are empty while no new text waits.
    """

    history: ArrangementHistory
    text_bytes: bytes
    text: pb.ArrangementText
    state: exchange.ArrangementState
    suspended_by: list[str]
    ended_from: int
    amendment_bytes: bytes


def view_arrangement(
    known: State, history: ArrangementHistory, now: int, height: int
) -> ArrangementView:
    """What `history` comes to at `now` (Unix ms), known up to `height`.

    `known` is a state that has it. In operation is an arrangement of which some rule runs, in
    whatever direction.
    """
    text_bytes = read_text_bytes(known, history, history.text_entry)
    suspended_by = history.suspended_by(now, height)
    ended_from = min((end.instant for end in history.ends), default=0)
    rules = history.text.rules
    if history.complete is None:
        state = exchange.ARRANGEMENT_STATE_NEGOTIATING
    elif 0 < ended_from <= now:
        state = exchange.ARRANGEMENT_STATE_ENDED
    elif suspended_by:
        state = exchange.ARRANGEMENT_STATE_SUSPENDED
    elif any(history.runs(rule, now, height) for rule in rules):
        state = exchange.ARRANGEMENT_STATE_IN_OPERATION
    elif rules and all(0 < rule.end <= now for rule in rules):
        state = exchange.ARRANGEMENT_STATE_ENDED
    else:
        state = exchange.ARRANGEMENT_STATE_SIGNED
    text = pb.ArrangementText.FromString(text_bytes)
    amendment = b""
    if history.amendment is not None:
        amendment = read_text_bytes(known, history, history.amendment.entry)
    return ArrangementView(history, text_bytes, text, state, suspended_by, ended_from, amendment)


def read_text_bytes(known: State, history: ArrangementHistory, entry: ArrangementEntry) -> bytes:
    """The exact bytes of a text, from the step that proposed or amended it."""
    records = known.arrangements[history.arrangement_id].records
    (data,) = (each.record for each in records if each.log_index == entry.log_index)
    step = pb.ArrangementStep.FromString(data)
    return step.amend.text if entry.step.kind == "amend" else step.propose
