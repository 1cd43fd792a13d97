"""A `StateView` over what a receipt has proved: `evaluate` cannot tell it from a node's own.

Whatever it is asked for and was not shown raises `ProofError`. Two things do not stand in the state
map under a key of their own, so no proof shows that there are none:

- the newer numbers that name a trader as their RENUMBERED predecessor. Those whose histories are
  shown are found in them; that there is no other cannot be shown
- the arrangements that a member keeps alone, which enter no pair. Those shown are found

All others of a member follow from its pairs with every other member, which must all be shown: with
every founder and whoever was in a signing set since; with a member that never had weight, if shown.
"""

from collections.abc import Container, Sequence

from aeo.ledger.v1 import status_pb2
from ledger.audit.receipt_facts import ShownFacts
from ledger.audit.receipt_past import ShownPast
from ledger.chain.economy import CODES, economy_bytes, parse_economy
from ledger.chain.genesis import Genesis
from ledger.chain.header import Header
from ledger.chain.keys import (
    ALIAS,
    ARRANGEMENT,
    AUTHOR,
    PAIR,
    PARAMETERS,
    PREFIX,
    SUBJECT,
    parse_author_object,
    parse_speaker_record,
)
from ledger.chain.parameters import parse_parameters
from ledger.chain.signing_set import SigningSet
from ledger.customs.arrangement import ArrangementEntry, ArrangementHistory, parse_step
from ledger.customs.status import parse_status
from ledger.errors import ProofError
from ledger.state.alias import parse_alias
from ledger.state.view import (
    AliasEntry,
    MemberEntry,
    PairEntry,
    SpeakerEntry,
    StatusEntry,
    SuccessorEntry,
)

_RENUMBERED = status_pb2.PREDECESSOR_KIND_RENUMBERED


