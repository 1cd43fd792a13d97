"""Evidence of misbehaviour: two signed statements that exclude each other, checked without asking.

    Evidence (aeo.ledger.v1), at most 1 MiB: genesis, set_changes, and one of
        fork            two headers of one height, each with its seal
        double_number   two transactions of one author and key with one number

A fork convicts every member whose key is in both seals. The two headers may name different signing
sets; keys are compared, not places in a bitmap nor names. (A signature over another header of one
height is enough; but seals of at most a third of the weight are not read as seals.)

A double number convicts the author. Its key must be shown to be its own: as a founder's, by the
genesis; a later one as a member's of a signing set. A key that has been registered and was in no
signing set yet convicts nobody.

`set_changes` lead from the founders' set to every later one that is needed, and no further: so one
misdeed has not many forms.

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
>>> check_fork(fork, network_id, [founders], backend)
Judged(kind='fork', economies=('JP',), number=1)
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

from aeo.ledger.v1 import evidence_pb2 as pb
from ledger.bls.scheme import BlsBackend, key_id
from ledger.chain.genesis import Genesis, parse_genesis
from ledger.chain.header import Header, header_hash, parse_header
from ledger.chain.seal import open_seal
from ledger.chain.set_change import SetChange, check_set_changes, read_set_change
from ledger.chain.signing_set import SigningSet
from ledger.chain.transaction import check_transaction, parse_transaction
from ledger.errors import CheckError, FormatError, SignatureError
from ledger.wire import format_strict, parse_strict

EVIDENCE_LIMIT: Final = 1 << 20

Kind: TypeAlias = Literal["fork", "double number"]
FORK: Final[Kind] = "fork"
DOUBLE_NUMBER: Final[Kind] = "double number"


class Judged(NamedTuple):
    """What evidence proves: against whom, ascending, at least one.

    `number` is the height of the two headers, or the number of the two transactions.
    """

    kind: Kind
    economies: tuple[str, ...]
    number: int


def format_fork(
    genesis: bytes,
    header: bytes,
    seal: bytes,
    other_header: bytes,
    other_seal: bytes,
    set_changes: Iterable[SetChange] = (),
) -> bytes:
    """Write the evidence that two sealed headers exclude each other.

    `set_changes`: from the founders' set on, as far as either header needs. Raises `FormatError`.
    """
    return _format(
        pb.Evidence(
            genesis=genesis,
            fork=pb.Fork(
                header=header, seal=seal, other_header=other_header, other_seal=other_seal
            ),
            set_changes=[change.message() for change in set_changes],
        )
    )


def format_double_number(
    genesis: bytes, transaction: bytes, other: bytes, set_changes: Iterable[SetChange] = ()
) -> bytes:
    """Write the evidence that one author signed two transactions with one number.

    `set_changes`: from the founders' set to one that shows a key which is no founder's.
    """
    return _format(
        pb.Evidence(
            genesis=genesis,
            double_number=pb.DoubleNumber(transaction=transaction, other_transaction=other),
            set_changes=[change.message() for change in set_changes],
        )
    )


def check_evidence(data: bytes, network_id: bytes, backend: BlsBackend) -> tuple[str, ...]:
    """Who has misbehaved: the economies that signed both statements; as `judge_evidence`."""
    return judge_evidence(data, network_id, backend).economies


def judge_evidence(data: bytes, network_id: bytes, backend: BlsBackend) -> Judged:
    """What evidence proves, of which network only its id need be known.

    Raises `FormatError`, `SignatureError`, or `CheckError` for statements that agree, or of whom
    the evidence does not show who made them.
    """
    evidence = parse_strict(pb.Evidence, data, EVIDENCE_LIMIT)
    genesis = parse_genesis(evidence.genesis)
    if genesis.network_id != network_id:
        raise CheckError("the evidence is of another network")
    changes = [read_set_change(each) for each in evidence.set_changes]
    sets = check_set_changes(genesis.signing_set, changes, network_id, backend)
    if evidence.WhichOneof("kind") == "double_number":
        return _check_double_number(evidence.double_number, genesis, sets, backend)
    return check_fork(evidence.fork, network_id, sets, backend)


def check_fork(
    fork: pb.Fork, network_id: bytes, sets: Sequence[SigningSet], backend: BlsBackend
) -> Judged:
    """Who signed both headers of a fork; `sets` are those trusted, from the founders' on."""
    known = {each.hash: each for each in sets}
    one, keys = _open(fork.header, fork.seal, network_id, known, backend)
    other, other_keys = _open(fork.other_header, fork.other_seal, network_id, known, backend)
    if one.height != other.height or one == other:
        raise CheckError("the two headers do not exclude each other")
    _check_needed(sets, {one.signing_set_hash, other.signing_set_hash})
    both = tuple(sorted(keys[key] for key in keys.keys() & other_keys.keys()))
    if not both:
        raise CheckError("no member signed both headers")
    return Judged(FORK, both, one.height)


