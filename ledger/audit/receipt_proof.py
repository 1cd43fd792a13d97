"""Making a receipt: the rules are asked once, and everything that they read is proved.

`evaluate` runs over the state through a view that notes what it reads. What it noted, and nothing
else, goes into the receipt: so a receipt cannot lack what its check will ask for, whatever the
rules are. A map proof is only as old as the state, so what a past author had said comes from the
log (`ledger.audit.receipt_past`), which the caller lends as a `Past`.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, cast

from aeo.ledger.v1 import receipt_pb2 as pb
from ledger.audit.receipt import format_receipt
from ledger.audit.receipt_facts import Place, shown_fact
from ledger.audit.receipt_question import question_message
from ledger.audit.receipt_view import pair_parts
from ledger.chain import keys
from ledger.chain.economy import CODES, economy_bytes, parse_economy
from ledger.chain.history import HistoryEntry
from ledger.chain.set_change import SetChange
from ledger.chain.transaction import parse_transaction
from ledger.customs.arrangement import ArrangementHistory
from ledger.customs.evaluate import evaluate
from ledger.customs.profiles import NOTHING_DECLARED, Profiles
from ledger.customs.subject import LookupKey
from ledger.customs.verdict import Query, Times, Verdict, format_verdict
from ledger.errors import FormatError
from ledger.state.packed import PlacedRecord
from ledger.state.state import State, pair_name
from ledger.state.view import AliasEntry, PairEntry, SpeakerEntry, StateView, StatusEntry


class Past(Protocol):
    """The stored ledger behind a state."""

    def header(self, height: int) -> bytes:
        """The header at a height, at most the state's."""

    def transactions(self, height: int) -> Sequence[bytes]:
        """The transactions that entered the log with that header, in order."""


class Position(NamedTuple):
    """A state, the seal of its header with its time (Unix ms), and the time of asking."""

    state: State
    seal: bytes
    times: Times


def prove_receipt(
    query: Query,
    position: Position,
    keyring: Mapping[bytes, LookupKey],
    past: Past,
    *,
    profiles: Profiles = NOTHING_DECLARED,
    instructions: Mapping[int, str] | None = None,
    anchor_height: int | None = None,
    include_genesis: bool = True,
    set_changes: Sequence[SetChange] = (),
) -> bytes:
    """The receipt of a question; with a way from the header at `anchor_height`, where one is given.

    `position.times.attested_time` is that of the seal. Without the genesis a receipt is for a
    checker who has it. `set_changes`: all since the founders, in order. Raises as `evaluate`, and
    `FormatError` for an anchor that is not on the past of the state, or a receipt of more than
    1 MiB.
    """
    state = position.state
    if anchor_height is not None and not 0 <= anchor_height <= state.height:
        raise FormatError(f"no header {anchor_height} below {state.height}")
    reading = _Reading(state)
    used, matched = _UsedKeys(keyring), _Matched(profiles)
    verdict = evaluate(
        query, cast("StateView", reading), used, matched, instructions, position.times
    )
    reading.places.add((keys.PARAMETERS, ()))
    facts = [_prove(state, place) for place in sorted(reading.places)]
    receipt = pb.Receipt(
        genesis=state.genesis.data if include_genesis else b"",
        header=state.header_bytes,
        seal=position.seal,
        question=question_message(query),
        now=position.times.now,
        verdict=format_verdict(verdict),
        rules_version=state.rules_version,
        facts=facts,
        openings=_openings(query, verdict, used),
        profiles=[
            pb.ProfileFound(commitment=commitment, name_match=match)
            for commitment, match in sorted(matched.found.items())
        ],
        set_changes=[change.message() for change in set_changes],
    )
    if anchor_height is not None and anchor_height < state.height:
        receipt.anchor.CopyFrom(_earlier(state, past, anchor_height))
    _add_past(receipt, reading, past)
    return format_receipt(receipt)


class _Matched:
    """`Profiles` that note what they say of each commitment that the rules ask about."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles
        self.found: dict[bytes, int] = {}

    def get(self, commitment: bytes, /) -> int | None:
        match = self._profiles.get(commitment)
        if match is not None:
            self.found[commitment] = match
        return match

    def find(self, _name: str, _address: str, /) -> Sequence[str]:
        raise FormatError("a receipt is of a TIN or an alias: ask by the TIN found")


class _Reading:
    """A `StateView` that notes the place in the state map of all that is read through it."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.places: set[Place] = set()
        self.headers: set[int] = set()
        # (economy, height) of whoever has spoken again since that height.
        self.spoke_again: set[tuple[str, int]] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.state, name)

    def speaker_history(self, prefix: str) -> Sequence[SpeakerEntry]:
        if prefix in CODES:
            self.places.add((keys.PREFIX, (economy_bytes(prefix),)))
        return self.state.speaker_history(prefix)

    def pair_history(self, a: str, b: str) -> Sequence[PairEntry]:
        self.places.add((keys.PAIR, pair_parts(a, b)))
        return self.state.pair_history(a, b)

    def own_arrangements(self, economy: str) -> Sequence[bytes]:
        """Those signed by all; every other has no effect, and stands in no pair."""
        for member in self.state.members():
            if member.economy != economy:
                self.pair_history(economy, member.economy)
        found = []
        for arrangement_id in self.state.own_arrangements(economy):
            arrangement = self.state.arrangement(arrangement_id)
            if arrangement is not None and arrangement.complete is not None:
                found.append(arrangement_id)
        return found

    def arrangement(self, arrangement_id: bytes) -> ArrangementHistory | None:
        self.places.add((keys.ARRANGEMENT, (arrangement_id,)))
        return self.state.arrangement(arrangement_id)

    def subject(self, arrangement_id: bytes, issuer: str, subject: bytes) -> Sequence[StatusEntry]:
        self.places.add((keys.SUBJECT, (arrangement_id, economy_bytes(issuer), subject)))
        return self.state.subject(arrangement_id, issuer, subject)

    def alias(self, arrangement_id: bytes, issuer: str, alias: bytes) -> Sequence[AliasEntry]:
        self.places.add((keys.ALIAS, (arrangement_id, economy_bytes(issuer), alias)))
        return self.state.alias(arrangement_id, issuer, alias)

    def author_seen(self, economy: str, height: int) -> int | None:
        self.places.add((keys.AUTHOR, (economy_bytes(economy),)))
        author = self.state.authors.get(economy)
        if author is not None and author.height > height:
            self.spoke_again.add((economy, height))
        return self.state.author_seen(economy, height)

    def time_of(self, height: int) -> int:
        self.headers.add(height)
        return self.state.time_of(height)

    def height_at(self, time: int) -> int:
        height = self.state.height_at(time)
        if 0 <= height < self.state.height:
            self.headers |= {height, height + 1}
        return height


