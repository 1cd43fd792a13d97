"""Evidence that this node has met or was given, kept for whoever asks.

Met: a transaction that used a number which its author had used already, for other bytes, with a
signature by the same key. An older copy of a member's own store that was brought back does so. What
cannot be shown to others, because the key is in no signing set yet, is not kept.

To look a number up costs some reads of blocks, and the writer waits for it. A member that fills the
blocks it proposes with what entered long ago would stop everybody: so looking has a small share of
the time, and what comes beyond it is passed over.
"""

import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from typing import Final

import structlog

from aeo.ledger.v1.evidence_pb2 import Evidence as EvidenceBytes
from ledger.audit.evidence import DOUBLE_NUMBER, FORK, format_double_number, judge_evidence
from ledger.bls.scheme import BlsBackend, key_id
from ledger.chain.genesis import Genesis
from ledger.chain.set_change import SetChange
from ledger.chain.transaction import parse_transaction
from ledger.errors import CheckError, FormatError
from ledger.state.refusals import SEQUENCE_USED
from ledger.state.state import State
from service.errors import StoreError
from service.node.governance.set_changes import SetChanges
from service.store.ledger.ledger_store import LedgerStore

LOOK_SECONDS: Final = 1.0
"""Of looking at once, after a while without any."""
LOOK_SHARE: Final = 0.05
"""Of the time, for what comes after."""

_log = structlog.get_logger("aeo.evidence")


class Evidence:
    """The evidence of one node. Any thread may call."""

    def __init__(
        self,
        store: LedgerStore,
        genesis: Genesis,
        set_changes: SetChanges,
        current: Callable[[], State],
        backend: BlsBackend,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._genesis = genesis
        self._set_changes = set_changes
        self._current = current
        self._backend = backend
        self._monotonic = monotonic
        # Seconds of looking that are left, and as of when.
        self._left, self._left_at = LOOK_SECONDS, monotonic()
        self._kinds = Counter(_kind(each) for each in store.evidence())

    def kinds(self) -> dict[str, int]:
        """How much there is, by kind (`ledger.audit.evidence`)."""
        return dict(self._kinds)

    def all(self) -> list[bytes]:
        """Exact bytes of `aeo.ledger.v1.Evidence`, the oldest first."""
        return self._store.evidence()

    def keep(self, evidence: bytes) -> bool:
        """Keep what convicts somebody of this network; say whether it is new.

        Raises `FormatError`, or `CheckError` for what convicts nobody.
        """
        judged = judge_evidence(evidence, self._genesis.network_id, self._backend)
        new = self._store.put_evidence(evidence)
        if new:
            self._kinds[judged.kind] += 1
            _log.error("misbehaviour is proved", kind=judged.kind, economies=list(judged.economies))
        return new

    def refused(self, transaction: bytes, code: str) -> None:
        """Look at a transaction that did not enter the log, whether it proves anything."""
        if code != SEQUENCE_USED:
            return
        began = self._monotonic()
        self._left = min(LOOK_SECONDS, self._left + LOOK_SHARE * (began - self._left_at))
        self._left_at = began
        if self._left <= 0:
            return
        self._look(transaction)
        self._left -= self._monotonic() - began

    def _look(self, transaction: bytes) -> None:
        try:
            logged = self._logged_instead(transaction)
            if logged is not None:
                self.keep(self._double_number(logged, transaction))
        except (FormatError, CheckError):
            return  # no valid signature of a key that can be shown: it says nothing about anybody
        except StoreError as error:
            _log.warning("evidence could not be kept", reason=str(error))

    def _double_number(self, logged: bytes, other: bytes) -> bytes:
        own_id = parse_transaction(other).body.key_id
        return format_double_number(self._genesis.data, logged, other, self._showing(own_id))

    def _showing(self, own_id: bytes) -> list[SetChange]:
        """The set changes that lead to the first set with that key; none for a founder's."""
        if any(founder.key_id == own_id for founder in self._genesis.founders):
            return []
        changes = self._set_changes.all()
        for number, change in enumerate(changes, 1):
            pending = change.sets.pending
            if pending and any(key_id(member.key) == own_id for member in pending.members):
                return changes[:number]
        return []

    def _logged_instead(self, transaction: bytes) -> bytes | None:
        """The transaction in the log with this one's author, key and number, if it is another."""
        body = parse_transaction(transaction).body
        state = self._current()
        # What a snapshot stands for is not there to compare with.
        seen = state.facts.seen.get(body.author, ())
        heights = seen[bisect_right(seen, state.base_height) :]
        low, high = 0, len(heights)
        while low < high:
            middle = (low + high) // 2
            entries = self._of_block(heights[middle], body.author)
            if body.sequence < min(entries):
                high = middle
            elif body.sequence > max(entries):
                low = middle + 1
            else:
                key, data = entries[body.sequence]
                return data if key == body.key_id and data != transaction else None
        return None

    def _of_block(self, height: int, author: str) -> dict[int, tuple[bytes, bytes]]:
        """Key id and bytes of an author's transactions in a block, by number."""
        found = {}
        for block in self._store.blocks(height, height):
            for data in block.transactions:
                body = parse_transaction(data).body
                if body.author == author:
                    found[body.sequence] = body.key_id, data
        return found


def _kind(kept: bytes) -> str:
    """The kind of evidence that was judged when it was kept."""
    return FORK if EvidenceBytes.FromString(kept).HasField("fork") else DOUBLE_NUMBER
