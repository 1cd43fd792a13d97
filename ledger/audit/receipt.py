"""A receipt: one verdict to take away, with everything it rests on. `aeo.ledger.v1.Receipt`.

    genesis, anchor    where trust starts: the network id, or a header that the checker believes;
                       a checker who has the genesis may ask for a receipt without
    set_changes        how trust passed from the founders' set to the one that sealed the header
    header, seal       the position of the ledger, and when its members last said so
    question, now      what was asked, and when by the answering node's clock
    verdict            exact bytes
    facts              of the state map, each with its proof under the header's map root:
                       parameters, the prefix's speaker, all arrangements of the pair with their
                       whole histories, the trader's whole history or its absence under each that
                       covers the question, when the issuer was last heard of; for aliases and home
                       the pairs with every member
    openings           (TIN, tin_mac) for each arrangement: one trader opened without the key
    headers,           the past, for a question about what was known then
    transactions

At most 1 MiB, strict protobuf. `check_receipt` needs nothing else: it verifies genesis, the seal,
every proof, runs `evaluate` over what they show, and compares the verdict byte for byte. What the
rules ask for and is not shown, and what is shown and nobody asks for, are both refused. So no part
can be left out, added or exchanged without giving another true receipt or none.

What it could not check it says. A subject that is absent, and an alias, could be anybody's:
`Checked.unopened`, unless the checker holds the lookup key. `Checked.unproved` names what no
receipt can show. An anchor older than the trust period leaves it at *anchored too long ago*; a seal
by a set that the checker knows to be replaced, with no anchor that leads to it, at *sealed by a
replaced set*: replaced keys could have sealed another past, and at any time. From an anchor trust
passes on by the set that the anchor names, never by an earlier one.
`ledger.audit.receipt_proof` makes receipts.

>>> from ledger.bls.scheme import default_backend
>>> check_receipt(b"", now=0, backend=default_backend(), network_id=bytes(32))
Traceback (most recent call last):
ledger.errors.FormatError: a receipt of no bytes
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import DecodeError

from aeo.exchange.v1 import verdict_pb2
from aeo.ledger.v1 import receipt_pb2 as pb
from ledger.audit.receipt_facts import ShownFacts
from ledger.audit.receipt_keys import Openings, Unopened
from ledger.audit.receipt_past import ShownPast, open_earlier
from ledger.audit.receipt_question import read_question
from ledger.audit.receipt_view import ReceiptView
from ledger.audit.replay import ANCHORED, TOO_LONG_AGO
from ledger.bls.scheme import BlsBackend
from ledger.chain.anchor import MAX_CLOCK_LEAD, Anchor, check_attested_time, too_old
from ledger.chain.genesis import Genesis, check_genesis, parse_genesis
from ledger.chain.header import Header, header_hash, parse_header
from ledger.chain.seal import Level, SealValue, open_seal
from ledger.chain.set_change import check_set_changes, of_term, read_set_change
from ledger.chain.signing_set import SigningSet
from ledger.customs.evaluate import evaluate
from ledger.customs.profiles import StatedMatches
from ledger.customs.subject import LookupKey
from ledger.customs.verdict import Query, Times, Verdict, format_verdict
from ledger.errors import AnchorError, CheckError, FormatError, ProofError, SignatureError
from ledger.hashing import HASH_BYTES
from ledger.wire import format_strict, parse_strict

RECEIPT_LIMIT: Final = 1 << 20
# The rules of recognition that this code knows; by others no verdict can be compared.
KNOWN_RULES: Final = frozenset({1})
# Beside `ANCHORED` and `TOO_LONG_AGO`.
REPLACED: Final = "sealed by a replaced set"
_POSITIVE: Final[frozenset[int]] = frozenset(
    {verdict_pb2.OUTCOME_RECOGNISED, verdict_pb2.OUTCOME_INFORMATION_ONLY}
)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a receipt was found to show. Times are Unix milliseconds.

    `trust` is `ANCHORED`, `TOO_LONG_AGO` or `REPLACED`. `hand_overs`: from how many signing sets
    trust passed on, the founders' first. `unopened`: what only a lookup key can tell.
    `unproved`, in words: what no receipt can show. `records`: those of the trader that were read.
    """

    genesis: Genesis
    query: Query
    asked_at: int
    verdict: Verdict
    verdict_bytes: bytes
    header: Header
    header_hash: bytes
    level: Level
    attested_time: int
    hand_overs: int
    trust: str
    # Of the arrangements read.
    names: Mapping[bytes, str]
    records: int
    unopened: tuple[Unopened, ...]
    unproved: tuple[str, ...]

    @property
    def rests_on_unopened(self) -> bool:
        """Whether the verdict could be another if what is not opened were somebody else's.

        The best arrangement decides: one that recognises does, whatever is absent under others.
        """
        if self.verdict.outcome in _POSITIVE:
            return any(each.is_alias for each in self.unopened)
        return bool(self.unopened)

    @property
    def verified(self) -> bool:
        """Whether the verdict follows from a trusted header, about the very trader asked about."""
        return self.trust == ANCHORED and not self.rests_on_unopened


