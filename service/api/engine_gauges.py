"""What a node under CometBFT shows of the votes: who lied, who was silent, what may not wait.

| name | labels | |
|---|---|---|
| aeo_engine_height | | CometBFT's height, blocks that changed nothing included |
| aeo_engine_faults_total | kind, economy | as `service.engine.cometbft.tally` names them |
| aeo_mempool_refused_total | code | transactions that may not wait in the mempool |
| aeo_mempool_waiting | | transactions that wait |

What did not verify (`wrong_share` and its like) is counted in `aeo_verification_failures_total` as
well. A missing share is not: a member that is down lies to nobody.
"""

from collections.abc import Iterator
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.api.gauges import VerificationFailures
from service.engine.cometbft.application import Application
from service.engine.cometbft.tally import (
    EQUIVOCATION,
    REFUSED_EXTENSION,
    REFUSED_PROPOSAL,
    WRONG_SHARE,
)
from service.node.node import Node

UNVERIFIED: Final = (WRONG_SHARE, REFUSED_PROPOSAL, REFUSED_EXTENSION, EQUIVOCATION)


class EngineGauges(Collector):
    """Reads an application when somebody asks."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def collect(self) -> Iterator[Metric]:
        """Show all of it."""
        application = self._application
        yield GaugeMetricFamily(
            "aeo_engine_height", "CometBFT's newest height.", value=application.height
        )
        faults = CounterMetricFamily(
            "aeo_engine_faults", "What members did wrong in votes.", labels=("kind", "economy")
        )
        for kind, counts in application.counts.items():
            # A copy in one step of the interpreter: the engine goes on counting.
            for economy, number in counts.copy().items():
                faults.add_metric((kind, economy), number)
        yield faults
        refused = CounterMetricFamily(
            "aeo_mempool_refused", "Transactions that may not wait.", labels=("code",)
        )
        for code, number in application.mempool.refused.copy().items():
            refused.add_metric((code,), number)
        yield refused
        yield GaugeMetricFamily(
            "aeo_mempool_waiting", "Transactions that wait.", value=len(application.mempool)
        )

    def unverified(self) -> dict[tuple[str, str], int]:
        """What did not verify, by kind and economy."""
        counts = self._application.counts
        return {
            (kind, economy): number
            for kind in UNVERIFIED
            for economy, number in counts[kind].copy().items()
        }


def watch_engine(node: Node, failures: VerificationFailures) -> tuple[Collector, ...]:
    """What to register for a node's engine; nothing where it orders by itself."""
    application = getattr(node.engine, "application", None)
    if not isinstance(application, Application):
        return ()
    gauges = EngineGauges(application)
    failures.watch(gauges.unverified)
    return (gauges,)
