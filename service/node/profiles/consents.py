"""Consents: recording them, and carrying out what their end means.

    given        the trader's certificates may be published under the arrangement from now on
    taken back   END_SHARING for each of its certificates there, at once; the profile is erased at
                 the arrangement's other parties

The end of a consent is stored with the step itself, before anything is published, and stays stored
until the ledger shows nothing shared. A keeper looks again once all that was under way has been
recorded, since a certificate may have been waiting in the outbox when its holder changed its mind;
and it takes up what an earlier process left. It sleeps for good where nothing has ended.

A consent that is given again shares nothing by itself: what is shared again, and with which status,
is the officer's SHARE_AGAIN. Whoever took its consent back is not shared under an arrangement that
asks for none either.
"""

import secrets
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

import structlog

from aeo.exchange.v1 import consent_service_pb2 as pb
from ledger.chain.keys import ARRANGEMENT_ID_BYTES
from ledger.state.state import State
from service.clock import Clock
from service.errors import ServiceError
from service.node.publishing.following import prepare_ends
from service.node.publishing.publisher import Publisher
from service.node.publishing.submission import PreparedRows
from service.node.publishing.targets import RowFault, RowRefused, RowTargets
from service.store.home.consents import ConsentStep, ConsentStore, Ending, NewConsent

# As many as one request to publish may have.
MAX_STEPS: Final = 3_000

CONSENT_CODES: Final[dict[str, str]] = {
    "ARRANGEMENT_UNKNOWN": "no arrangement of that id was proposed",
    "NOT_A_PARTY": "the member is not a party of the arrangement",
    "STATED_LATER": "the trader cannot have said so later than now",
    "CONSENT_UNCHANGED": "the trader's newest consent says the same",
}

# Longer than a request that was judged before a consent ended takes to reach the outbox.
SETTLED_MS: Final = 10_000
_LOOK_S: Final = 0.2
_AGAIN_S: Final = 1.0
_LONGEST_S: Final = 60.0

Erase = Callable[[str, Sequence[bytes]], object]

_log = structlog.get_logger("aeo.consents")


class Taken(NamedTuple):
    """What became of a request: faults by step, and certificates whose sharing ends."""

    faults: dict[int, RowFault]
    ended_certificates: int


class _Refused(Exception):
    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.fault = RowFault(code, f"{CONSENT_CODES[code]}: {detail}")


