"""Following a ledger from one of several nodes, and leaving the one that lies.

A source is followed from our own newest height on, so that the first thing it shows is the header
that we know: another one there is a fork. It is left for the next one when

    it cannot be reached, or breaks off     tried again when its turn comes
    nothing comes for a while               a node that withholds looks like a quiet ledger; to ask
                                            the next costs a connection, and compares the two
    its blocks get no seal for a while      nothing of them was taken
    its ledger ends before ours             it may be catching up
    it shows what cannot be so              refused for `REFUSED_SECONDS`; kept on record, with
                                            evidence where members are convicted
    an error that nobody expected           told with its traceback, and tried again after a pause
                                            that doubles: the fault is ours, and may lie in how we
                                            read this one source

What our own store or state map cannot do ends following: nothing could be kept of any source. Where
nothing can be followed for `STUCK_SECONDS` for errors that nobody expected, that is said
(`Standing.stuck`); what is known is still answered from, and grows stale by the rules.

Where a source's snapshot is far ahead, its blocks in between are passed over: the snapshot's header
is sealed, and all the rest is checked against it (`service.node.snapshots.catching_up`).

A refused source is asked again after a while: nothing is ever believed of it, so that costs bytes
alone, and a node that was repaired need not wait for us to restart. Evidence that nodes keep is
fetched from each, checked and kept here too.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from aeo.exchange.v1.ledger_service_pb2 import StreamBlocksResponse
from ledger.chain.header import parse_header
from ledger.errors import CheckError, FormatError
from service.client.connection import Connection
from service.client.errors import ClientError
from service.client.ledger import LedgerClient
from service.client.replica import NodeAddress
from service.errors import ServiceError, SourceLeft, SourceRefused
from service.node.governance.evidence import Evidence
from service.node.replica import refusals
from service.node.replica.reading import BlockReader
from service.node.replica.refusals import Refusals
from service.node.replica.standing import SourceState, SourceView, Standing
from service.node.replica.verifier import ChainVerifier

SILENCE_SECONDS: Final = 30.0
REFUSED_SECONDS: Final = 600.0
CALL_SECONDS: Final = 10.0
"""For each call that is not the stream."""
FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 5.0
"""Seconds after a round in which no source gave anything, doubling from the first."""
FIRST_FAULT_PAUSE: Final = 1.0
LONGEST_FAULT_PAUSE: Final = 60.0
"""Seconds for which a source rests after an unexpected error, doubling from the first."""
STUCK_SECONDS: Final = 120.0
EVIDENCE_TAKEN: Final = 100
"""Pieces that one source is heard about at once; each costs some milliseconds to check."""

BEFORE_SNAPSHOT: Final = "BEFORE_SNAPSHOT"
"""A node's reason where its blocks begin after the height asked for."""

