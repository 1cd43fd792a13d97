"""Alerts: each metric in a rule is shown by a running process, and each rule fires when it must.

Prometheus' own parser and engine judge them (`k8s/tools/rules`).
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import urlopen

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from cometbft.driver import Network
from k8s.rendered import named
from k8s.tools import tool
from service.api.configured import node_settings, serving_settings
from service.api.engine_gauges import EngineGauges
from service.api.replica_gauges import SourceGauges
from service.api.serving import serve
from service.config import load_config
from service.keys.keystore import Pbkdf2
from service.keys.member_keys import Founder
from service.node.founding.folder import LOCAL_HOSTS, Plan, found_network
from service.node.founding.ports import free_port
from service.node.node import Node
from service.node.replica.standing import NOTHING_YET, Standing

Case = dict[str, list[float]]
Alert = dict[str, Any]

WEEK = 7 * 86_400
NOW = 1_800_000_000
"""What time() is when cases are tried."""
LOOKUP = 'method="/aeo.exchange.v1.StatusService/Lookup"'
AU = 'economy="AU"'
WRONG = f'kind="wrong_share",{AU}'
SEEN = 'namespace="aeo",pod="w"'

# For each alert: samples a minute apart on which it holds, and such on which it does not.
CASES: dict[str, tuple[list[Case], list[Case]]] = {
    "AeoForkFound": (
        [{'aeo_evidence{kind="fork"}': [1]}],
        [{'aeo_evidence{kind="fork"}': [0]}, {'aeo_evidence{kind="double number"}': [3]}],
    ),
    "AeoDoubleNumber": (
        [{'aeo_evidence{kind="double number"}': [1]}],
        [{'aeo_evidence{kind="fork"}': [1], 'aeo_evidence{kind="double number"}': [0]}],
    ),
    "AeoHeadOld": (
        [{"aeo_head_age_seconds": [7_201], "aeo_heartbeat_interval_seconds": [3_600]}],
        [{"aeo_head_age_seconds": [7_199], "aeo_heartbeat_interval_seconds": [3_600]}],
    ),
    "AeoUnsealed": ([{"aeo_unsealed_seconds": [121]}], [{"aeo_unsealed_seconds": [119]}]),
    "AeoMemberSilent": (
        [
            {
                'aeo_member_silence_seconds{namespace="aeo",pod="w",economy="AU"}': [10_801],
                'aeo_member_silence_seconds{namespace="aeo",pod="r",economy="AU"}': [10_801],
                'aeo_member_silence_seconds{namespace="aeo",pod="w",economy="NZ"}': [60],
                'aeo_heartbeat_interval_seconds{namespace="aeo",pod="w"}': [3_600],
                'aeo_heartbeat_interval_seconds{namespace="aeo",pod="r"}': [3_600],
            }
        ],
        [
            {
                'aeo_member_silence_seconds{namespace="aeo",pod="w",economy="AU"}': [10_799],
                'aeo_heartbeat_interval_seconds{namespace="aeo",pod="w"}': [3_600],
            }
        ],
    ),
    "AeoClockBehind": ([{"aeo_clock_behind_seconds": [6]}], [{"aeo_clock_behind_seconds": [5]}]),
    "AeoVerificationFailures": (
        [{'aeo_verification_failures_total{kind="share",economy="AU"}': [0, 0, 1, 1]}],
        [{'aeo_verification_failures_total{kind="share",economy="AU"}': [5, 5, 5, 5]}],
    ),
    "AeoEngineFaults": (
        [
            # Beginning with the first, and going on.
            {f"aeo_engine_faults_total{{{WRONG}}}": [*range(12)]},
            {
                'aeo_engine_faults_total{kind="equivocation",economy="AU"}': [4] * 3
                + [5] * 6
                + [6] * 3
            },
        ],
        [
            {f"aeo_engine_faults_total{{{WRONG}}}": [0] * 9 + [1] * 3},
            {f"aeo_engine_faults_total{{{WRONG}}}": [0] * 3 + [1] * 9},
            {f"aeo_engine_faults_total{{{WRONG}}}": [7] * 12},
            {'aeo_engine_faults_total{kind="missing_share",economy="AU"}': [*range(12)]},
        ],
    ),
    "AeoMissingShares": (
        [
            {
                f"aeo_missing_shares_total{{{SEEN},{AU}}}": [*range(0, 62, 2)],
                f'aeo_missing_shares_total{{{SEEN},economy="NZ"}}': [3] * 31,
                f"aeo_head_height{{{SEEN}}}": [*range(100, 162, 2)],
            },
            {  # few headers, as on a quiet ledger
                f"aeo_missing_shares_total{{{SEEN},{AU}}}": [0] * 15 + [1] * 16,
                f"aeo_head_height{{{SEEN}}}": [9] * 15 + [10] * 16,
            },
        ],
        [
            {  # now and then one is late
                f"aeo_missing_shares_total{{{SEEN},{AU}}}": [*range(31)],
                f"aeo_head_height{{{SEEN}}}": [*range(0, 310, 10)],
            },
            {  # nothing is voted on
                f"aeo_missing_shares_total{{{SEEN},{AU}}}": [9] * 31,
                f"aeo_head_height{{{SEEN}}}": [40] * 31,
            },
        ],
    ),
    "AeoSourceRefused": (
        [
            {
                'aeo_source_refused{pod="r",source="hk:7443"}': [0, 1],
                'aeo_source_refused{pod="r",source="nz:7443"}': [0, 0],
            }
        ],
        [{'aeo_source_refused{pod="r",source="hk:7443"}': [1, 0]}],
    ),
    "AeoReplicaStuck": ([{"aeo_replica_stuck": [1]}], [{"aeo_replica_stuck": [0]}]),
    "AeoSnapshotsFailing": (
        [{"aeo_snapshot_failures_total": [0] * 10 + [1] * 300}],
        [{"aeo_snapshot_failures_total": [2] * 300}],
    ),
    "AeoEngineFailed": ([{"aeo_engine_failed": [1]}], [{"aeo_engine_failed": [0]}]),
    "AeoPublisherFailed": (
        [{'aeo_publisher_failed{economy="NZ"}': [1]}],
        [{'aeo_publisher_failed{economy="NZ"}': [0]}],
    ),
    "AeoOutboxWaiting": (
        [
            {"aeo_outbox_waiting_records": [5.0] * 12},
            {"aeo_outbox_waiting_records": [*range(1, 13)]},
        ],
        [
            {"aeo_outbox_waiting_records": [*range(24, 0, -2)]},  # it is being worked off
            {"aeo_outbox_waiting_records": [9, 9, 9, 0, 9, 9, 9]},
            {"aeo_outbox_waiting_records": [0.0] * 12},
        ],
    ),
    "AeoAccessLogFailing": (
        [{'aeo_access_log_failing{economy="NZ"}': [1]}],
        [{'aeo_access_log_failing{economy="NZ"}': [0]}],
    ),
    "AeoCertificateEnds": (
        [{"aeo_certificate_expiry_timestamp_seconds": [NOW + WEEK - 1]}],
        [{"aeo_certificate_expiry_timestamp_seconds": [NOW + WEEK + 1]}],
    ),
    "AeoCertificateRefused": (
        [{"aeo_certificate_refused": [1]}],
        [{"aeo_certificate_refused": [0]}],
    ),
    "AeoCallsRefused": (
        [{'aeo_calls_refused_full_total{pool="quick"}': [0, 120, 240, 360, 480, 600]}],
        [{'aeo_calls_refused_full_total{pool="quick"}': [7, 7, 7, 7, 7, 9]}],
    ),
    "AeoSlowLookups": (
        [
            {
                f'aeo_call_duration_seconds_bucket{{{LOOKUP},le="0.01"}}': [0, 80, 160],
                f'aeo_call_duration_seconds_bucket{{{LOOKUP},le="0.25"}}': [0, 100, 200],
                f'aeo_call_duration_seconds_bucket{{{LOOKUP},le="+Inf"}}': [0, 100, 200],
            }
        ],
        [
            {
                f'aeo_call_duration_seconds_bucket{{{LOOKUP},le="0.01"}}': [0, 100, 200],
                f'aeo_call_duration_seconds_bucket{{{LOOKUP},le="0.25"}}': [0, 100, 200],
                f'aeo_call_duration_seconds_bucket{{{LOOKUP},le="+Inf"}}': [0, 100, 200],
            }
        ],
    ),
}


def tried(folder: Path, groups: object, cases: list[Case]) -> list[Alert]:
    """What Prometheus makes of groups of rules, and of samples under them."""
    path = folder / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": groups}))
    made = subprocess.run(
        [tool("rules"), path],
        input=json.dumps([{"series": case} for case in cases]),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if made.returncode:
        raise ValueError(made.stderr)
    answers: list[Alert] = json.loads(made.stdout)
    return answers


def groups() -> Any:
    return named("production", "PrometheusRule", "aeo")["spec"]["groups"]


@pytest.fixture(scope="module")
def alerts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Alert]:
    cases = [case for fires, quiet in CASES.values() for case in (*fires, *quiet)]
    answers = tried(tmp_path_factory.mktemp("alerts"), groups(), cases)
    return {each["name"]: each for each in answers}


def test_every_alert_is_tried(alerts: dict[str, Alert]) -> None:
    assert set(alerts) == set(CASES)
    for each in groups():
        for rule in each["rules"]:
            assert rule["labels"]["severity"] in {"critical", "warning"}
            assert rule["annotations"]["summary"]
            assert rule["annotations"]["description"]


@pytest.mark.parametrize("name", sorted(CASES))
def test_an_alert_holds_when_it_must_and_only_then(name: str, alerts: dict[str, Alert]) -> None:
    number = 0
    for other, (fires, quiet) in CASES.items():
        for expected, cases in ((True, fires), (False, quiet)):
            for case in cases:
                if other == name:
                    assert bool(alerts[name]["holds"][number]) is expected, case
                number += 1


def test_a_silent_member_is_named_once_however_many_processes_see_it(
    alerts: dict[str, Alert],
) -> None:
    [held] = [each for each in alerts["AeoMemberSilent"]["holds"] if each]
    assert held == [{"namespace": "aeo", "economy": "AU"}]


def test_what_prometheus_refuses_is_refused(tmp_path: Path) -> None:
    for expression in ("aeo_head_age_seconds >", "rate(aeo_head_age_seconds)", 'x{a="b"'):
        rule = {"alert": "Broken", "expr": expression}
        with pytest.raises(ValueError, match=r"Broken|rules\.yaml"):
            tried(tmp_path, [{"name": "one", "rules": [rule]}], [])
    with pytest.raises(ValueError, match="field"):
        tried(tmp_path, [{"name": "one", "rules": [{"alert": "A", "expression": "x"}]}], [])


# A running node.


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, float]]]:
    """What a node shows, by the sample's name: values by their labels."""
    folder = tmp_path_factory.mktemp("node") / "network"
    plan = Plan(
        name="Alerts",
        founders=[
            Founder("HK", "HK", "Asia/Hong_Kong", ("HK",), 1),
            Founder("NZ", "NZ", "Pacific/Auckland", ("NZ",), 1),
        ],
        listen=f"127.0.0.1:{free_port()}",
        health="",
        metrics="127.0.0.1:0",
        hosts=LOCAL_HOSTS,
        passphrase_file=None,
        pilot=True,
        kdf=Pbkdf2(1 << 12),
    )
    found_network(folder, plan)
    config = load_config(folder / "node.toml")
    with Node.start(node_settings(config)) as node:
        node.hosted["NZ"].publisher.heartbeat().result(timeout=30)
        with serve(node, serving_settings(config, node)) as server:
            address = f"http://{server.metrics_address}/metrics"
            with urlopen(address, timeout=10) as answer:
                text = answer.read().decode()
            families = text_string_to_metric_families(text)
            found: dict[str, dict[str, float]] = {}
            for family in families:
                found.setdefault(family.name, {})
                for sample in family.samples:
                    labels = " ".join(sample.labels[name] for name in sorted(sample.labels))
                    found.setdefault(sample.name, {})[labels] = sample.value
            yield found


