"""What the application needs of the house around it: a store, a signer, snapshots.

The engine's row imports neither the store nor the node; they give what is described here.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from ledger.state.state import State
from service.engine.protocol import Sealed


class BlockMark(NamedTuple):
    """CometBFT's newest block: its height and time (Unix ms), and what the votes on it attest.

    They attest our header at `attested_height` for `attested_time` (Unix ms; 0: not known, so that
    the first votes after a restored snapshot carry no share).
    """

    height: int
    time: int
    attested_height: int
    attested_time: int


class EngineStore(Protocol):
    """Where blocks lie. Each call is durable when it returns."""

    def append_marked(
        self, height: int, header: bytes, transactions: Sequence[bytes], mark: BlockMark
    ) -> None:
        """Keep the next header and its transactions, and the mark: all or nothing."""

    def keep_mark(self, mark: BlockMark) -> None:
        """Keep the mark of a block that changed nothing here."""

    def mark(self) -> BlockMark | None:
        """Return the mark kept; None before the first block."""

    def keep_seal(self, height: int, seal: Sealed) -> bool:
        """Keep a seal of the header at `height` unless a better one is there; say whether."""


class ShareSigner(Protocol):
    """Signs headers with the key of the one member that this validator is."""

    @property
    def economy(self) -> str:
        """Whose key it is."""

    def share(self, state: State, attested_time: int) -> bytes | None:
        """Sign the state's header at `attested_time` (Unix ms): 96 bytes.

        None where the member is in no signing set, or the guard file says that it must not.
        """


class SnapshotInfo(NamedTuple):
    """A snapshot: CometBFT's height, the format, how many chunks, their hash, what else it says."""

    height: int
    format: int
    chunks: int
    hash: bytes
    metadata: bytes


class SnapshotStore(Protocol):
    """Snapshots that this node gives to others, and takes from them when it starts empty."""

    def list(self) -> Sequence[SnapshotInfo]:
        """The snapshots at hand."""

    def chunk(self, height: int, version: int, index: int) -> bytes:
        """One chunk of the snapshot of that height and format; empty where there is none."""

    def offer(self, info: SnapshotInfo, app_hash: bytes) -> bool:
        """Whether to take chunks of this snapshot, whose newest header has hash `app_hash`."""

    def fits(self, index: int, chunk: bytes) -> bool:
        """Whether a chunk is the one at its place in the snapshot being taken, if one is."""

    def apply(self, index: int, chunk: bytes) -> bool:
        """Take a chunk; say whether it was the last one wanted.

        Then the machine has the snapshot's state, and the store its base with a `BlockMark` of the
        snapshot's height. Raises `ledger.errors.LedgerError` where the snapshot is not what it
        claims; then another is tried.
        """