def format_receipt(receipt: pb.Receipt) -> bytes:
    """Write a receipt; raises `FormatError` for one that no reader accepts."""
    data = format_strict(receipt)
    if len(data) > RECEIPT_LIMIT:
        raise FormatError(f"a receipt of {len(data)} bytes, at most {RECEIPT_LIMIT}")
    return data


def parse_receipt(data: bytes) -> pb.Receipt:
    """Read a receipt, nothing of it checked but its form; or `FormatError`."""
    if not data:
        raise FormatError("a receipt of no bytes")
    return parse_strict(pb.Receipt, data, RECEIPT_LIMIT)


def check_receipt(
    data: bytes,
    *,
    now: int,
    backend: BlsBackend,
    network_id: bytes | None = None,
    anchor: Anchor | None = None,
    lookup_keys: Mapping[bytes, LookupKey] | None = None,
    genesis_bytes: bytes = b"",
    replaced: Container[bytes] = (),
) -> Checked:
    """Check a receipt at `now`, the checker's clock, from a network id or an anchor given by hand.

    `lookup_keys`, by arrangement id, let it check absence and aliases too; `genesis_bytes` are for
    a receipt without them; `replaced` holds the hashes of signing sets that the checker knows to be
    replaced. Raises `FormatError`, or a `CheckError` that says what does not hold;
    `KeyringError` for a lookup key that is not the arrangement's.
    """
    if network_id is None and anchor is None:
        raise AnchorError("there is nothing to start from: give the network id or an anchor")
    receipt = parse_receipt(data)
    if not receipt.genesis and not genesis_bytes:
        raise AnchorError("the receipt comes without the network's genesis: give it")
    genesis = parse_genesis(receipt.genesis or genesis_bytes)
    if network_id not in (None, genesis.network_id):
        raise AnchorError("the receipt is of another network")
    sets = _sets(receipt, genesis, backend)
    header, seal = _open_header(receipt, sets[-1], genesis.network_id, now, backend)
    start = open_earlier(receipt.anchor, header) if receipt.HasField("anchor") else header
    if anchor is not None:
        _check_anchor(anchor, receipt, start, header, sets)

    facts = ShownFacts(receipt.facts, header.map_root)
    past = ShownPast(header, receipt.headers, receipt.transactions)
    view = ReceiptView(genesis, sets, header, seal.header_hash, facts, past)
    if receipt.rules_version != view.rules_version or view.rules_version not in KNOWN_RULES:
        raise CheckError(f"the rules of version {receipt.rules_version} are not known or in force")
    if not header.time - MAX_CLOCK_LEAD <= receipt.now <= now + MAX_CLOCK_LEAD:
        raise CheckError("the receipt was asked for before its header, or is yet to be")

    query = read_question(receipt.question)
    keyring = Openings(receipt.openings, lookup_keys or {}, view)
    verdict = evaluate(
        query,
        view,
        keyring,
        StatedMatches(_profiles(receipt)),
        _instructions(receipt.verdict),
        Times(receipt.now, seal.attested_time),
    )
    if format_verdict(verdict) != receipt.verdict:
        raise CheckError("the verdict does not follow from what the receipt shows")
    keyring.check(verdict.tin, query.alias)
    unopened = keyring.unopened(verdict.issuing_economy)
    facts.check_all_asked()
    past.check_all_needed()
    if any(profile.commitment not in view.commitments for profile in receipt.profiles):
        raise ProofError("nothing rests on a profile that the receipt names")
    # The dearest check comes last: two pairings for each founder.
    check_genesis(genesis, backend)
    trust = ANCHORED
    if anchor is not None and too_old(_time_of(anchor, start, header), now, view.trust_period):
        trust = TOO_LONG_AGO
    if anchor is None and header.signing_set_hash in replaced:
        # From an anchor trust has passed on to this set: it has come back since.
        trust = REPLACED
    return Checked(
        genesis,
        query,
        receipt.now,
        verdict,
        receipt.verdict,
        header,
        seal.header_hash,
        seal.level,
        seal.attested_time,
        len(sets) - 1,
        trust,
        view.names,
        facts.records,
        tuple(unopened),
        tuple(_unproved(receipt, query, verdict, traders=facts.traders)),
    )