def _check_double_number(
    said: pb.DoubleNumber, genesis: Genesis, sets: Sequence[SigningSet], backend: BlsBackend
) -> Judged:
    one, other = parse_transaction(said.transaction), parse_transaction(said.other_transaction)
    names = [(each.body.author, each.body.key_id, each.body.sequence) for each in (one, other)]
    if names[0] != names[1] or one.body_bytes == other.body_bytes:
        raise CheckError("the two transactions do not exclude each other")
    author, own_id, sequence = names[0]
    key = _key_of(author, own_id, genesis, sets)
    for each in (one, other):
        check_transaction(each, genesis.network_id, key, backend)
    return Judged(DOUBLE_NUMBER, (author,), sequence)


def _key_of(author: str, own_id: bytes, genesis: Genesis, sets: Sequence[SigningSet]) -> bytes:
    """The public key of that id, which is shown to be the author's."""
    founders = {(founder.economy, founder.key_id): founder for founder in genesis.founders}
    founder = founders.get((author, own_id))
    if founder is not None:
        _check_needed(sets, {genesis.signing_set.hash})
        return founder.bls_public_key
    for each in sets:
        for member in each.members:
            if member.economy == author and key_id(member.key) == own_id:
                _check_needed(sets, {each.hash})
                return member.key
    raise CheckError(
        f"the evidence does not show that key {own_id.hex()} is {author}'s: it is no founder's, and"
        " in no signing set that is shown"
    )


def _check_needed(sets: Sequence[SigningSet], named: set[bytes]) -> None:
    """The last set is needed, and no shorter chain leads to it."""
    if sets[-1].hash not in named or sets[-1] in sets[:-1]:
        raise CheckError("the evidence shows more set changes than it needs")


def _open(
    data: bytes,
    seal_bytes: bytes,
    network_id: bytes,
    sets: dict[bytes, SigningSet],
    backend: BlsBackend,
) -> tuple[Header, dict[bytes, str]]:
    """A header, and the economies of the keys that sealed it."""
    header = parse_header(data)
    if header.network_id != network_id:
        raise CheckError("a header of another network")
    signing_set = sets.get(header.signing_set_hash)
    if signing_set is None:
        raise CheckError("a header of another signing set, whose chain of trust is not given")
    seal = open_seal(seal_bytes, signing_set, network_id, backend)
    if seal.header_hash != header_hash(data):
        raise SignatureError("the seal is of another header")
    signers = set(seal.signers)
    return header, {
        member.key: member.economy for member in signing_set.members if member.economy in signers
    }


def _format(evidence: pb.Evidence) -> bytes:
    data = format_strict(evidence)
    if len(data) > EVIDENCE_LIMIT:
        raise FormatError(f"evidence of {len(data)} bytes, at most {EVIDENCE_LIMIT}")
    return data
