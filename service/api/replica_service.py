"""`ReplicaService`: an administration's replicas get its lookup keys and instructions.

Who holds the keys can test any trader number under them, so nobody gets them but callers of the
access role `replica`, whose certificates the administration's own authority issued, and each only
its own economy's. What it hands out is logged without a key: who, how many, and when.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final

import structlog

from aeo.exchange.v1 import replica_service_pb2 as pb
from ledger.hashing import HASH_BYTES
from service.api.caller import RIGHTS, Right
from service.api.failures import InvalidField
from service.api.hosted import hosted_member
from service.api.method import Call, Method, unary
from service.node.node import Node
from service.node.replica.keyring_file import KeyringContent

SERVICE: Final = "aeo.exchange.v1.ReplicaService"

_log = structlog.get_logger("aeo.keys")


class ReplicaServicer:
    """Reads the keyrings of one node."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def methods(self) -> Mapping[str, Method]:
        """What to register under `SERVICE`."""
        own = partial(unary, roles=RIGHTS[Right.HOLD_KEYS])
        return {"GetKeyring": own(self.get_keyring, pb.GetKeyringRequest)}

    def get_keyring(self, request: pb.GetKeyringRequest, call: Call) -> pb.GetKeyringResponse:
        """The caller's economy's keys and instructions, or only that it has them already."""
        if len(request.known_digest) not in {0, HASH_BYTES}:
            raise InvalidField("known_digest", f"has {HASH_BYTES} bytes, or none")
        member = hosted_member(self._node, call, "")
        content = KeyringContent(
            self._node.network_id,
            member.economy,
            {place: key.key for place, key in member.keyring.held().items()},
            self._node.instructions(member.economy),
        )
        response = pb.GetKeyringResponse(
            economy=content.economy, network_id=content.network_id, digest=content.digest
        )
        if request.known_digest == response.digest:
            return response
        for (arrangement_id, epoch), key in sorted(content.keys.items()):
            response.keys.add(arrangement_id=arrangement_id, epoch=epoch, key=key)
        response.instructions.update(content.instructions)
        _log.info(
            "a replica was given the lookup keys",
            economy=content.economy,
            name=call.caller.name,
            keys=len(content.keys),
        )
        return response
