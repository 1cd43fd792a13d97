"""What the alerts of a node hang from, read at the moment when somebody asks.

| name | labels | |
|---|---|---|
| aeo_head_height | | of the newest header |
| aeo_sealed_height | | of the newest header that a seal of its own or of a later one covers |
| aeo_head_age_seconds | | since the time of the newest header |
| aeo_unsealed_seconds | | since the time of the first header without a seal; 0 without any |
| aeo_clock_behind_seconds | | how far the node's clock is behind the ledger, at least |
| aeo_heartbeat_interval_seconds | | how often a member of this network speaks at least |
| aeo_member_silence_seconds | economy | since its newest transaction, or since it is a member |
| aeo_verification_failures_total | kind, economy | what was refused because it did not verify |
| aeo_refused_transactions_total | code | transactions that did not enter the log |
| aeo_evidence | kind | proofs of misbehaviour kept: `fork`, `double number` |
| aeo_engine_failed | | 1 once the node no longer orders |
| aeo_missing_shares_total | economy | headers voted on without a good share of the member |
| aeo_snapshot_failures_total | | snapshots that could not be made; each is tried again |
| aeo_publisher_failed | economy | 1 once a hosted member no longer publishes |
| aeo_outbox_waiting_records | economy | promised, in no signed transaction yet |
| aeo_certificate_expiry_timestamp_seconds | economy | end of a certificate; "": the node's own |
| aeo_certificate_refused | economy | 1 while the renewed files cannot be used |

Members that were suspended or removed are silent by right: they have no silence here. `kind` is
`transaction` for a wrong signature of a transaction; others count theirs through
`VerificationFailures`: CometBFT's application what members vote and propose wrongly
(`service.engine.cometbft.tally`), a replica what a source sent.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from aeo.exchange.v1.status_service_pb2 import FINALITY_SEALED
from ledger.audit.evidence import DOUBLE_NUMBER, FORK
from ledger.state.refusals import SIGNATURE_INVALID
from service.engine.cometbft.application import Application
from service.engine.cometbft.engine import CometBftEngine
from service.engine.cometbft.tally import MISSING_SHARE
from service.keys.renewal import RenewedCertificate
from service.node.lookup.host import AnsweringHost, SealView
from service.node.node import Node

TRANSACTION: Final = "transaction"
"""A transaction whose signature is not its author's."""

Counts = Mapping[tuple[str, str], int]
"""How many, by kind and economy ("" where none can be named)."""


