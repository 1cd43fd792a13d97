"""Whom a call acts for, and what its failures are called: shared by the servicers that write.

A caller acts for its own economy and no other, and only where this node hosts it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ledger.errors import FormatError
from service.api.failures import Denied, Expired, Full, Illegal, InvalidField, NotReady
from service.api.method import Call
from service.errors import EngineStopped, Overloaded
from service.node.arrangements.agreements import StepRefused, TooLate
from service.node.keys.delivery import NoLookupKey
from service.node.keys.keyring import WrongLookupKey
from service.node.node import HostedMember, Node
from service.node.publishing.submission import ConfirmationRequired

# How long a full queue takes to have room again.
RETRY_MS: Final = 500
# Where the caller gives no deadline, or one of hours.
LONGEST_WAIT_S: Final = 60.0


def hosted_member(node: Node, call: Call, economy: str) -> HostedMember:
    """The member that the caller acts for; raises `Denied`, or `Illegal` when not hosted here."""
    if economy and economy != call.caller.economy:
        raise Denied(
            "OTHER_ECONOMY", f"the caller is of {call.caller.economy} and cannot act for {economy}"
        )
    member = node.hosted.get(call.caller.economy)
    if member is None:
        raise Illegal("NOT_HOSTED", f"this node does not write for {call.caller.economy}")
    return member


def time_to_wait(call: Call) -> float:
    """Seconds that a call may wait for the ledger; raises `Expired` when none are left."""
    left = min(call.seconds_left(), LONGEST_WAIT_S)
    if left <= 0:
        raise Expired
    return left


@contextmanager
def failures(field: str) -> Iterator[None]:
    """Say what the node raises in the words of the interface; a FormatError is about `field`."""
    try:
        yield
    except FormatError as error:
        raise InvalidField(field, str(error)) from None
    except ConfirmationRequired as error:
        raise Denied("APPROVER_REQUIRED", str(error)) from None
    except StepRefused as error:
        raise Illegal(error.code, str(error)) from None
    except NoLookupKey as error:
        raise Illegal("LOOKUP_KEY_MISSING", str(error)) from None
    except WrongLookupKey as error:
        raise Illegal("LOOKUP_KEY_WRONG", str(error)) from None
    except Overloaded as error:
        raise Full(str(error), RETRY_MS) from None
    except TooLate:
        raise Expired from None
    except EngineStopped:
        # Why is for the log of the node; a caller can only come back.
        raise NotReady("the node cannot write now", reason="ENGINE_STOPPED") from None
