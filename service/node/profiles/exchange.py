"""Profiles between nodes: fetched when a partner's record commits to one, erased when told to.

One thread for all hosted members. It reads the log onwards for partners' records that commit to
profiles, asks their issuers' nodes, and keeps what opens its commitment; it tells partners what
they must erase until they acknowledge it; and it scrubs the store after an erasure. All three are
durable in home.db, so that a restart, or a partner that is away, loses nothing: what fails is tried
again, after a pause that grows.

A partner with an endpoint on the ledger is called over mutual TLS. One without, whose keys lie in
this process, is asked directly.
"""

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import structlog

from aeo.exchange.v1 import profile_service_pb2 as pb
from aeo.exchange.v1.profile_service_pb2_grpc import ProfileServiceStub
from ledger.chain.transaction import parse_transaction
from ledger.customs.profile import Profile, open_profile
from ledger.customs.status import parse_status
from ledger.errors import FormatError
from ledger.state.records import records_between
from ledger.state.state import State
from service.clock import Clock
from service.errors import ServiceError
from service.node.keys.peers import Peers
from service.store.home.erasures import Notice
from service.store.home.profiles import Opened, PartnerProfile, ProfileStore, Wanted
from service.store.ledger.ledger_store import LedgerStore

FETCH_LIMIT: Final = 500
"""Commitments of one call: some 500 KB of profiles."""
NOTICE_LIMIT: Final = 1_000
"""Commitments of one notice's call, and notices looked at in one round."""
SCAN_LIMIT: Final = 512
"""Transactions read before what they ask for is noted: a restart reads no more than these twice."""
TRIES: Final = 10
"""After so many answers without it a profile is taken to be erased."""
LOOK_EVERY_S: Final = 0.5
"""While the ledger moves; nothing waits for it but a name that came a moment ago."""
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
"""Between calls to a partner that does not answer."""

# A commitment in a batch: tag and length, then what may follow it, a later field of its record, the
# next record, or the end. Rarely found by chance, which then costs one reading of a transaction.
_MAY_COMMIT: Final = re.compile(rb"B .{32}(?:[JRY\x12]|\Z)", re.DOTALL)

_log = structlog.get_logger("aeo.profiles")


class Home(Protocol):
    """What a member keeps, as its partners ask for it
    (`service.node.profiles.desk.ProfileDesk`)."""

    def open_for(self, arrangement_id: bytes, commitments: Sequence[bytes]) -> list[Opened]:
        """What opens commitments under an arrangement."""

    def erase_for(
        self, arrangement_id: bytes, issuer: str, commitments: Sequence[bytes]
    ) -> tuple[Sequence[bytes], int]:
        """Erase what an issuer's notice names; what is gone, and when."""


class Partners:
    """How the nodes of other members are asked."""

    def __init__(self, economy: str, peers: Peers, hosted: Callable[[], Mapping[str, Home]]):
        self._economy = economy
        self._peers = peers
        self._hosted = hosted

    def fetch(
        self, issuer: str, arrangement_id: bytes, commitments: Sequence[bytes]
    ) -> list[Opened]:
        """What an issuer's node gives. Raises `ServiceError` where it does not answer."""
        beside = self._beside(issuer)
        if beside is not None:
            return beside.open_for(arrangement_id, commitments)
        request = pb.ProfileServiceFetchRequest(
            arrangement_id=arrangement_id, economy=issuer, commitments=commitments
        )
        answer = self._peers.call(
            issuer, lambda channel: ProfileServiceStub(channel).Fetch, request
        )
        return [Opened(each.commitment, each.nonce, each.profile) for each in answer.profiles]

    def notify(self, notice: Notice, commitments: Sequence[bytes]) -> Sequence[bytes]:
        """Tell a partner to erase; what it says is gone. Raises `ServiceError` likewise."""
        beside = self._beside(notice.partner)
        if beside is not None:
            return beside.erase_for(notice.arrangement_id, self._economy, commitments)[0]
        request = pb.NoticeErasureRequest(
            arrangement_id=notice.arrangement_id,
            economy=notice.partner,
            commitments=commitments,
        )
        return self._peers.call(
            notice.partner, lambda channel: ProfileServiceStub(channel).NoticeErasure, request
        ).commitments

    def _beside(self, economy: str) -> Home | None:
        return None if self._peers.reaches(economy) else self._hosted().get(economy)