class VerificationFailures(Collector):
    """What did not verify, counted by whoever checks. Any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted: Counter[tuple[str, str]] = Counter({(TRANSACTION, ""): 0})
        self._sources: list[Callable[[], Counts]] = []

    def count(self, kind: str, economy: str = "") -> None:
        """One more."""
        with self._lock:
            self._counted[kind, economy] += 1

    def watch(self, source: Callable[[], Counts]) -> None:
        """Add what somebody else counts, since the start of the process, whenever it is shown."""
        self._sources.append(source)

    def collect(self) -> Iterator[Metric]:
        """The sums."""
        family = CounterMetricFamily(
            "aeo_verification_failures",
            "What was refused because it did not verify.",
            labels=("kind", "economy"),
        )
        with self._lock:
            sums = Counter(self._counted)
        for source in self._sources:
            for labels, number in source().items():
                sums[labels] += number
        for labels, number in sorted(sums.items()):
            family.add_metric(labels, number)
        yield family


class HeadGauges(Collector):
    """How far the ledger has come here, and who is silent."""

    def __init__(self, host: AnsweringHost) -> None:
        self._host = host

    def collect(self) -> Iterator[Metric]:
        """All from one state."""
        seal, state = self._host.newest_seal, self._host.state
        time = self._host.known_time
        now, behind = time.now_ms(state.header_time), time.behind_ms(state.header_time) / 1000
        about = "How far the clock is behind the ledger, at least."
        yield _gauge("aeo_clock_behind_seconds", about, behind)
        sealed = seal.height if seal is not None and seal.finality == FINALITY_SEALED else None
        if seal is not None and sealed is None:
            sealed = self._sealed_before(seal)
        covered = min(sealed, state.height) if sealed is not None else -1
        yield _gauge("aeo_head_height", "Height of the newest header.", state.height)
        yield _gauge("aeo_sealed_height", "Height up to which headers are sealed.", covered)
        age = _seconds(now, state.header_time)
        yield _gauge("aeo_head_age_seconds", "Since the time of the newest header.", age)
        unsealed = 0.0 if covered >= state.height else _seconds(now, state.time_of(covered + 1))
        yield _gauge(
            "aeo_unsealed_seconds", "Since the time of the first header without a seal.", unsealed
        )
        yield _gauge(
            "aeo_heartbeat_interval_seconds",
            "How often a member speaks at least.",
            state.heartbeat_interval / 1000,
        )
        silence = GaugeMetricFamily(
            "aeo_member_silence_seconds",
            "Since a member's newest transaction.",
            labels=("economy",),
        )
        for economy in sorted(state.membership.members):
            spoke = state.author_seen(economy, state.height)
            since = max(spoke or 0, state.member_since(economy))
            silence.add_metric((economy,), _seconds(now, since))
        yield silence

    def _sealed_before(self, seal: SealView) -> int | None:
        """The newest sealed height where the newest seal is no full one."""
        found = self._host.ledger_store.newest_sealed()
        return None if found is None else min(found.height, seal.height)


class NodeGauges(Collector):
    """How the parts of a node fare."""

    def __init__(self, node: Node, certificates: Mapping[str, RenewedCertificate]) -> None:
        self._node = node
        self._certificates = certificates
        self._refused: Counter[str] = Counter()

    def refused(self, code: str) -> None:
        """One more transaction that did not enter. The writer's thread alone calls this."""
        self._refused[code] += 1

    def collect(self) -> Iterator[Metric]:
        """Whatever holds now."""
        node = self._node
        refused = CounterMetricFamily(
            "aeo_refused_transactions",
            "Transactions that did not enter the log.",
            labels=("code",),
        )
        for code, number in sorted({SIGNATURE_INVALID: 0, **self._refused}.items()):
            refused.add_metric((code,), number)
        yield refused
        kinds = {FORK: 0, DOUBLE_NUMBER: 0, **node.evidence.kinds()}
        yield _labelled("aeo_evidence", "Proofs of misbehaviour kept.", "kind", kinds.items())
        yield _gauge(
            "aeo_engine_failed",
            "Whether the node no longer orders.",
            float(node.engine.failure is not None),
        )
        yield CounterMetricFamily(
            "aeo_snapshot_failures",
            "Snapshots that could not be made.",
            value=node.snapshots.failures,
        )
        missing = CounterMetricFamily(
            "aeo_missing_shares",
            "Headers voted on without a good share of the member.",
            labels=("economy",),
        )
        for economy, number in sorted(_tallied(node).get(MISSING_SHARE, {}).items()):
            missing.add_metric((economy,), number)
        yield missing
        hosted = sorted(node.hosted.items())
        yield _labelled(
            "aeo_publisher_failed",
            "Whether a hosted member no longer publishes.",
            "economy",
            ((each, member.publisher.failure is not None) for each, member in hosted),
        )
        yield _labelled(
            "aeo_outbox_waiting_records",
            "Records promised, in no signed transaction yet.",
            "economy",
            ((each, member.publisher.waiting) for each, member in hosted),
        )
        shown = sorted(self._certificates.items())
        yield _labelled(
            "aeo_certificate_expiry_timestamp_seconds",
            "When the certificate shown ends.",
            "economy",
            ((each, files.current().expires.timestamp()) for each, files in shown),
        )
        yield _labelled(
            "aeo_certificate_refused",
            "Whether the renewed files of a certificate cannot be used.",
            "economy",
            ((each, bool(files.fault)) for each, files in shown),
        )


def watch_node(
    node: Node, certificates: Mapping[str, RenewedCertificate], failures: VerificationFailures
) -> tuple[Collector, ...]:
    """What to register for a node; from now on its refusals are counted."""
    gauges = NodeGauges(node, certificates)

    def refused(_: bytes, code: str) -> None:
        gauges.refused(code)
        if code == SIGNATURE_INVALID:
            failures.count(TRANSACTION)

    def tallied() -> Counts:
        return {
            (kind, economy): number
            for kind, counted in _tallied(node).items()
            if kind != MISSING_SHARE  # who is away has done nothing wrong
            for economy, number in list(counted.items())
        }

    node.feed.listen_refused(refused)
    failures.watch(tallied)
    return HeadGauges(node), gauges


def _tallied(node: Node) -> Mapping[str, Mapping[str, int]]:
    """What members did wrongly as CometBFT's application saw it; nothing under another engine."""
    engine = node.engine
    if not isinstance(engine, CometBftEngine) or not isinstance(engine.application, Application):
        return {}
    return engine.application.counts


def _seconds(now: int, since: int) -> float:
    return max(now - since, 0) / 1000


def _gauge(name: str, about: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, about, value=value)


def _labelled(
    name: str, about: str, label: str, values: Iterable[tuple[str, float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, about, labels=(label,))
    for value, number in values:
        family.add_metric((value,), float(number))
    return family
