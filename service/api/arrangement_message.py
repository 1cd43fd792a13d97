"""An arrangement as callers see it: its message, made from what the ledger says now."""

from collections.abc import Iterable

from aeo.exchange.v1 import arrangement_service_pb2 as pb
from aeo.ledger.v1.arrangement_pb2 import StartFor
from ledger.chain.keys import ARRANGEMENT_ID_BYTES
from ledger.customs.arrangement import ArrangementHistory, ArrangementText
from ledger.customs.arrangement_history import Signature
from ledger.customs.text_warnings import warnings_of
from service.api.failures import InvalidField, NotFound
from service.node.arrangements.view import view_arrangement
from service.node.node import Node


def find_history(node: Node, arrangement: bytes) -> ArrangementHistory:
    """The arrangement of that id; raises `InvalidField` or `NotFound`."""
    if len(arrangement) != ARRANGEMENT_ID_BYTES:
        raise InvalidField("arrangement_id", f"{ARRANGEMENT_ID_BYTES} bytes")
    history = node.state.arrangement(arrangement)
    if history is None:
        raise NotFound("ARRANGEMENT", f"no arrangement {arrangement.hex()}")
    return history


def describe_arrangement(node: Node, arrangement: bytes) -> pb.Arrangement:
    """Its texts, signatures, starts and epochs, and what it comes to now."""
    state = node.state
    history = find_history(node, arrangement)
    view = view_arrangement(state, history, node.clock.now_ms(), state.height)
    message = pb.Arrangement(
        arrangement_id=arrangement,
        text_bytes=view.text_bytes,
        text_hash=history.text.text_hash,
        text=view.text,
        state=view.state,
        proposer=history.proposed.author,
        signatures=_signatures(history.signatures),
        suspended_by=view.suspended_by,
        ended_from=view.ended_from,
        starts=_starts(history),
        epoch=history.epochs[-1].number,
    )
    amendment, waiting = history.amendment, history.waiting_epoch
    if amendment is not None:
        message.amendment_bytes = view.amendment_bytes
        message.amendment_hash = amendment.text.text_hash
        message.amendment_signatures.extend(_signatures(amendment.signatures))
    if waiting is not None:
        message.pending_epoch = waiting.number
        message.republished.extend(sorted(waiting.republished))
    return message


def warnings_in(text: ArrangementText) -> list[str]:
    """What the parties of a text should think twice about, for people."""
    return [str(each) for each in warnings_of(text)]


def _signatures(signatures: Iterable[Signature]) -> list[pb.PartySignature]:
    return [
        pb.PartySignature(economy=each.economy, time=each.time, height=each.height)
        for each in signatures
    ]


def _starts(history: ArrangementHistory) -> list[pb.PartyStart]:
    """What each party of the text has last named, ascending."""
    newest = {notice.economy: notice for notice in history.notices}
    return [
        pb.PartyStart(
            economy=party,
            starts=[
                StartFor(recognising=recognising, **{"from": instant})
                for recognising, instant in sorted(newest[party].days.items())
            ],
        )
        for party in history.text.parties
        if party in newest
    ]