class ConsentDesk:
    """The consents of one hosted member's traders.

    `erase` starts erasing a trader's profile (canonical TIN) at the partners of arrangements;
    `tins` are those that have one.
    """

    def __init__(
        self,
        publisher: Publisher,
        consents: ConsentStore,
        current: Callable[[], State],
        clock: Clock,
        erase: Erase,
        tins: Callable[[], Iterable[str]],
    ) -> None:
        self._erase = erase
        self._tins = tins
        self._publisher = publisher
        self._consents = consents
        self._current = current
        self._clock = clock
        self._stopping = threading.Event()
        self._starting = threading.Lock()
        self._keeper: threading.Thread | None = None

    def start(self) -> None:
        """Take up the endings that an earlier process left."""
        if self._consents.endings():
            self._keep()

    def stop(self) -> None:
        """Leave what is not carried out to the next process. Idempotent."""
        self._stopping.set()
        with self._starting:
            keeper = self._keeper
        if keeper is not None:
            keeper.join()

    def record(self, steps: Sequence[pb.ConsentStep], recorded_by: str) -> Taken:
        """Record the good steps, and begin what their end means; durable on return."""
        now = self._clock.now_ms()
        targets = RowTargets(self._current(), self._publisher.economy, now)
        faults: dict[int, RowFault] = {}
        new: list[NewConsent] = []
        said: dict[tuple[str, bytes], bool] = {}  # earlier in this request
        for number, step in enumerate(steps):
            try:
                made = self._step(step, targets, said, now)
            except (RowRefused, _Refused) as refused:
                faults[number] = refused.fault
                continue
            said[made.tin, made.arrangement_id] = made.given
            new.append(made)
        endings = self._consents.record(new, now, recorded_by)
        ended = self._end_now(endings)
        erased: dict[str, list[bytes]] = {}
        for made in new:
            if not made.given:
                erased.setdefault(made.tin, []).append(made.arrangement_id)
        for tin, arrangement_ids in erased.items():
            self._erase(tin, arrangement_ids)
        return Taken(faults, ended)

    def history(self, text: str) -> list[ConsentStep]:
        """All that a trader ever said; raises `RowRefused` for what is no TIN of the member's."""
        state, economy = self._current(), self._publisher.economy
        return self._consents.history(RowTargets(state, economy, self._clock.now_ms()).tin(text))

    def _step(
        self,
        step: pb.ConsentStep,
        targets: RowTargets,
        said: dict[tuple[str, bytes], bool],
        now: int,
    ) -> NewConsent:
        tin = targets.tin(step.tin)
        arrangement_id = step.arrangement_id
        history = None
        if len(arrangement_id) == ARRANGEMENT_ID_BYTES:
            history = self._current().arrangement(arrangement_id)
        if history is None:
            raise _Refused("ARRANGEMENT_UNKNOWN", arrangement_id[:ARRANGEMENT_ID_BYTES].hex())
        if self._publisher.economy not in history.text.parties:
            raise _Refused("NOT_A_PARTY", arrangement_id.hex())
        stated_at = step.stated_at or now
        if stated_at > now:
            raise _Refused("STATED_LATER", str(stated_at))
        newest = said.get((tin, arrangement_id), self._consents.newest(arrangement_id, tin))
        if newest is step.given:
            raise _Refused("CONSENT_UNCHANGED", arrangement_id.hex())
        key = None if step.given else self._publisher.keyring.key(arrangement_id)
        subject = key.subject(tin) if key is not None else b""
        return NewConsent(tin, arrangement_id, step.given, stated_at, subject)

    def _end_now(self, endings: Sequence[Ending]) -> int:
        """End at once what can be; the rest, a full outbox's say, is left to the keeper."""
        if not endings:
            return 0
        try:
            return self._end(endings)
        except ServiceError as error:
            self._tell(error)
            return 0
        finally:
            self._keep()

    def _end(self, endings: Sequence[Ending]) -> int:
        """Publish END_SHARING for whatever is shared of these; how many certificates."""
        subjects = [(ending.arrangement_id, ending.subject) for ending in endings]
        made = 0

        def prepare(state: State, now: int) -> PreparedRows:
            nonlocal made
            rows = prepare_ends(subjects, state, self._publisher.economy, now)
            made = sum(len(group.records) for group in rows.groups)
            return rows

        state, now = self._current(), self._clock.now_ms()
        if prepare(state, now).groups:
            key = f"consent-end-{secrets.token_hex(16)}"
            self._publisher.accept(key, key.encode(), len(subjects), prepare)
        return made

    def _keep(self) -> None:
        with self._starting:
            if self._stopping.is_set() or (self._keeper is not None and self._keeper.is_alive()):
                return
            name = f"aeo-consents-{self._publisher.economy}"
            self._keeper = threading.Thread(target=self._run, name=name)
            self._keeper.start()

    def _run(self) -> None:
        wait = _AGAIN_S
        while True:
            try:
                with self._starting:  # whoever records an ending now starts another keeper
                    if not self._consents.endings():
                        self._keeper = None
                        return
                began = self._clock.now_ms()
                while self._consents.under_way(began):
                    if self._stopping.wait(_LOOK_S):
                        return
                carried_out = self._carried_out(began)
            except ServiceError as error:
                # Overloaded, suspended, a full disk: what has ended must end all the same.
                self._tell(error)
                carried_out = False
            wait = _AGAIN_S if carried_out else min(wait * 2, _LONGEST_S)
            if self._stopping.wait(wait):
                return

    def _tell(self, error: ServiceError) -> None:
        _log.warning("consents that ended wait", economy=self._publisher.economy, reason=str(error))

    def _carried_out(self, began: int) -> bool:
        """Publish what is shared still, close what is done; False where something was shared."""
        open_endings = self._consents.endings()
        self._consents.ended(
            [each for each in open_endings if not self._consents.still_ended(each)]
        )
        open_endings = [each for each in open_endings if self._consents.still_ended(each)]
        if self._end(open_endings[:MAX_STEPS]):
            return False
        done = [each for each in open_endings[:MAX_STEPS] if each.recorded_at + SETTLED_MS <= began]
        self._erase_left(done)
        self._consents.ended(done)
        return True

    def _erase_left(self, endings: Sequence[Ending]) -> None:
        """Erase what an earlier process did not come to, or a request under way committed to since.

        Only a profile still knows the TIN.
        """
        shared: dict[bytes, list[bytes]] = {}
        for ending in endings:
            shared.setdefault(ending.trader, []).append(ending.arrangement_id)
        if not shared:
            return
        for tin in list(self._tins()):
            own = shared.get(self._consents.keyed(tin))
            if own:
                self._erase(tin, own)
