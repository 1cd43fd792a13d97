"""Executing arrangement steps: from proposals and signatures to amendments and key epochs.

An executed step is one entry of the arrangement's history (kind 2 of the state map), whose record
is the whole ArrangementStep as it stands in the transaction, at position 0. The signature of the
last party also enters the arrangement, once, in the history of each pair of parties (kind 11), and
so does that which completes an amendment, for pairs that are new; an arrangement of one party has
no pair. Which step may follow is for `check_step` to say.

>>> from aeo.ledger.v1 import arrangement_pb2 as pb
>>> from ledger.bls.scheme import default_backend
>>> from ledger.chain.genesis import Genesis
>>> from ledger.chain.parameters import DEFAULT_PARAMETERS
>>> from ledger.chain.registration import Registration
>>> from ledger.chain.signing_set import SigningMember, SigningSet
>>> from ledger.customs.arrangement import format_arrangement_text, text_hash
>>> from ledger.state.machine import Machine
>>> from ledger.wire import format_strict
>>> founders = [Registration(ZERO_HASH, economy, "Customs", "UTC", (economy,), 1, b"k" * 48, b"",
...                          b"", b"", "", b"", b"exact bytes") for economy in ("KR", "TW")]
>>> genesis = Genesis(b"n" * 32, "example", 1_000, True, tuple(founders), DEFAULT_PARAMETERS, b"",
...                   SigningSet((SigningMember("KR", 1, b"k" * 48),)), b"exact bytes")
>>> draft = Draft(Machine(genesis, default_backend()).state, time=2_000)
>>> text = format_arrangement_text(pb.ArrangementText(
...     name="Example", kind=pb.ARRANGEMENT_KIND_RECOGNITION, parties=["KR", "TW"],
...     lookup_key_commitment=bytes(32)))
>>> execute_step(draft, "KR", 1, format_strict(pb.ArrangementStep(propose=text)))
''
>>> signature = pb.ArrangementSignature(
...     arrangement_id=arrangement_id(b"n" * 32, "KR", 1), text_hash=text_hash(text))
>>> sign = format_strict(pb.ArrangementStep(sign=signature))
>>> for party in ("KR", "KR", "TW"):
...     execute_step(draft, party, 2, sign), pair_key("KR", "TW") in draft.changes
('', False)
('ALREADY_SIGNED', False)
('', True)
"""

from itertools import combinations

from ledger.chain.history import HistoryEntry, history_step
from ledger.chain.keys import arrangement_key, pair_key
from ledger.customs.arrangement import (
    ArrangementEntry,
    ArrangementHistory,
    arrangement_id,
    check_step,
    parse_step,
)
from ledger.errors import FormatError
from ledger.hashing import ZERO_HASH
from ledger.state.draft import Draft
from ledger.state.refusals import EXECUTED, STEP_MALFORMED
from ledger.state.state import Arrangement, Pair, pair_name
from ledger.state.view import PairEntry


def execute_step(draft: Draft, author: str, sequence: int, data: bytes) -> str:
    """Execute one step, a proposal's id made from `sequence`; return its code."""
    try:
        step = parse_step(data)
    except FormatError:
        return STEP_MALFORMED
    arrangement = draft.arrangement(step.arrangement_id)
    history = None if arrangement is None else arrangement.history
    # A suspended member is one still: no amendment leaves it out without its signature. But a new
    # epoch need not wait for it, since what it knew may be known to others.
    who = draft.membership
    members = who.belonging if step.kind == "amend" else who.members
    refused = check_step(step, history, author, draft.time, members)
    if refused:
        return refused

    entry = ArrangementEntry(draft.height, draft.time, draft.log_index, author, step)
    if arrangement is None:
        proposed = arrangement_id(draft.base.network_id, author, sequence)
        newer = ArrangementHistory.propose(proposed, entry)
        head, records = ZERO_HASH, tuple[HistoryEntry, ...]()
        agreed = newer.text.parties
    else:
        newer = arrangement.history.extend(entry)
        head, records = arrangement.head, arrangement.records
        agreed = () if newer.texts == arrangement.history.texts else newer.text.parties
    record = HistoryEntry(draft.height, draft.time, draft.log_index, 0, author, data)
    head = history_step(head, len(records) + 1, *record)
    draft.arrangements[newer.arrangement_id] = Arrangement(head, newer, (*records, record))
    draft.changes[arrangement_key(newer.arrangement_id)] = head

    for party in agreed:
        _list(draft, party, newer.arrangement_id)
    if newer.complete is not None:
        for a, b in combinations(agreed, 2):
            _enter_pair(draft, a, b, author, newer.arrangement_id)
    return EXECUTED


def _list(draft: Draft, party: str, agreed: bytes) -> None:
    """Keep an arrangement among those of a party: as proposed, and of whoever joins."""
    own = draft.own_arrangements(party)
    if agreed not in own:
        draft.arrangements_of[party] = (*own, agreed)


def _enter_pair(draft: Draft, a: str, b: str, author: str, agreed: bytes) -> None:
    pair = draft.pair(a, b) or Pair(ZERO_HASH, (), ())
    if any(entry.arrangement_id == agreed for entry in pair.entries):
        return  # of an earlier text of it
    record = HistoryEntry(draft.height, draft.time, draft.log_index, 0, author, agreed)
    head = history_step(pair.head, len(pair.records) + 1, *record)
    entry = PairEntry(draft.height, draft.time, agreed)
    draft.pairs[pair_name(a, b)] = Pair(head, (*pair.entries, entry), (*pair.records, record))
    draft.changes[pair_key(a, b)] = head
