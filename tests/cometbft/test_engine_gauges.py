"""What the votes showed is on the page that the monitoring reads."""

from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest

from cometbft.driver import Network
from service.api.engine_gauges import EngineGauges
from service.api.gauges import VerificationFailures


def test_liars_and_the_silent_are_shown(tmp_path: Path) -> None:
    with Network(tmp_path, ("AU", "HK", "NZ", "SG")) as network:
        network.lies.update({"SG": lambda _: bytes(96), "NZ": lambda _: b""})
        network.send(b"junk")
        for _ in range(3):
            network.decide()
        gauges, failures = EngineGauges(network["AU"].application), VerificationFailures()
        failures.watch(gauges.unverified)
        registry = CollectorRegistry()
        registry.register(gauges)
        registry.register(failures)
        shown = generate_latest(registry).decode().splitlines()
    for line in (
        "aeo_engine_height 3.0",
        'aeo_engine_faults_total{economy="SG",kind="wrong_share"} 2.0',
        'aeo_engine_faults_total{economy="NZ",kind="missing_share"} 2.0',
        'aeo_verification_failures_total{economy="SG",kind="wrong_share"} 2.0',
        'aeo_mempool_refused_total{code="MALFORMED"} 1.0',
        "aeo_mempool_waiting 0.0",
    ):
        assert line in shown, shown
    assert not [line for line in shown if "verification" in line and "missing" in line]
