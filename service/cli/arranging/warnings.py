"""What to think twice about before a text is proposed: said on stderr, refusing nothing."""

from aeo.ledger.v1 import arrangement_pb2 as pb
from ledger.customs.arrangement import format_arrangement_text, parse_arrangement_text
from ledger.customs.text_warnings import TextWarning, warnings_of
from ledger.errors import FormatError
from ledger.hashing import HASH_BYTES
from service.cli.output import stderr


def warn(text: pb.ArrangementText) -> tuple[TextWarning, ...]:
    """Say what a text should be thought twice about; of one that no node takes, nothing."""
    complete = pb.ArrangementText()
    complete.CopyFrom(text)
    # The node makes the lookup key, and fills the commitment in.
    complete.lookup_key_commitment = bytes(HASH_BYTES)
    try:
        found = warnings_of(parse_arrangement_text(format_arrangement_text(complete)))
    except FormatError:
        return ()
    for warning in found:
        stderr().print(f"warning: {warning}", highlight=False)
    return found
