"""A party's node asks for the lookup key of an arrangement.

It is given to the nodes of parties alone (`service.node.keys.delivery`). A node that is no party
gets the same answer whether the key is here or not. Answered from memory, since whoever asks is
itself keeping somebody waiting.
"""

from aeo.exchange.v1 import arrangement_service_pb2 as pb
from ledger.chain.keys import ARRANGEMENT_ID_BYTES
from service.api.failures import Denied, Illegal, InvalidField, NotFound
from service.api.method import Call
from service.node.keys.delivery import key_holders
from service.node.node import Node


def fetch_lookup_key(
    node: Node, request: pb.ArrangementServiceFetchLookupKeyRequest, call: Call
) -> pb.ArrangementServiceFetchLookupKeyResponse:
    """The key of one epoch, as the member `economy` hosted here keeps it."""
    arrangement, caller = request.arrangement_id, call.caller.economy
    if len(arrangement) != ARRANGEMENT_ID_BYTES:
        raise InvalidField("arrangement_id", f"{ARRANGEMENT_ID_BYTES} bytes")
    if request.epoch < 1:
        raise InvalidField("epoch", "epochs count from 1")
    history = node.state.arrangement(arrangement)
    if history is None:
        raise NotFound("ARRANGEMENT", f"no arrangement {arrangement.hex()}")
    if caller not in key_holders(history):
        raise Denied("NOT_A_PARTY", f"{caller} is not a party of the arrangement")
    member = node.hosted.get(request.economy)
    if member is None:
        raise Illegal("NOT_HOSTED", f"this node does not keep keys for {request.economy}")
    key = member.keyring.key(arrangement, request.epoch)
    if key is None:
        raise Illegal("LOOKUP_KEY_MISSING", f"{request.economy} holds no key of that epoch")
    return pb.ArrangementServiceFetchLookupKeyResponse(key=key.key)
