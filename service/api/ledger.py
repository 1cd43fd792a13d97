"""`LedgerService`: everything needed to check the chain without trusting this node.

Every proof is made under one state, read once per call. Nothing here decides anything: headers,
transactions and seals are passed on as they were stored.

A large block is sent as several `StreamBlocksResponse`s of one height, each with the header and the
next transactions, the seal with the last. A seal that comes later follows as one more message of
that height without transactions, and so does a better one of the newest header.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Protocol

from aeo.exchange.v1 import ledger_service_pb2 as pb
from ledger.chain.genesis import Genesis
from ledger.chain.signing_set import format_signing_sets
from ledger.state.state import State
from service.api.caller import RIGHTS, Right
from service.api.failures import InvalidField, NotFound
from service.api.method import Call, Kind, Method, Pool, unary
from service.engine.feed import BlockFeed
from service.node.governance.set_changes import SetChanges
from service.node.lookup.host import SealView
from service.store.ledger.ledger_store import LedgerStore, StoredBlock

SERVICE = "aeo.exchange.v1.LedgerService"

BLOCK_MESSAGE_BYTES = 4 << 20
"""Transactions of one message, at most: small enough for every client's default limit but gRPC's
own 4 MiB, which the client library raises."""
SEAL_WAIT_SECONDS = 1.0
"""How long a stream sleeps before it asks whether anybody still listens."""
HEIGHTS_AT_ONCE = 1_024
"""Blocks whose seals are read together."""


class KeptEvidence(Protocol):
    """What members signed that excludes each other."""

    def all(self) -> list[bytes]:
        """Exact bytes of `aeo.ledger.v1.Evidence`, the oldest first."""


class LedgerHost(Protocol):
    """Where a ledger lies that is read: a node, or a replica's view of one."""

    @property
    def network_id(self) -> bytes:
        """32 bytes."""

    @property
    def genesis(self) -> Genesis:
        """Of the network."""

    @property
    def state(self) -> State:
        """Everything known now; a value that stays as it is."""

    @property
    def newest_seal(self) -> SealView | None:
        """The newest seal that is at least attested; None before the first."""

    @property
    def hosted(self) -> Mapping[str, object]:
        """The members that it speaks for."""

    @property
    def ledger_store(self) -> LedgerStore:
        """The bytes behind the state."""

    @property
    def set_changes(self) -> SetChanges:
        """How trust passed on."""

    @property
    def evidence(self) -> KeptEvidence:
        """Of misbehaviour."""

    @property
    def feed(self) -> BlockFeed:
        """News of blocks and seals."""

    def seal_of(self, height: int) -> SealView:
        """The best seal of the header at `height`."""


