"""What a replica shows of the nodes that it follows. Every serving process shows the same.

| name | labels | |
|---|---|---|
| aeo_source_followed | source | 1 for the one that is followed now |
| aeo_source_refused | source | 1 while it is refused, for what it showed cannot be so |
| aeo_source_refusals_total | source, code | how often, by the codes of its `refusals` |
| aeo_source_faults_total | source | unexpected errors of this program while it was followed |
| aeo_evidence | kind | proofs of misbehaviour kept: `fork`, `double number`; as a node's |
| aeo_replica_stuck | | 1 while nothing can be followed for long, for such errors |

Counts begin anew when the follower does. What was refused lies in the folder as long as that is
kept (`refusals/`).
"""

from collections.abc import Iterator
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ledger.audit.evidence import DOUBLE_NUMBER, FORK
from service.node.replica.standing import SourceState, Standing


class Stands(Protocol):
    """Whoever knows how a replica stands with its sources."""

    @property
    def standing(self) -> Standing:
        """As it is now."""


class SourceGauges(Collector):
    """Reads the standing when somebody asks."""

    def __init__(self, host: Stands) -> None:
        self._host = host

    def collect(self) -> Iterator[Metric]:
        """All from one standing."""
        standing = self._host.standing
        for name, about, wanted in (
            ("aeo_source_followed", "Whether a source is followed now.", SourceState.FOLLOWED),
            ("aeo_source_refused", "Whether a source is refused now.", SourceState.REFUSED),
        ):
            states = GaugeMetricFamily(name, about, labels=("source",))
            for source, state in standing.states.items():
                states.add_metric((source,), float(state == wanted))
            yield states
        refusals = CounterMetricFamily(
            "aeo_source_refusals",
            "How often a source showed what cannot be so.",
            labels=("source", "code"),
        )
        for labels, number in sorted(standing.refusals.items()):
            refusals.add_metric(labels, number)
        yield refusals
        faults = CounterMetricFamily(
            "aeo_source_faults",
            "Unexpected errors while a source was followed.",
            labels=("source",),
        )
        for source in standing.states:
            faults.add_metric((source,), standing.faults.get(source, 0))
        yield faults
        evidence = GaugeMetricFamily(
            "aeo_evidence", "Proofs of misbehaviour kept.", labels=("kind",)
        )
        for kind, number in {FORK: 0, DOUBLE_NUMBER: 0, **standing.evidence}.items():
            evidence.add_metric((kind,), number)
        yield evidence
        yield GaugeMetricFamily(
            "aeo_replica_stuck",
            "Whether nothing can be followed for long.",
            value=float(standing.stuck),
        )
