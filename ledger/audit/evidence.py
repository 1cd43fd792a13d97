"""Evidence of misbehaviour: two signed statements that exclude each other, checked without asking.

    Evidence (aeo.ledger.v1), at most 1 MiB: genesis, and
        fork    two headers of one height, each with its seal

Every member whose key is in both seals has signed two truths. The two headers may name different
signing sets; keys are compared, not places in a bitmap. The chain of trust of a set is the genesis
alone: this version knows no other set than the founders'. (A signature over another header of
one height is enough; the seals need not reach a third of the weight to be held against their
signers, but a seal that does not is not read as one.)

>>> from dataclasses import replace
>>> from ledger.bls.scheme import default_backend
>>> from ledger.chain.header import format_header
>>> from ledger.chain.seal import aggregate_seal, sign_share
>>> from ledger.chain.signing_set import SigningMember
>>> backend, secrets = default_backend(), {"AU": 5, "JP": 6, "SG": 7}
>>> founders = SigningSet(tuple(
...     SigningMember(economy, 1, backend.public_key(secrets[economy])) for economy in secrets))
>>> network_id, root = b"n" * 32, b"r" * 32
>>> one = Header(network_id, 1, 2_000, b"0" * 32, root, 1, root, root, founders.hash)
>>> other = replace(one, map_root=b"another map".ljust(32))
>>> def sealed(header: Header, *signers: str) -> tuple[bytes, bytes]:
...     hashed = header_hash(format_header(header))
...     shares = {economy: sign_share(secrets[economy], backend, network_id, hashed, 2_000)
...               for economy in signers}
...     return format_header(header), aggregate_seal(founders, hashed, 2_000, shares, backend)
>>> fork = pb.Fork(**dict(zip(("header", "seal", "other_header", "other_seal"),
...                           sealed(one, "AU", "JP") + sealed(other, "JP", "SG"))))
>>> check_fork(fork, network_id, founders, backend)
('JP',)
"""

from typing import Final

from aeo.ledger.v1 import evidence_pb2 as pb
from ledger.bls.scheme import BlsBackend
from ledger.chain.genesis import parse_genesis
from ledger.chain.header import Header, header_hash, parse_header
from ledger.chain.seal import open_seal
from ledger.chain.signing_set import SigningSet
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
    return check_fork(evidence.fork, genesis.network_id, genesis.signing_set, backend)


def check_fork(
    fork: pb.Fork, network_id: bytes, founders: SigningSet, backend: BlsBackend
) -> tuple[str, ...]:
    """Who signed both headers of a fork under the set of the `founders`; as `check_evidence`."""
    one, signers = _open(fork.header, fork.seal, network_id, founders, backend)
    other, other_signers = _open(fork.other_header, fork.other_seal, network_id, founders, backend)
    if one.height != other.height or one == other:
        raise CheckError("the two headers do not exclude each other")
    both = tuple(sorted(signers & other_signers))
    if not both:
        raise CheckError("no member signed both headers")
    return both


def _open(
    data: bytes, seal_bytes: bytes, network_id: bytes, founders: SigningSet, backend: BlsBackend
) -> tuple[Header, set[str]]:
    header = parse_header(data)
    if header.network_id != network_id:
        raise CheckError("a header of another network")
    if header.signing_set_hash != founders.hash:
        raise CheckError("a header of a later signing set, whose chain of trust is not given")
    seal = open_seal(seal_bytes, founders, network_id, backend)
    if seal.header_hash != header_hash(data):
        raise SignatureError("the seal is of another header")
    return header, set(seal.signers)
