"""Evidence of misbehaviour: two signed statements that exclude each other, checked without asking.

    Evidence (aeo.ledger.v1), at most 1 MiB: genesis, and
        fork    two headers of one height, each with its seal

Every member whose key is in both seals has signed two truths. The two headers may name different
signing sets; keys are compared, not places in a bitmap. The chain of trust of a set is the genesis
alone: this version knows no other set than the founders'. (A signature over another header of
one height is enough; the seals need not reach a third of the weight to be held against their
signers, but a seal that does not is not read as one.)

`tests/ledger/test_evidence.py` makes a fork and convicts its signers.
"""

from typing import Final

from aeo.ledger.v1 import evidence_pb2 as pb
from ledger.bls.scheme import BlsBackend
from ledger.chain.genesis import Genesis, parse_genesis
from ledger.chain.header import Header, header_hash, parse_header
from ledger.chain.seal import open_seal
from ledger.errors import CheckError, SignatureError
from ledger.wire import format_strict, parse_strict

EVIDENCE_LIMIT: Final = 1 << 20


def format_fork(
    genesis: bytes, header: bytes, seal: bytes, other_header: bytes, other_seal: bytes
) -> bytes:
    """Write the evidence that two sealed headers exclude each other."""
    return format_strict(
        pb.Evidence(
            genesis=genesis,
            fork=pb.Fork(
                header=header, seal=seal, other_header=other_header, other_seal=other_seal
            ),
        )
    )


def check_evidence(data: bytes, network_id: bytes, backend: BlsBackend) -> tuple[str, ...]:
    """Who has misbehaved: the economies that signed both statements, ascending; at least one.

    Raises `FormatError`, `SignatureError`, or `CheckError` for statements that agree.
    """
    evidence = parse_strict(pb.Evidence, data, EVIDENCE_LIMIT)
    genesis = parse_genesis(evidence.genesis)
    if genesis.network_id != network_id:
        raise CheckError("the evidence is of another network")
    fork = evidence.fork
    one, signers = _open(fork.header, fork.seal, genesis, backend)
    other, other_signers = _open(fork.other_header, fork.other_seal, genesis, backend)
    if one.height != other.height or one == other:
        raise CheckError("the two headers do not exclude each other")
    both = tuple(sorted(signers & other_signers))
    if not both:
        raise CheckError("no member signed both headers")
    return both


def _open(
    data: bytes, seal_bytes: bytes, genesis: Genesis, backend: BlsBackend
) -> tuple[Header, set[str]]:
    header = parse_header(data)
    if header.network_id != genesis.network_id:
        raise CheckError("a header of another network")
    if header.signing_set_hash != genesis.signing_set.hash:
        raise CheckError("a header of a later signing set, whose chain of trust is not given")
    seal = open_seal(seal_bytes, genesis.signing_set, genesis.network_id, backend)
    if seal.header_hash != header_hash(data):
        raise SignatureError("the seal is of another header")
    return header, set(seal.signers)