class _UsedKeys(Mapping[bytes, LookupKey]):
    """A keyring that notes which of its keys were asked for."""

    def __init__(self, keyring: Mapping[bytes, LookupKey]) -> None:
        self._keyring = keyring
        self.used: dict[bytes, LookupKey] = {}

    def __getitem__(self, arrangement_id: bytes) -> LookupKey:
        # Asked by its id or by `epoch_name`, of which the last is the one that was right.
        key = self._keyring[arrangement_id]
        self.used[key.arrangement_id] = key
        return key

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._keyring)

    def __len__(self) -> int:
        return len(self._keyring)


def _openings(query: Query, verdict: Verdict, used: _UsedKeys) -> Iterator[pb.Opening]:
    for arrangement_id, key in sorted(used.used.items()):
        opening = pb.Opening(arrangement_id=arrangement_id, epoch=key.epoch)
        if query.alias is None:
            opening.tin_mac = key.tin_mac(verdict.tin)
        else:
            opening.alias = key.alias(*query.alias)
        yield opening


def _prove(state: State, place: Place) -> pb.ShownFact:
    kind, parts = place
    return shown_fact(place, _held(state, kind, parts), state.prove(keys.map_key(kind, *parts)))


def _held(state: State, kind: int, parts: tuple[bytes, ...]) -> Sequence[HistoryEntry] | bytes:
    """What the state holds at a place, as exact bytes; empty where it holds nothing."""
    if kind == keys.PARAMETERS:
        return state.parameter_bytes
    if kind == keys.AUTHOR:
        author = state.authors.get(parse_economy(parts[0]))
        return b"" if author is None else keys.format_author_object(author)
    if kind == keys.PREFIX:
        return state.prefix_records(parse_economy(parts[0]))
    if kind == keys.PAIR:
        pair = state.pairs.get(pair_name(parse_economy(parts[0]), parse_economy(parts[1])))
        return () if pair is None else pair.records
    if kind == keys.ARRANGEMENT:
        arrangement = state.arrangements.get(parts[0])
        return () if arrangement is None else arrangement.records
    issuer = parse_economy(parts[1])
    read = state.subject_records if kind == keys.SUBJECT else state.alias_records
    return _placed(state, issuer, read(parts[0], issuer, parts[2]))


def _placed(state: State, issuer: str, records: Sequence[PlacedRecord]) -> list[HistoryEntry]:
    return [
        HistoryEntry(*state.place_of(log_index), log_index, position, issuer, record)
        for log_index, position, record in records
    ]


def _add_past(receipt: pb.Receipt, reading: _Reading, past: Past) -> None:
    """Show the headers and transactions that say what was so at an earlier height."""
    state, headers = reading.state, set(reading.headers)
    shown: dict[int, bytes] = {}
    for economy, height in reading.spoke_again:
        headers.add(height)
        heights = state.facts.seen[economy]
        later = bisect_right(heights, height)
        first, entries = _of_block(state, past, heights[later], economy)
        shown[first] = entries[first]
        if later:
            seen = heights[later - 1]
            _, entries = _of_block(state, past, seen, economy)
            newest = max(entries)
            shown[newest] = entries[newest]
            headers |= {seen, seen - 1}
    for height in sorted(headers - {state.height}):
        receipt.headers.append(_earlier(state, past, height))
    for log_index, transaction in sorted(shown.items()):
        receipt.transactions.add(
            log_index=log_index, transaction=transaction, proof=state.prove_entry(log_index)
        )


def _of_block(state: State, past: Past, height: int, economy: str) -> tuple[int, dict[int, bytes]]:
    """The transactions of an author in one block by log index, and the first index."""
    entries = {
        index: transaction
        for index, transaction in enumerate(
            past.transactions(height), state.log_size_of(height - 1)
        )
        if parse_transaction(transaction).body.author == economy
    }
    return min(entries), entries


def _earlier(state: State, past: Past, height: int) -> pb.EarlierHeader:
    return pb.EarlierHeader(header=past.header(height), proof=state.prove_header(height))