class Side(NamedTuple):
    """One hosted member; `load` makes its search ready, `kept` hears of each profile that came."""

    economy: str
    store: ProfileStore
    partners: Partners
    load: Callable[[], None]
    kept: Callable[[bytes, Profile], None]


class ProfileExchange:
    """The thread of one node."""

    def __init__(
        self,
        sides: Sequence[Side],
        ledger: LedgerStore,
        current: Callable[[], State],
        clock: Clock,
    ) -> None:
        self._sides = tuple(sides)
        self._ledger = ledger
        self._current = current
        self._clock = clock
        self._scanned = -1
        # Whoever asks whom: until when it is left alone (monotonic ns), how long next time.
        self._away: dict[tuple[str, str], tuple[int, float]] = {}
        self._asked = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="aeo-profiles")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End. Idempotent."""
        self._stopping = True
        self._asked.set()
        if self._thread.is_alive():
            self._thread.join()

    def wake(self) -> None:
        """There is something to tell, or to scrub."""
        self._asked.set()

    def round(self) -> None:
        """Do once all that there is to do. The thread calls this; so do tests."""
        self._scan()
        for side in self._sides:
            self._fetch(side)
            self._notify(side)
            self._scrub(side)

    def _run(self) -> None:
        for side in self._sides:
            if not self._stopping:
                side.load()
        while not self._stopping:
            try:
                self.round()
            except ServiceError as error:
                _log.warning("profiles wait", reason=str(error))
            except Exception as error:  # noqa: BLE001 - the thread must outlive a faulty partner
                _log.error("profiles failed", exc_info=error)
            self._asked.wait(LOOK_EVERY_S)
            self._asked.clear()

    # Reading the log.

    def _scan(self) -> None:
        if self._scanned < 0:
            self._scanned = min((side.store.scanned() for side in self._sides), default=0)
        state = self._current()
        if self._scanned < state.base_log_size:
            self._want(state, self._before_base(state), state.base_log_size, note=True)
        while self._scanned < state.log_size and not self._stopping:
            count = min(SCAN_LIMIT, state.log_size - self._scanned)
            wanted = list(self._read(state, count))
            self._want(state, wanted, self._scanned + count, note=count == SCAN_LIMIT)

    def _want(self, state: State, wanted: Sequence[Wanted], scanned: int, *, note: bool) -> None:
        """Have each side want its part of what was read up to `scanned`; `note` it in any case."""
        self._scanned = scanned
        for side in self._sides:
            mine = frozenset(state.own_arrangements(side.economy))
            own = [
                each
                for each in wanted
                if each.issuer != side.economy and each.arrangement_id in mine
            ]
            if own or note:
                side.store.want(own, scanned)

    def _before_base(self, state: State) -> list[Wanted]:
        """What records commit to of which a snapshot has kept no transactions."""
        return [
            Wanted(commitment, each.arrangement_id, each.issuer)
            for each in records_between(state, self._scanned, state.base_log_size)
            if _MAY_COMMIT.search(each.record)
            and (commitment := parse_status(each.record).profile_commitment)
        ]

    def _read(self, state: State, count: int) -> Iterator[Wanted]:
        first = self._scanned
        for log_index, data in enumerate(self._ledger.transactions(first, count), first):
            if not _MAY_COMMIT.search(data):
                continue
            body = parse_transaction(data).body
            if body.WhichOneof("action") != "statuses":
                continue
            refused = {position for position, _ in state.results(log_index)}
            for position, record in enumerate(body.statuses.records):
                if position in refused:
                    continue
                commitment = parse_status(record).profile_commitment
                if commitment:
                    yield Wanted(commitment, body.statuses.arrangement_id, body.author)

    # Asking partners.

    def _fetch(self, side: Side) -> None:
        left = side.store.wanted(FETCH_LIMIT * 8, TRIES)
        by_place: dict[tuple[str, bytes], list[Wanted]] = {}
        for wanted in left:
            by_place.setdefault((wanted.issuer, wanted.arrangement_id), []).append(wanted)
        for (issuer, arrangement_id), of_one in sorted(by_place.items()):
            for at in range(0, len(of_one), FETCH_LIMIT):
                if self._stopping or self._is_away(side, issuer):
                    break
                part = of_one[at : at + FETCH_LIMIT]
                try:
                    came = side.partners.fetch(
                        issuer, arrangement_id, [each.commitment for each in part]
                    )
                except ServiceError as error:
                    self._let_be(side, issuer, error)
                    break
                self._away.pop((side.economy, issuer), None)
                if self._keep(side, part, came):
                    self._let_be(side, issuer, "profiles that do not open their commitments")

    def _keep(self, side: Side, asked: Sequence[Wanted], came: Sequence[Opened]) -> int:
        """Keep what opens its commitment; how many did not."""
        by_commitment = {each.commitment: each for each in asked}
        opened: list[PartnerProfile] = []
        shown: list[tuple[bytes, Profile]] = []
        refused = 0
        for each in came:
            wanted = by_commitment.get(each.commitment)
            if wanted is None:
                continue  # nobody asked for it
            try:
                profile = open_profile(each.commitment, each.nonce, each.data)
                self._check_issuer(wanted.issuer, profile)
            except FormatError as error:
                refused += 1
                _log.warning(
                    "a profile was refused",
                    commitment=each.commitment.hex(),
                    reason=str(error),
                )
                continue
            del by_commitment[each.commitment]
            opened.append(PartnerProfile(wanted, profile.tin, each.nonce, each.data))
            shown.append((each.commitment, profile))
        kept = side.store.keep(opened, list(by_commitment.values()), refused)
        for commitment, profile in shown:
            # One that was erased while it came is not in the store any more.
            if kept == len(shown) or side.store.partner(commitment) is not None:
                side.kept(commitment, profile)
        return refused

    def _check_issuer(self, issuer: str, profile: Profile) -> None:
        """Nobody names, or misnames, the traders of others."""
        history = self._current().speaker_history(profile.tin[:2])
        if not any(entry.begins and entry.economy == issuer for entry in history):
            raise FormatError(f"{issuer} never spoke for the number's prefix")

    def _notify(self, side: Side) -> None:
        for notice in side.store.notices(NOTICE_LIMIT):
            if self._stopping:
                return
            if self._is_away(side, notice.partner):
                continue
            gone: set[bytes] = set()
            try:
                for at in range(0, len(notice.commitments), NOTICE_LIMIT):
                    part = notice.commitments[at : at + NOTICE_LIMIT]
                    gone.update(side.partners.notify(notice, part))
            except ServiceError as error:
                self._let_be(side, notice.partner, error)
                continue
            if gone >= set(notice.commitments):
                self._away.pop((side.economy, notice.partner), None)
                side.store.acknowledge(notice.notice_id, self._clock.now_ms())
            else:
                self._let_be(side, notice.partner, "it did not acknowledge all of a notice")

    def _scrub(self, side: Side) -> None:
        # A reader in the way holds up the store's writers with us: not each round.
        if not self._is_away(side, side.economy) and side.store.scrub_due():
            if side.store.scrub():
                self._away.pop((side.economy, side.economy), None)
            else:
                self._let_be(side, side.economy, "readers hold the file that is to be scrubbed")

    def _is_away(self, side: Side, economy: str) -> bool:
        until, _ = self._away.get((side.economy, economy), (0, 0.0))
        return self._clock.monotonic_ns() < until

    def _let_be(self, side: Side, economy: str, reason: object) -> None:
        place = side.economy, economy
        _, before = self._away.get(place, (0, 0.0))
        pause = min(before * 2, LONGEST_PAUSE_S) if before else FIRST_PAUSE_S
        self._away[place] = self._clock.monotonic_ns() + int(pause * 1e9), pause
        _log.info("left alone for a while", economy=economy, seconds=pause, reason=str(reason))
