"""What the manifests of both overlays promise, read from what kustomize renders."""

import copy
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from k8s.rendered import (
    OVERLAYS,
    Manifest,
    containers,
    manifests,
    named,
    of_kind,
    pod,
    rendered,
    workloads,
)
from k8s.tools import ROOT, tool
from service.config import load_config
from service.keys.spiffe import AccessRole, format_trust_domain, node_host, parse_spiffe
from service.node.replica.config import load_replica_config

SCHEMAS = ROOT / "k8s" / "schemas"
WRITER, REPLICA, STORES = "aeo-writer", "aeo-replica", "aeo-postgres"
HEALTH_PORT, GRPC_PORT, METRICS_PORT, P2P_PORT = 7444, 7443, 7445, 26656

each_overlay = pytest.mark.parametrize("overlay", OVERLAYS)


def conform(text: str) -> tuple[bool, dict[str, Any]]:
    """Have kubeconform judge manifests against the schemas of the tree; nothing is fetched."""
    made = subprocess.run(
        [
            tool("kubeconform"),
            "-strict",
            "-output=json",
            "-summary",
            "-schema-location",
            f"{SCHEMAS}/{{{{ .ResourceKind }}}}{{{{ .KindSuffix }}}}.json",
        ],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said: dict[str, Any] = json.loads(made.stdout)
    return made.returncode == 0, said


# Schemas.


@each_overlay
def test_every_manifest_is_what_its_kind_may_be(overlay: str) -> None:
    fine, said = conform(rendered(overlay))
    assert fine, said["resources"]
    assert said["summary"] == {
        "valid": len(manifests(overlay)),
        "invalid": 0,
        "errors": 0,
        "skipped": 0,
    }


def misspelt(manifest: Manifest) -> None:
    manifest["spec"]["template"]["spec"]["securityContexts"] = {}


def wrong_type(manifest: Manifest) -> None:
    manifest["spec"]["replicas"] = "one"


def deep(manifest: Manifest) -> None:
    manifest["spec"]["template"]["spec"]["containers"][0]["securityContext"]["runAsRoot"] = False


def missing(manifest: Manifest) -> None:
    del manifest["spec"]["selector"]


@pytest.mark.parametrize("spoil", [misspelt, wrong_type, deep, missing])
def test_a_schema_refuses_what_is_wrong(spoil: Callable[[Manifest], None]) -> None:
    spoilt = copy.deepcopy(named("production", "StatefulSet", WRITER))
    spoil(spoilt)
    assert not conform(yaml.safe_dump(spoilt))[0]


@pytest.mark.parametrize(
    ("kind", "name", "path", "value"),
    [
        ("Certificate", "aeo-node", "privateKey.algorithm", "DSA"),
        ("Certificate", "aeo-node", "uri", []),
        ("PrometheusRule", "aeo", "group", []),
        ("ServiceMonitor", "aeo", "endpoints", "all"),
        ("NetworkPolicy", "default-deny", "policyTypes", "Ingress"),
        ("PodDisruptionBudget", WRITER, "minAvaliable", 1),
        ("Cluster", STORES, "instance", 3),
        ("Cluster", STORES, "postgresql.synchronous", {"method": "all", "number": 1}),
        ("Service", WRITER, "clusterIp", "None"),
    ],
)
def test_so_does_that_of_every_other_kind(kind: str, name: str, path: str, value: object) -> None:
    spoilt = copy.deepcopy(named("production", kind, name))
    *above, last = path.split(".")
    place = spoilt["spec"]
    for step in above:
        place = place[step]
    place[last] = value
    assert not conform(yaml.safe_dump(spoilt))[0]


def test_a_kind_without_a_schema_is_refused() -> None:
    unknown = {"apiVersion": "example/v1", "kind": "Unknown", "metadata": {"name": "x"}}
    assert not conform(yaml.safe_dump(unknown))[0]


# Pods.


@each_overlay
def test_pods_are_restricted(overlay: str) -> None:
    found = workloads(overlay)
    assert {each["metadata"]["name"] for each in found} == {WRITER, REPLICA}
    for each in found:
        spec = pod(each)
        context = spec["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["runAsUser"] == context["runAsGroup"] == context["fsGroup"] == 10001
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        # The variables of a service aeo-... begin with AEO_, and unknown ones are refused.
        assert spec["enableServiceLinks"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
        assert {kind for volume in spec["volumes"] for kind in volume} <= {
            *("name", "configMap", "secret", "emptyDir"),
        }
        for container in containers(each):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert all("hostPort" not in port for port in container.get("ports", ()))
    namespace = of_kind(overlay, "Namespace")[0]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {
        each["metadata"].get("namespace", namespace["metadata"]["name"])
        for each in manifests(overlay)
    } == {namespace["metadata"]["name"]}


@each_overlay
def test_resources_are_set_and_memory_is_bounded(overlay: str) -> None:
    for each in workloads(overlay):
        for container in containers(each):
            assert {"cpu", "memory"} <= set(container["resources"]["requests"])
            assert "memory" in container["resources"]["limits"]
        for volume in pod(each)["volumes"]:
            assert "sizeLimit" in volume.get("emptyDir", {"sizeLimit": ""})


@each_overlay
def test_probes_ask_the_plaintext_health_port_and_no_other(overlay: str) -> None:
    for each in workloads(overlay):
        [main] = pod(each)["containers"]
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert main[kind]["grpc"] == {"port": HEALTH_PORT}
            assert not {"httpGet", "tcpSocket", "exec"} & set(main[kind])
        assert (
            main["startupProbe"]["periodSeconds"] * main["startupProbe"]["failureThreshold"] >= 600
        )
        assert "lifecycle" not in main
        services = [each for each in of_kind(overlay, "Service") if "ports" in each["spec"]]
        exposed = {port["targetPort"] for service in services for port in service["spec"]["ports"]}
        assert exposed <= {"grpc", "metrics", "p2p"}  # health is for the host of the pod alone


@each_overlay
def test_there_is_one_writer_with_stores_and_guard_apart(overlay: str) -> None:
    writer = named(overlay, "StatefulSet", WRITER)
    assert writer["spec"]["replicas"] == 1
    claims = {
        each["metadata"]["name"]: each["spec"] for each in writer["spec"]["volumeClaimTemplates"]
    }
    assert set(claims) == {"data", "guard"}
    assert all(each["accessModes"] == ["ReadWriteOncePod"] for each in claims.values())
    config = named(overlay, "ConfigMap", "aeo-node")["data"]["node.toml"]
    assert 'data = "/var/lib/aeo/data"' in config
    assert 'guard = "/var/lib/aeo/guard"' in config
    for container in containers(writer):
        mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
        assert mounts["/var/lib/aeo/data"]["name"] == "data"
        assert mounts["/var/lib/aeo/guard"]["name"] == "guard"
        writable = {path for path, mount in mounts.items() if not mount.get("readOnly")}
        assert writable == {"/var/lib/aeo/data", "/var/lib/aeo/guard", "/tmp"}
    assert pod(writer)["terminationGracePeriodSeconds"] > 20


@each_overlay
def test_services_in_front_of_pods_are_headless(overlay: str) -> None:
    for name in (WRITER, REPLICA):
        assert named(overlay, "Service", name)["spec"]["clusterIP"] == "None"
    assert named(overlay, "StatefulSet", WRITER)["spec"]["serviceName"] == WRITER
    labels = named(overlay, "Deployment", REPLICA)["spec"]["template"]["metadata"]["labels"]
    assert named(overlay, "Service", REPLICA)["spec"]["selector"].items() <= labels.items()


@each_overlay
def test_each_command_of_a_container_is_one_that_aeo_has(overlay: str) -> None:
    """No console is in here: there is no such command yet."""
    from typer.main import get_command

    from service.aeo import app

    root = get_command(app)
    for each in workloads(overlay):
        for container in containers(each):
            assert "command" not in container, "the image's own entry point"
            group, name, *rest = container["args"]
            command = root.commands[group].commands[name]
            known = {option for parameter in command.params for option in parameter.opts}
            assert {word for word in rest if word.startswith("--")} <= known


def test_images_are_pinned_by_digest_in_production() -> None:
    images = [each["image"] for one in workloads("production") for each in containers(one)]
    images += [each["spec"]["imageName"] for each in of_kind("production", "Cluster")]
    assert len(images) == 4, images
    for image in images:
        assert re.fullmatch(r"[a-z0-9./-]+@sha256:[0-9a-f]{64}", image), image
    for overlay in OVERLAYS:
        assert ":latest" not in rendered(overlay)


# Network.


def policies(overlay: str) -> dict[str, Manifest]:
    return {each["metadata"]["name"]: each["spec"] for each in of_kind(overlay, "NetworkPolicy")}


@each_overlay
def test_nothing_passes_but_what_is_named(overlay: str) -> None:
    found = policies(overlay)
    assert found.pop("default-deny") == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    names = {"names", "writer-clients", "replica-clients", "replica-source", "metrics"}
    if overlay == "production":
        names |= {"writer-partners", "writer-stores", "stores"}
    assert set(found) == names
    for name, policy in found.items():
        for direction, far in (("ingress", "from"), ("egress", "to")):
            for rule in policy.get(direction, ()):
                assert rule[far], f"{name}: from or to everywhere"
                assert rule["ports"], f"{name}: every port"
                for peer in rule[far]:
                    assert peer != {"namespaceSelector": {}}
                    assert peer != {"podSelector": {}}
                    block = peer.get("ipBlock", {"cidr": "x/32"})["cidr"]
                    assert int(block.rpartition("/")[2]) >= 24, f"{name}: {block} is no partner"


def opened(overlay: str, app: str, direction: str) -> set[int]:
    """Ports that any policy opens at the pods of an application."""
    ports = set()
    for policy in policies(overlay).values():
        selector = policy["podSelector"]
        labels = selector.get("matchLabels", {}).values()
        listed = [each for one in selector.get("matchExpressions", ()) for each in one["values"]]
        if app in (*labels, *listed):
            ports |= {port["port"] for rule in policy.get(direction, ()) for port in rule["ports"]}
    return ports


def test_each_part_is_reached_at_what_it_serves_and_calls_what_it_needs() -> None:
    assert opened("development", WRITER, "ingress") == {GRPC_PORT, METRICS_PORT}
    assert opened("development", WRITER, "egress") == set()
    assert opened("production", WRITER, "ingress") == {GRPC_PORT, METRICS_PORT, P2P_PORT}
    assert opened("production", WRITER, "egress") == {GRPC_PORT, P2P_PORT, 5432}
    for overlay in OVERLAYS:
        assert opened(overlay, REPLICA, "ingress") == {GRPC_PORT, METRICS_PORT}
        assert opened(overlay, REPLICA, "egress") == {GRPC_PORT}
    assert opened("production", STORES, "ingress") == {5432, 8000}


@each_overlay
def test_disruption_budgets_and_monitors_select_what_is_there(overlay: str) -> None:
    budgets = {
        each["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"]: each["spec"]
        for each in of_kind(overlay, "PodDisruptionBudget")
    }
    assert budgets[WRITER]["minAvailable"] == 1
    assert budgets[REPLICA]["maxUnavailable"] == 1
    assert set(budgets) == {WRITER, REPLICA}
    monitor = named(overlay, "ServiceMonitor", "aeo")["spec"]
    [selected] = monitor["selector"]["matchExpressions"]
    for name in selected["values"]:
        service = named(overlay, "Service", name)
        assert service["metadata"]["labels"]["app.kubernetes.io/name"] == name
        assert monitor["endpoints"][0]["port"] in {
            each["name"] for each in service["spec"]["ports"]
        }


# Configuration and secrets.


def write_config(folder: Path, overlay: str, name: str, file: str) -> Path:
    path = folder / file
    path.write_text(named(overlay, "ConfigMap", name)["data"][file])
    return path


@each_overlay
def test_the_nodes_configuration_is_one_that_it_takes(overlay: str, tmp_path: Path) -> None:
    config = load_config(write_config(tmp_path, overlay, "aeo-node", "node.toml"))
    assert config.guard is not None
    assert not config.guard.is_relative_to(config.data)
    assert [each.rpartition(":")[2] for each in (config.listen.grpc, config.listen.health)] == [
        str(GRPC_PORT),
        str(HEALTH_PORT),
    ]
    assert config.engine.kind == ("solo" if overlay == "development" else "cometbft")
    writer = named(overlay, "StatefulSet", WRITER)
    assert pod(writer)["terminationGracePeriodSeconds"] > config.limits.grace_seconds
    mounted = {mount["mountPath"] for mount in pod(writer)["containers"][0]["volumeMounts"]}
    [member] = config.member
    for path in (member.bls_keystore, member.ed25519_key, member.passphrase_file):
        assert path is not None
        assert "/etc/aeo" / path.relative_to(tmp_path).parent == Path("/etc/aeo/keys")
    assert {"/etc/aeo/keys", "/etc/aeo/tls", "/etc/aeo/genesis"} <= mounted
    for path in (config.tls.certificate, config.tls.key, member.node_certificate, member.node_key):
        assert path is not None
        assert path.relative_to(tmp_path).parts[0] == "tls"
        assert path.name in {"tls.crt", "tls.key"}
    assert (config.ledger_store is None) == (overlay == "development")
    if config.engine.kind == "cometbft":
        assert config.ledger_store == config.home_store
        server = urlsplit(config.ledger_store)
        assert server.hostname == f"{STORES}-rw"
        options = parse_qs(server.query)
        assert options["sslmode"] == ["verify-full"]
        assert str(Path(options["sslrootcert"][0]).parent) in mounted
        for container in containers(writer):
            assert [each["name"] for each in container["env"]] == ["PGPASSWORD"]
        assert config.engine.cometbft.run, "the node starts it"
        assert config.engine.cometbft.home.is_relative_to(config.data)


@each_overlay
def test_so_is_the_replicas(overlay: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [container] = pod(named(overlay, "Deployment", REPLICA))["containers"]
    [variable] = container["env"]
    monkeypatch.setenv(variable["name"], "ab" * 32)
    config = load_replica_config(write_config(tmp_path, overlay, "aeo-replica", "replica.toml"))
    assert config.listen.health.endswith(f":{HEALTH_PORT}")
    names = set(named(overlay, "Certificate", "aeo-node")["spec"]["dnsNames"])
    assert {each.address.rpartition(":")[0] for each in config.source} <= names
    assert config.data.is_relative_to("/var/lib/aeo/data")


@each_overlay
def test_certificates_name_who_they_are_for(overlay: str) -> None:
    domain = format_trust_domain("AEO status exchange")
    for name, role in (("aeo-node", AccessRole.NODE), ("aeo-replica", AccessRole.REPLICA)):
        spec = named(overlay, "Certificate", name)["spec"]
        [uri] = spec["uris"]
        holder = parse_spiffe(uri)
        assert (holder.trust_domain, holder.economy, holder.access_role) == (domain, "NZ", role)
        assert (node_host("NZ", domain) in spec["dnsNames"]) == (role is AccessRole.NODE)
        # The one kind of key that is read, renewed well before the end.
        key = spec["privateKey"]
        assert (key["algorithm"], key["size"], key["encoding"]) == ("ECDSA", 256, "PKCS8")
        assert key["rotationPolicy"] == "Always"
        hours = {field: int(spec[field].removesuffix("h")) for field in ("duration", "renewBefore")}
        assert 24 * 7 < hours["renewBefore"] < hours["duration"] <= 24 * 397
        assert {"server auth", "client auth"} <= set(spec["usages"])
        issuers = {each["metadata"]["name"] for each in of_kind(overlay, "Issuer")}
        assert spec["issuerRef"] == {"name": "aeo-member-authority", "kind": "Issuer"}
        assert spec["issuerRef"]["name"] in issuers


@each_overlay
def test_no_secret_stands_in_the_tree_and_none_is_open_to_others(overlay: str) -> None:
    assert not of_kind(overlay, "Secret")
    for each in workloads(overlay):
        for volume in pod(each)["volumes"]:
            if "secret" in volume:
                assert volume["secret"]["defaultMode"] == 0o440
    text = rendered(overlay)
    assert "PRIVATE KEY" not in text
    assert not re.search(r"(?i)(password|passphrase|token)\s*[:=]\s*['\"]?[^\s'\"{}/]{8,}", text)
    for path in (ROOT / "k8s").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"PRIVATE KEY-----" not in content
            assert "secretGenerator" not in content.decode()
