r"""What a look-up's proof shows: a trader's whole history under one arrangement, or its absence.

Nothing here trusts the node. From one header whose seal was verified follow:

    history     the entries hash to the value that the header's map holds under (arrangement,
                issuer, subject): none was changed, none left out
    presence    the TIN and its mac hash to that subject: it is this trader's history
    absence     no value there; but that the *subject* is this trader's only who has the lookup key
                can tell: a node could show the absence of anybody. Without the key the result is
                `opened` False, never silence
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aeo.exchange.v1 import status_service_pb2 as exchange
from ledger.chain.header import Header
from ledger.chain.history import HistoryEntry, history_head
from ledger.chain.keys import subject_key
from ledger.customs.status import StatusRecord, parse_status
from ledger.customs.subject import LookupKey, key_context, subject_from_mac
from ledger.errors import FormatError, ProofError
from ledger.state.view import StatusEntry
from ledger.tree.map_proof import check_map_proof


@dataclass(frozen=True, slots=True)
class ProvedHistory:
    """A history that a header proves. `opened`: it was shown to be this TIN's."""

    arrangement_id: bytes
    issuer: str
    subject: bytes
    entries: tuple[StatusEntry, ...]
    opened: bool

    @property
    def present(self) -> bool:
        """Whether there is any record."""
        return bool(self.entries)


def check_subject_proof(
    proof: exchange.SubjectProof, header: Header, tin: str, key: LookupKey | None = None
) -> ProvedHistory:
    """Check one history, or absence, of canonical `tin` under a header that is trusted.

    `key`, where the caller holds it, is the arrangement's lookup key. Raises `FormatError` or
    `ProofError`.
    """
    history = check_history_proof(proof, header)
    return replace(history, opened=_is_of(proof, tin, history.present, key))


def check_history_proof(proof: exchange.SubjectProof, header: Header) -> ProvedHistory:
    """Check that a subject's history is whole, whoever it is; raises as `check_subject_proof`."""
    entries = read_history(proof.history, proof.issuer, proof.subject, header)
    value = history_head(entry for entry, _ in entries) if entries else None
    check_map_proof(
        header.map_root,
        subject_key(proof.arrangement_id, proof.issuer, proof.subject),
        value,
        proof.map_proof,
    )
    return ProvedHistory(
        proof.arrangement_id,
        proof.issuer,
        proof.subject,
        tuple(
            StatusEntry(entry.height, entry.time, entry.log_index, entry.position, record)
            for entry, record in entries
        ),
        opened=False,
    )


def read_history(
    entries: Sequence[exchange.HistoryEntry], issuer: str, subject: bytes, header: Header
) -> list[tuple[HistoryEntry, StatusRecord]]:
    """Read entries that are said to be one subject's, in ledger order and not after `header`.

    Raises `FormatError` for a record that is none, `ProofError` for one of somebody else.
    """
    read = []
    newest = (-1, -1)
    for shown in entries:
        record = parse_status(shown.record)
        if shown.time < 0 or shown.position > 0xFFFF:
            raise FormatError("a history's entry out of range")
        place = shown.log_index, shown.position
        if record.subject != subject:
            raise ProofError("a record of another subject in the history")
        if shown.author != issuer:
            raise ProofError(f"a record by {shown.author} among those of {issuer}")
        if place <= newest or shown.log_index >= header.log_size or shown.height > header.height:
            raise ProofError("a history out of the ledger's order")
        newest = place
        entry = HistoryEntry(
            shown.height, shown.time, *place, author=shown.author, record=shown.record
        )
        read.append((entry, record))
    return read


def _is_of(proof: exchange.SubjectProof, tin: str, present: bool, key: LookupKey | None) -> bool:
    """Whether it is shown that the subject is that of `tin`; raises `ProofError` if it is not."""
    if key is not None:
        if (key.arrangement_id, key.epoch) != (proof.arrangement_id, proof.epoch):
            raise ProofError("the lookup key is that of another arrangement or epoch")
        if key.subject(tin) != proof.subject:
            raise ProofError(f"under the lookup key, the subject shown is not that of {tin}")
        return True
    context = key_context(proof.arrangement_id, proof.epoch)
    if subject_from_mac(context, tin, proof.tin_mac) != proof.subject:
        raise ProofError(f"the mac shown does not open the subject as {tin}")
    # Nobody but a holder of the key can make a mac whose subject has a history; any mac at all
    # leads to some subject that has none.
    return present
