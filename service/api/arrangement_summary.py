"""What an approver is shown of a step of an arrangement.

>>> request = pb.ArrangementServiceProposeRequest()
>>> request.text.name, request.text.kind = "HK-NZ", text_pb.ARRANGEMENT_KIND_RECOGNITION
>>> request.text.parties.extend(["HK", "NZ"])
>>> summarise_proposal(request)
'propose HK-NZ: recognition between HK, NZ, 0 rules'
"""

from datetime import UTC, datetime
from typing import Any

from aeo.exchange.v1 import arrangement_service_pb2 as pb
from aeo.ledger.v1 import arrangement_pb2 as text_pb
from service.api.caller import Caller
from service.api.counted import counted


def always(_request: Any, _caller: Caller) -> bool:
    """Every request of the method takes two persons."""
    return True


def summarise_proposal(request: pb.ArrangementServiceProposeRequest) -> str:
    """The text in a line; its bytes are in the request."""
    text = request.text
    known = text.kind in text_pb.ArrangementKind.values()
    kind = text_pb.ArrangementKind.Name(text.kind) if known else "UNKNOWN"
    kind = kind.removeprefix("ARRANGEMENT_KIND_").lower()
    parties = ", ".join(text.parties)
    return f"propose {text.name}: {kind} between {parties}, {counted(len(text.rules), 'rule')}"


def summarise_signature(request: pb.ArrangementServiceSignRequest) -> str:
    """Which text is signed."""
    return f"sign arrangement {request.arrangement_id.hex()}, text {request.text_hash.hex()}"


def summarise_resumption(request: pb.ArrangementServiceResumeRequest) -> str:
    """Which arrangement, and from when."""
    return f"resume arrangement {request.arrangement_id.hex()}, {when(request.effective_from)}"


def summarise_end(request: pb.ArrangementServiceEndRequest) -> str:
    """Which arrangement, and from when."""
    return f"end arrangement {request.arrangement_id.hex()}, {when(request.effective_from)}"


def summarise_amendment(request: pb.ArrangementServiceAmendRequest) -> str:
    """The new text in a line."""
    parties, rules = ", ".join(request.text.parties), len(request.text.rules)
    return (
        f"amend arrangement {request.arrangement_id.hex()}: {request.text.name}, between "
        f"{parties}, {counted(rules, 'rule')}"
    )


def summarise_start(request: pb.ArrangementServiceStartRequest) -> str:
    """Which arrangement, and from which day."""
    return f"start arrangement {request.arrangement_id.hex()} on {request.date}"


def summarise_epoch(request: pb.ArrangementServiceOpenEpochRequest) -> str:
    """Whose key."""
    return f"make a new lookup key for arrangement {request.arrangement_id.hex()}"


def when(effective_from: int) -> str:
    """The instant, in words; 0 is at once."""
    if not effective_from:
        return "at once"
    try:
        moment = datetime.fromtimestamp(effective_from / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return f"from {effective_from} ms"
    return f"from {moment:%Y-%m-%d %H:%M} UTC"