class LedgerServicer:
    """Reads one ledger."""

    def __init__(self, host: LedgerHost) -> None:
        self._node = host

    def methods(self) -> Mapping[str, Method]:
        """What to register under `SERVICE`."""
        roles = RIGHTS[Right.READ_LEDGER]
        quick = partial(unary, roles=roles, pool=Pool.QUICK)
        methods = {
            "GetNetwork": quick(self.get_network, pb.GetNetworkRequest),
            "GetLatest": quick(self.get_latest, pb.GetLatestRequest),
            "GetHeader": quick(self.get_header, pb.GetHeaderRequest),
            "GetInclusionProof": quick(self.get_inclusion_proof, pb.GetInclusionProofRequest),
            "GetConsistencyProof": quick(self.get_consistency_proof, pb.GetConsistencyProofRequest),
            "GetStateProof": quick(self.get_state_proof, pb.GetStateProofRequest),
            "GetSeal": quick(self.get_seal, pb.GetSealRequest),
            "GetTrustChain": quick(self.get_trust_chain, pb.GetTrustChainRequest),
            "ListEvidence": quick(self.list_evidence, pb.ListEvidenceRequest),
        }
        methods["StreamBlocks"] = Method(
            Kind.SERVER_STREAM,
            self.stream_blocks,
            pb.StreamBlocksRequest.FromString,
            pb.StreamBlocksResponse.SerializeToString,
            roles,
        )
        return methods

    def get_network(self, _request: pb.GetNetworkRequest, _call: Call) -> pb.GetNetworkResponse:
        """The genesis, the sets that seal, and whom this node hosts."""
        node = self._node
        return pb.GetNetworkResponse(
            network_id=node.network_id,
            genesis=node.genesis.data,
            signing_sets=format_signing_sets(node.state.signing_sets),
            hosted=sorted(node.hosted),
        )

    def get_latest(self, request: pb.GetLatestRequest, _call: Call) -> pb.GetLatestResponse:
        """The newest header, its seal, and the proof that the caller's anchor is its ancestor."""
        state = self._node.state
        seal = self._node.seal_of(state.height)
        response = pb.GetLatestResponse(
            header=state.header_bytes, seal=seal.data, finality=seal.finality
        )
        if request.HasField("anchor_height"):
            response.ancestor_proof.extend(
                _ancestor_proof(state, request.anchor_height, state.height)
            )
        return response

    def get_header(self, request: pb.GetHeaderRequest, _call: Call) -> pb.GetHeaderResponse:
        """One header, its seal, and the proof of an ancestor."""
        state = self._node.state
        stored = self._node.ledger_store.header(_height(state, request.height))
        if stored is None:
            raise NotFound("NO_HEADER", f"there is no header {request.height}")
        seal = self._node.seal_of(request.height)
        response = pb.GetHeaderResponse(
            header=stored.header, seal=seal.data, finality=seal.finality
        )
        if request.HasField("anchor_height"):
            response.ancestor_proof.extend(
                _ancestor_proof(state, request.anchor_height, request.height)
            )
        return response

    def get_inclusion_proof(
        self, request: pb.GetInclusionProofRequest, _call: Call
    ) -> pb.GetInclusionProofResponse:
        """A transaction and its place in the log of a size (RFC 9162 section 2.1.3)."""
        state = self._node.state
        size = request.log_size or state.log_size
        if size > state.log_size:
            raise InvalidField("log_size", f"the log has {state.log_size} entries")
        if request.log_index >= size:
            raise NotFound("NO_ENTRY", f"there is no entry {request.log_index} in a log of {size}")
        (transaction,) = self._node.ledger_store.transactions(request.log_index, 1)
        return pb.GetInclusionProofResponse(
            transaction=transaction,
            proof=state.facts.log.prove_inclusion(request.log_index, size),
            log_size=size,
        )

    def get_consistency_proof(
        self, request: pb.GetConsistencyProofRequest, _call: Call
    ) -> pb.GetConsistencyProofResponse:
        """That the log of the old size is the beginning of the new (RFC 9162 section 2.1.4)."""
        state = self._node.state
        new = request.new_size or state.log_size
        if new > state.log_size:
            raise InvalidField("new_size", f"the log has {state.log_size} entries")
        if not 0 < request.old_size <= new:
            raise InvalidField("old_size", f"is from 1 to {new}")
        return pb.GetConsistencyProofResponse(
            proof=state.facts.log.prove_consistency(request.old_size, new), new_size=new
        )

    def get_state_proof(
        self, request: pb.GetStateProofRequest, _call: Call
    ) -> pb.GetStateProofResponse:
        """What the map of the newest header holds under a key, or that it holds nothing."""
        if len(request.key) != 32:
            raise InvalidField("key", f"has 32 bytes, not {len(request.key)}")
        state = self._node.state
        value = state.updates.get(state.map_version, request.key)
        return pb.GetStateProofResponse(
            header=state.header_bytes, value=value or b"", map_proof=state.prove(request.key)
        )

    def get_seal(self, request: pb.GetSealRequest, _call: Call) -> pb.GetSealResponse:
        """The best seal of one header; empty while it has none."""
        height = _height(self._node.state, request.height)
        seal = self._node.seal_of(height)
        return pb.GetSealResponse(seal=seal.data, finality=seal.finality)

    def get_trust_chain(
        self, request: pb.GetTrustChainRequest, _call: Call
    ) -> pb.GetTrustChainResponse:
        """The set changes from a set on, or all since the founders."""
        set_changes = self._node.set_changes
        wanted = request.signing_set_hash
        if len(wanted) not in (0, 32):
            raise InvalidField("signing_set_hash", f"has 32 bytes, not {len(wanted)}")
        changes = set_changes.from_set(wanted) if wanted else set_changes.all()
        if changes is None:
            raise NotFound("NO_SIGNING_SET", "no header was ever sealed by that set")
        return pb.GetTrustChainResponse(changes=[change.message() for change in changes])

    def list_evidence(
        self, _request: pb.ListEvidenceRequest, _call: Call
    ) -> pb.ListEvidenceResponse:
        """What members signed that excludes each other."""
        return pb.ListEvidenceResponse(evidence=self._node.evidence.all())

    def _at_base(self, height: int, base: int) -> pb.StreamBlocksResponse:
        """The header of the snapshot that this ledger began with, for whoever has its block."""
        stored = self._node.ledger_store.header(height)
        if height < base or stored is None:
            raise NotFound(
                "BEFORE_SNAPSHOT", f"this node's blocks begin after a snapshot of height {base}"
            )
        return pb.StreamBlocksResponse(header=stored.header, seal=self._node.seal_of(base).data)

    def stream_blocks(
        self, request: pb.StreamBlocksRequest, call: Call
    ) -> Iterator[pb.StreamBlocksResponse]:
        """Blocks from a height on, then new ones as they come, and seals that came later."""
        node, height = self._node, request.from_height
        base = node.ledger_store.base()
        if base is not None and height <= base.height:
            yield self._at_base(height, base.height)
            height += 1
        unsealed: dict[int, bytes] = {}
        told = b"", b""  # the newest header that was sent, and its seal
        while call.live():
            seen, newest = node.feed.version, node.state.height
            for start in range(height, newest + 1, HEIGHTS_AT_ONCE):
                last = min(start + HEIGHTS_AT_ONCE - 1, newest)
                seals = {seal.height: seal.seal for seal in node.ledger_store.seals(start, last)}
                for block in node.ledger_store.blocks(start, last):
                    seal = seals.get(block.height, b"")
                    yield from _messages(block, seal)
                    told = block.header, seal
                    if seal:
                        unsealed.clear()
                    else:
                        unsealed[block.height] = block.header
            height = max(height, newest + 1)
            for late, header in tuple(unsealed.items()):
                found = node.ledger_store.seal(late)
                if found is not None:
                    yield pb.StreamBlocksResponse(header=header, seal=found.seal)
                    if header == told[0]:
                        told = header, found.seal
                    # A seal stands for all that came before it.
                    unsealed = {above: h for above, h in unsealed.items() if above > late}
            if request.stop_at_latest or node.feed.closed:
                return
            better = node.newest_seal
            if told[1] and better and better.height == newest and better.data != told[1]:
                # More members have signed the newest header, or the same again at a later time.
                told = told[0], better.data
                yield pb.StreamBlocksResponse(header=told[0], seal=told[1])
            node.feed.wait(seen, SEAL_WAIT_SECONDS)


def _height(state: State, height: int) -> int:
    if height > state.height:
        raise NotFound("NO_HEADER", f"the newest header is {state.height}")
    return height


def _ancestor_proof(state: State, anchor_height: int, height: int) -> list[bytes]:
    """Empty for the header itself."""
    if anchor_height > height:
        raise InvalidField("anchor_height", f"is above the header's, {height}")
    if anchor_height == height:
        return []
    return state.facts.headers.prove_inclusion(anchor_height, height)


def _messages(block: StoredBlock, seal: bytes) -> Iterator[pb.StreamBlocksResponse]:
    """One block in as many messages as its size takes."""
    message = pb.StreamBlocksResponse(header=block.header)
    room = BLOCK_MESSAGE_BYTES
    for transaction in block.transactions:
        if len(transaction) > room:
            yield message
            message = pb.StreamBlocksResponse(header=block.header)
            room = BLOCK_MESSAGE_BYTES
        message.transactions.append(transaction)
        room -= len(transaction)
    message.seal = seal
    yield message
