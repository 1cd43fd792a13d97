"""What a node shows to prove an answer: histories with their map proofs.

`service.client.proofs` checks each of them with nothing but a trusted header.
"""

from collections.abc import Iterator, Mapping, Sequence

from aeo.exchange.v1 import status_service_pb2 as pb
from ledger.chain.keys import subject_key
from ledger.customs.identify import open_key
from ledger.customs.subject import LookupKey
from ledger.state.state import State


def prove_lookup(
    state: State,
    issuer: str,
    tin: str,
    keys: Mapping[bytes, LookupKey],
    arrangements: Sequence[bytes],
    deciding: bytes,
    followed: bytes,
) -> Iterator[pb.SubjectProof]:
    """One proof for each arrangement in turn; then, where a renumbering led on, the new number's.

    The last has no mac: the proved history of `followed` itself names the number it came from.
    """
    for arrangement_id in arrangements:
        key = _key(state, keys, arrangement_id)
        tin_mac = key.tin_mac(tin)
        subject = key.subject_of(tin, tin_mac)
        proof = prove_subject(state, arrangement_id, issuer, subject)
        proof.tin_mac, proof.epoch = tin_mac, key.epoch
        yield proof
    if followed:
        proof = prove_subject(state, deciding, issuer, followed)
        proof.epoch = _key(state, keys, deciding).epoch
        yield proof


def _key(state: State, keys: Mapping[bytes, LookupKey], arrangement_id: bytes) -> LookupKey:
    """The key of the epoch in force at the state: that which the verdict was found with."""
    arrangement = state.arrangement(arrangement_id)
    assert arrangement is not None, "the verdict names it"
    return open_key(keys, arrangement, state.height)


def prove_subject(
    state: State, arrangement_id: bytes, issuer: str, subject: bytes
) -> pb.SubjectProof:
    """A subject's whole history under one arrangement with its map proof, or of its absence."""
    return pb.SubjectProof(
        arrangement_id=arrangement_id,
        issuer=issuer,
        subject=subject,
        history=history_entries(state, arrangement_id, issuer, subject),
        map_proof=state.prove(subject_key(arrangement_id, issuer, subject)),
    )


def history_entries(
    state: State, arrangement_id: bytes, issuer: str, subject: bytes
) -> Iterator[pb.HistoryEntry]:
    """The entries of one history, oldest first, with their exact bytes."""
    for log_index, position, record in state.subject_records(arrangement_id, issuer, subject):
        height, time = state.place_of(log_index)
        yield pb.HistoryEntry(
            height=height,
            time=time,
            log_index=log_index,
            position=position,
            author=issuer,
            record=record,
        )