class ReceiptView:
    """The ledger at one header, as far as proofs have shown it."""

    def __init__(
        self,
        genesis: Genesis,
        sets: Sequence[SigningSet],
        header: Header,
        header_hash: bytes,
        facts: ShownFacts,
        past: ShownPast,
    ) -> None:
        self.network_id = genesis.network_id
        self.pilot = genesis.pilot
        self.genesis_time = genesis.created_at
        self.height = header.height
        self.header_hash = header_hash
        self.header_time = header.time
        self.parameters = parse_parameters(facts.object(PARAMETERS))
        self.rules_version = self.parameters.rules_version
        self.default_staleness_limit = self.parameters.default_staleness_limit
        self.heartbeat_interval = self.parameters.heartbeat_interval
        self.trust_period = self.parameters.trust_period
        # Everyone who is known to be a member, or to have been one.
        sealing = {member.economy for each in sets for member in each.members}
        self._economies = sealing | {founder.economy for founder in genesis.founders}
        self._facts = facts
        self._past = past
        # Of the profiles that the records read name.
        self.commitments: set[bytes] = set()
        self._arrangements: dict[bytes, ArrangementHistory | None] = {}

    @property
    def names(self) -> dict[bytes, str]:
        """The names of the arrangements that were read, by id."""
        read = self._arrangements.items()
        return {each: found.text.name for each, found in read if found is not None}

    def members(self) -> Sequence[MemberEntry]:
        """No receipt shows them: no verdict rests on them."""
        raise ProofError("the receipt does not show the members")

    def prefixes(self) -> Container[str]:
        """As `members`; who speaks for one prefix is shown."""
        raise ProofError("the receipt does not show all prefixes")

    def speaker_history(self, prefix: str) -> Sequence[SpeakerEntry]:
        """As `StateView`."""
        if prefix not in CODES:
            return ()
        return [
            SpeakerEntry(entry.height, entry.time, *parse_speaker_record(entry.record))
            for entry in self._facts.history(PREFIX, economy_bytes(prefix))
        ]

    def pair_history(self, a: str, b: str) -> Sequence[PairEntry]:
        """As `StateView`."""
        return [
            PairEntry(entry.height, entry.time, entry.record)
            for entry in self._facts.history(PAIR, *pair_parts(a, b))
        ]

    def own_arrangements(self, economy: str) -> Sequence[bytes]:
        """Those that all parties have signed; of those of one party alone, what is shown."""
        found = {
            entry.arrangement_id: None
            for other in sorted(self._economies | self._paired_with(economy))
            if other != economy
            for entry in self.pair_history(economy, other)
        }
        for (arrangement_id,) in self._facts.shown(ARRANGEMENT):
            arrangement = self._read_arrangement(arrangement_id)
            if arrangement is None or arrangement.complete is None:
                continue
            if arrangement.was_party(economy):
                found[arrangement_id] = None
        return list(found)

    def arrangement(self, arrangement_id: bytes) -> ArrangementHistory | None:
        """As `StateView`."""
        self._facts.holds(ARRANGEMENT, arrangement_id)
        return self._read_arrangement(arrangement_id)

    def subject(self, arrangement_id: bytes, issuer: str, subject: bytes) -> Sequence[StatusEntry]:
        """As `StateView`."""
        shown = self._facts.history(SUBJECT, arrangement_id, economy_bytes(issuer), subject)
        entries = [
            StatusEntry(each.height, each.time, each.log_index, each.position, record)
            for each in shown
            for record in [parse_status(each.record)]
        ]
        self.commitments |= {entry.record.profile_commitment for entry in entries}
        return entries

    def successors(
        self, arrangement_id: bytes, issuer: str, subject: bytes
    ) -> Sequence[SuccessorEntry]:
        """Those that the histories shown say of themselves, oldest first."""
        issued = economy_bytes(issuer)
        found = []
        for parts in self._facts.shown(SUBJECT, arrangement_id, issued):
            for entry in self._facts.peek(SUBJECT, *parts):
                before = parse_status(entry.record).predecessor
                if before is not None and (before.subject, before.kind) == (subject, _RENUMBERED):
                    found.append(
                        SuccessorEntry(entry.height, entry.log_index, entry.position, parts[2])
                    )
        return sorted(found, key=lambda link: (link.log_index, link.position))

    def alias(self, arrangement_id: bytes, issuer: str, alias: bytes) -> Sequence[AliasEntry]:
        """As `StateView`."""
        found = []
        for entry in self._facts.history(ALIAS, arrangement_id, economy_bytes(issuer), alias):
            _, subject, valid_from, valid_to = parse_alias(entry.record)
            place = entry.height, entry.time, entry.log_index, entry.position
            found.append(AliasEntry(*place, subject, valid_from, valid_to))
        return found

    def author_seen(self, economy: str, height: int) -> int | None:
        """As `StateView`."""
        data = self._facts.object(AUTHOR, economy_bytes(economy))
        if not data:
            return None
        author = parse_author_object(data)
        if author.height <= height:
            return author.time
        return self._past.author_seen(economy, height)

    def time_of(self, height: int) -> int:
        """As `StateView`."""
        return self._past.header(height).time

    def height_at(self, time: int) -> int:
        """As `StateView`."""
        return -1 if time < self.genesis_time else self._past.height_at(time)

    def _paired_with(self, economy: str) -> set[str]:
        """The other economy of each pair that is shown."""
        own = economy_bytes(economy)
        return {
            parse_economy(part)
            for parts in self._facts.shown(PAIR)
            if own in parts
            for part in parts
            if part != own
        }

    def _read_arrangement(self, arrangement_id: bytes) -> ArrangementHistory | None:
        if arrangement_id not in self._arrangements:
            history: ArrangementHistory | None = None
            for each in self._facts.peek(ARRANGEMENT, arrangement_id):
                step = parse_step(each.record)
                entry = ArrangementEntry(each.height, each.time, each.log_index, each.author, step)
                if history is None:
                    history = ArrangementHistory.propose(arrangement_id, entry)
                else:
                    history = history.extend(entry)
            self._arrangements[arrangement_id] = history
        return self._arrangements[arrangement_id]


def pair_parts(a: str, b: str) -> tuple[bytes, bytes]:
    """The key parts of two economies' arrangements, in any order."""
    one, other = sorted((economy_bytes(a), economy_bytes(b)))
    return one, other