class FreshReplica(NamedTuple):
    """One that has not asked any source yet."""

    standing: Standing = NOTHING_YET


@pytest.fixture(scope="module")
def shown_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What replicas show, and nodes under CometBFT."""
    network = Network(tmp_path_factory.mktemp("engine"), ("AU", "HK", "NZ"))
    try:
        application = network["AU"].application
        families = [*SourceGauges(FreshReplica()).collect(), *EngineGauges(application).collect()]
        return {family.name for family in families}
    finally:
        network.close()


def test_every_metric_of_a_rule_is_shown_by_a_running_process(
    alerts: dict[str, Alert], shown: dict[str, dict[str, float]], shown_elsewhere: set[str]
) -> None:
    # A counter or histogram with labels has no sample before the first call; its family is there.
    families = set(shown) | shown_elsewhere
    named_here = families | {f"{name}{end}" for name in families for end in ("_total", "_bucket")}
    for each in alerts.values():
        assert each["metrics"], each["name"]
        assert set(each["metrics"]) <= named_here, each["name"]


def test_a_node_shows_how_it_fares(shown: dict[str, dict[str, float]]) -> None:
    assert shown["aeo_head_height"][""] >= 1
    assert shown["aeo_sealed_height"] == shown["aeo_head_height"]
    assert shown["aeo_unsealed_seconds"][""] == 0
    assert 0 <= shown["aeo_head_age_seconds"][""] < 60
    assert shown["aeo_heartbeat_interval_seconds"][""] > 0
    assert set(shown["aeo_member_silence_seconds"]) == {"HK", "NZ"}
    assert all(0 <= value < 60 for value in shown["aeo_member_silence_seconds"].values())
    assert shown["aeo_evidence"] == {"fork": 0, "double number": 0}
    assert shown["aeo_verification_failures_total"] == {" transaction": 0}
    assert shown["aeo_refused_transactions_total"] == {"SIGNATURE_INVALID": 0}
    assert shown["aeo_engine_failed"][""] == 0
    assert shown["aeo_snapshot_failures_total"] == {"": 0}
    assert shown["aeo_publisher_failed"] == {"HK": 0, "NZ": 0}
    assert shown["aeo_outbox_waiting_records"] == {"HK": 0, "NZ": 0}
    assert set(shown["aeo_certificate_expiry_timestamp_seconds"]) == {"", "HK", "NZ"}
    assert set(shown["aeo_certificate_refused"].values()) == {0}