_log = structlog.get_logger("aeo.replica")


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: for a source that shows nothing, until a refused one is asked again, and until it is
    said that nothing can be followed."""

    silence: float = SILENCE_SECONDS
    refused: float = REFUSED_SECONDS
    stuck: float = STUCK_SECONDS


class Follower:
    """One thread that follows. Made by a `Replica`; `sources` and `failure` are for anyone."""

    def __init__(
        self,
        sources: Sequence[NodeAddress],
        verifier: ChainVerifier,
        evidence: Evidence,
        kept: Refusals,
        *,
        network_id: bytes,
        height: Callable[[], int],
        now_ms: Callable[[], int],
        patience: Patience,
        catch_up: Callable[[Connection, int], None],
        far_behind: int,
        tell: Callable[[Standing], None],
    ) -> None:
        self._sources = list(sources)
        self._views = [SourceView(each.address) for each in sources]
        # Monotonic: when a source that is refused, or at which we failed, is asked again.
        self._rests_until = [0.0] * len(self._sources)
        self._fault_pauses: dict[int, float] = {}
        self._refused: Counter[tuple[str, str]] = Counter()
        self._faults: Counter[str] = Counter()
        # When anything was last followed as it should be.
        self._well_at = time.monotonic()
        self._tell = tell
        self._verifier = verifier
        self._evidence = evidence
        self._refusals = kept
        self._network_id = network_id
        self._height = height
        self._now_ms = now_ms
        self._patience = patience
        self._catch_up = catch_up
        self._far_behind = far_behind
        # Sources whose own blocks begin after ours end.
        self._begins_later: set[int] = set()
        self._stopping = threading.Event()
        self._reader: BlockReader | None = None
        self._connection: Connection | None = None
        self._failure: Exception | None = None
        self._moved = False
        # The newest height that a source had when it was asked; beyond all while none has been.
        self._wanted = 1 << 63
        self._standing = self._stand()
        self._thread = threading.Thread(target=self._run, name="aeo-replica")

    @property
    def sources(self) -> tuple[SourceView, ...]:
        """How each source stands, in the order of the settings."""
        return tuple(self._views)

    @property
    def standing(self) -> Standing:
        """How it stands with all of them."""
        return self._standing

    @property
    def caught_up(self) -> bool:
        """Whether all is here that a source had when it was last asked, or none can be asked."""
        trying = {SourceState.WAITING, SourceState.FOLLOWED}
        return self._height() >= self._wanted or not any(
            each.state in trying for each in self._views
        )

    @property
    def failure(self) -> Exception | None:
        """Why nothing is followed any more; None while it is."""
        return self._failure

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """End; what was verified is stored. Idempotent."""
        self._stopping.set()
        reader, connection = self._reader, self._connection
        if reader is not None:
            reader.close()
        if connection is not None:
            connection.close()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        pause = FIRST_PAUSE
        try:
            while not self._stopping.is_set():
                self._moved = False
                for number in range(len(self._sources)):
                    while not self._stopping.is_set() and self._turn(number):
                        pass
                self._look()
                pause = FIRST_PAUSE if self._moved else min(pause * 2, LONGEST_PAUSE)
                self._stopping.wait(pause)
        except Exception as error:  # noqa: BLE001 - whatever stops the follower is told to everyone
            _log.error("following has stopped", reason=str(error), exc_info=error)
            self._failure = error

    def _turn(self, number: int) -> bool:
        """Follow a source until it is left; whether to go on with it at once."""
        if time.monotonic() < self._rests_until[number]:
            return False
        source, before, began = self._sources[number], self._height(), time.monotonic()
        try:
            self._follow(number, source)
        except SourceRefused as refused:
            self._refuse(number, source, refused)
        except SourceLeft as left:
            # A quiet ledger, too, is left now and then: it is returned to at once.
            self._moved = self._moved or time.monotonic() - began >= self._patience.silence
            self._is_well(number)
            self._see(number, SourceState.LEFT, str(left))
        except ClientError as error:
            if error.reason == BEFORE_SNAPSHOT:
                self._begins_later.add(number)
            self._see(number, SourceState.UNREACHABLE, str(error))
        except (FormatError, CheckError) as error:
            self._refuse(number, source, SourceRefused(refusals.MALFORMED, str(error)))
        except ServiceError:
            raise  # our own store's, or state map's: no other source would help
        except Exception as error:  # noqa: BLE001 - one source must not stop the others
            # Where stopping: a call on a connection that `stop` has closed.
            if not self._stopping.is_set():
                self._fail(number, source, error)
        finally:
            self._connection = None
            self._verifier.forget()
        progressed = self._height() > before
        self._moved = self._moved or progressed
        # One that broke off while it was of use is the likeliest to be of use again.
        return progressed and self._views[number].state == SourceState.UNREACHABLE

    def _follow(self, number: int, source: NodeAddress) -> None:
        with source.connect(CALL_SECONDS) as connection:
            self._connection = connection
            if self._stopping.is_set():
                return
            client = LedgerClient(connection)
            latest = self._compare(number, client)
            far = 1 if number in self._begins_later else self._far_behind
            if latest >= self._height() + far:
                self._skip(number, connection, far)
            self._wanted = latest
            self._reader = reader = BlockReader(connection, self._height())
            try:
                if not self._stopping.is_set():
                    self._see(number, SourceState.FOLLOWED, "")
                    self._read(number, reader)
            finally:
                self._reader = None
                reader.close()
                reader.join()

    def _skip(self, number: int, connection: Connection, far: int) -> None:
        """Go on from a snapshot of the source, where that is far ahead or all it can show."""
        try:
            self._catch_up(connection, far)
        except (FormatError, CheckError) as error:
            raise SourceRefused(refusals.WRONG_SNAPSHOT, str(error)) from error
        self._begins_later.discard(number)

    def _read(self, number: int, reader: BlockReader) -> None:
        silence = self._patience.silence
        sealed_at = time.monotonic()
        while not self._stopping.is_set():
            messages = reader.take(silence)
            if not messages:
                raise SourceLeft(f"nothing came for {silence:g} s")
            if len(messages) > 1:
                self._verifier.verify_ahead(
                    [each for message in messages for each in message.transactions]
                )
            for message in messages:
                self._take(number, message)
            now = time.monotonic()
            if not self._verifier.waiting:
                sealed_at = now
            elif now - sealed_at > silence:
                raise SourceLeft(f"its blocks have had no seal for {silence:g} s")

    def _take(self, number: int, message: StreamBlocksResponse) -> None:
        self._verifier.take(message.header, message.transactions, message.seal)
        height = self._height()
        if height > self._views[number].height:
            self._views[number] = replace(self._views[number], height=height)
            self._is_well(number)

    def _compare(self, number: int, client: LedgerClient) -> int:
        """Whether a source's ledger is ours, and goes as far; the height that it says it has."""
        if client.network().network_id != self._network_id:
            raise SourceRefused(refusals.OTHER_NETWORK, "the node is of another network")
        latest = client.latest()
        header = parse_header(latest.header)
        if header.network_id != self._network_id:
            raise SourceRefused(
                refusals.OTHER_NETWORK, "a header of another network", header=latest.header
            )
        if header.height <= self._height():
            self._verifier.compare(latest.header, latest.seal)
        if header.height < self._views[number].height:
            raise SourceRefused(
                refusals.WENT_BACK,
                f"its ledger ends at {header.height}, and it has shown"
                f" {self._views[number].height}",
                header=latest.header,
                seal=latest.seal,
            )
        if header.height < self._height():
            raise SourceLeft(f"its ledger ends at {header.height}, ours at {self._height()}")
        known = set(self._evidence.all())
        for piece in client.evidence()[:EVIDENCE_TAKEN]:
            if piece in known:
                continue
            try:
                self._evidence.keep(piece)
            except (FormatError, CheckError):
                continue  # it convicts nobody
        return header.height

    def _refuse(self, number: int, source: NodeAddress, refused: SourceRefused) -> None:
        self._rests_until[number] = time.monotonic() + self._patience.refused
        self._refused[source.address, refused.code] += 1
        if refused.evidence:
            try:
                self._evidence.keep(refused.evidence)
            except (FormatError, CheckError, ServiceError) as error:
                _log.warning("evidence could not be kept", reason=str(error))
        path = None
        try:
            path = self._refusals.keep(source.address, refused, self._now_ms())
        except OSError as error:
            _log.warning("a refusal could not be kept", reason=str(error))
        self._see(number, SourceState.REFUSED, str(refused))
        _log.error(
            "a source is refused",
            source=source.address,
            reason=str(refused),
            kept=str(path),
            evidence=bool(refused.evidence),
        )

    def _fail(self, number: int, source: NodeAddress, error: Exception) -> None:
        """Let a source rest at which this program failed."""
        pause = self._fault_pauses.get(number, FIRST_FAULT_PAUSE)
        self._fault_pauses[number] = min(2 * pause, LONGEST_FAULT_PAUSE)
        self._rests_until[number] = time.monotonic() + pause
        self._faults[source.address] += 1
        _log.error(
            "a source cannot be followed for an unexpected error",
            source=source.address,
            reason=str(error),
            again_after_seconds=pause,
            exc_info=error,
        )
        self._see(number, SourceState.UNREACHABLE, f"unexpected {type(error).__name__}: {error}")

    def _is_well(self, number: int) -> None:
        """A source is followed as it should be."""
        self._well_at = time.monotonic()
        self._fault_pauses.pop(number, None)
        if self._standing.stuck:
            self._look()

    def _see(self, number: int, state: SourceState, detail: str) -> None:
        before = self._views[number]
        self._views[number] = replace(before, state=state, detail=detail)
        if state not in {before.state, SourceState.REFUSED}:
            _log.info("a source", source=before.address, state=str(state), detail=detail)
        self._look()

    def _look(self) -> None:
        """Tell how it stands, if that has changed."""
        standing = self._stand()
        if standing == self._standing:
            return
        if standing.stuck and not self._standing.stuck:
            _log.error("nothing can be followed", faults=dict(self._faults))
        self._standing = standing
        self._tell(standing)

    def _stand(self) -> Standing:
        long = time.monotonic() - self._well_at >= self._patience.stuck
        return Standing(
            {view.address: view.state for view in self._views},
            dict(self._refused),
            dict(self._faults),
            self._evidence.kinds(),
            stuck=bool(self._fault_pauses) and long,
        )
