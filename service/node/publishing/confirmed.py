"""Which events take a second person (domain, *Who may do what*).

Alone in its module: the command line asks for it and needs nothing else of a node.
"""

from typing import Final

from aeo.ledger.v1 import status_pb2 as pb

CONFIRMED_EVENTS: Final = frozenset(
    {
        pb.EVENT_REVOKE,
        pb.EVENT_ANNUL,
        pb.EVENT_REVERSE,
        pb.EVENT_CORRECT,
        # It may state any status: else whoever ends sharing first could revoke, or lift a
        # revocation, alone.
        pb.EVENT_SHARE_AGAIN,
    }
)