def _sets(receipt: pb.Receipt, genesis: Genesis, backend: BlsBackend) -> list[SigningSet]:
    """The signing sets through which trust passes, from the founders' on."""
    changes = [read_set_change(each) for each in receipt.set_changes]
    return check_set_changes(genesis.signing_set, changes, genesis.network_id, backend)


def _open_header(
    receipt: pb.Receipt,
    signing_set: SigningSet,
    network_id: bytes,
    now: int,
    backend: BlsBackend,
) -> tuple[Header, SealValue]:
    """The header, sealed by the set to which the set changes lead."""
    header = parse_header(receipt.header)
    if header.network_id != network_id:
        raise AnchorError("a header of another network")
    if header.signing_set_hash != signing_set.hash:
        raise AnchorError("the set changes do not lead to the signing set that the header names")
    if receipt.set_changes and parse_header(receipt.set_changes[-1].header).height >= header.height:
        raise AnchorError("the header is not later than the hand-over to the set that it names")
    seal = open_seal(receipt.seal, signing_set, network_id, backend)
    if seal.header_hash != header_hash(receipt.header):
        raise SignatureError("the seal is of another header")
    if seal.attested_time < header.time:
        raise SignatureError("the header was sealed before its time")
    check_attested_time(seal.attested_time, now)
    return header, seal


def _check_anchor(
    anchor: Anchor,
    receipt: pb.Receipt,
    start: Header,
    header: Header,
    sets: Sequence[SigningSet],
) -> None:
    """The checker's anchor is the receipt's, or its own header."""
    shown = {header.height: receipt.header}
    if start is not header:
        shown[start.height] = receipt.anchor.header
    if anchor.height not in shown:
        raise AnchorError(
            f"the receipt shows no way from the anchor at height {anchor.height}:"
            f" it starts at height {start.height}"
        )
    if header_hash(shown[anchor.height]) != anchor.header_hash:
        raise AnchorError(f"the receipt's header {anchor.height} is not the anchor")
    changes = [None, *(read_set_change(each) for each in receipt.set_changes), None]
    if not any(
        each.hash == start.signing_set_hash and of_term(start, before, after)
        for each, before, after in zip(sets, changes, changes[1:], strict=False)
    ):
        # Whatever earlier sets say: by the time of the anchor they had been replaced.
        raise AnchorError("the set changes do not pass through the signing set of the anchor")


def _time_of(anchor: Anchor, start: Header, header: Header) -> int:
    return start.time if anchor.height == start.height else header.time


def _profiles(receipt: pb.Receipt) -> dict[bytes, int]:
    """How the declared name fits each profile: off the ledger, so as the node said."""
    found = {}
    newest = b""
    for profile in receipt.profiles:
        if len(profile.commitment) != HASH_BYTES or profile.commitment <= newest:
            raise FormatError("the profiles of a receipt ascend by commitment, 32 bytes each")
        if profile.name_match not in verdict_pb2.NameMatch.values():
            raise FormatError(f"no match of names of kind {profile.name_match}")
        newest = profile.commitment
        found[newest] = profile.name_match
    return found


def _instructions(verdict: bytes) -> dict[int, str]:
    """The recogniser's words to its officers: its own, so as the verdict says."""
    try:
        said = verdict_pb2.Verdict.FromString(verdict)
    except DecodeError as error:
        raise FormatError(f"Verdict: {error}") from error
    return {benefit.code: benefit.instruction for benefit in said.benefits}


def _unproved(receipt: pb.Receipt, query: Query, verdict: Verdict, *, traders: bool) -> list[str]:
    """What no receipt of this kind can show."""
    unproved = []
    if query.as_of is None:
        unproved.append("that it was asked then: the answering node's clock says so")
    if traders:
        unproved.append(
            "that the trader was given no newer number than those shown: nothing on the ledger says"
            " that there is none"
        )
    if query.alias is not None or verdict.issuing_economy == query.recognising:
        unproved.append(
            f"that {query.recognising} keeps no other arrangement that it alone has signed, or"
            " that only a member without weight has signed with it"
        )
    if receipt.profiles:
        unproved.append("how the declared name and address fit the profiles exchanged")
    if any(benefit.instruction for benefit in verdict.benefits):
        unproved.append("the instructions to officers: they are the recogniser's own words")
    return unproved
