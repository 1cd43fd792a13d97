"""The manifests of an overlay as kustomize renders them, and how to walk over them."""

import subprocess
from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml

from k8s.tools import ROOT, tool

OVERLAYS = ("development", "production")
Manifest = dict[str, Any]


@cache
def rendered(overlay: str) -> str:
    """What would be applied."""
    made = subprocess.run(
        [tool("kustomize"), "build", ROOT / "k8s" / "overlays" / overlay],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    assert not made.stderr, made.stderr  # deprecated fields are told here
    return made.stdout


@cache
def manifests(overlay: str) -> tuple[Manifest, ...]:
    """Every manifest of an overlay."""
    return tuple(yaml.safe_load_all(rendered(overlay)))


def of_kind(overlay: str, kind: str) -> list[Manifest]:
    """The manifests of one kind."""
    return [each for each in manifests(overlay) if each["kind"] == kind]


def named(overlay: str, kind: str, name: str) -> Manifest:
    """The manifest of a kind whose name is this, or this and a hash of its content."""
    found = [
        each
        for each in of_kind(overlay, kind)
        if each["metadata"]["name"] == name
        or (kind == "ConfigMap" and each["metadata"]["name"].rpartition("-")[0] == name)
    ]
    assert len(found) == 1, f"{kind} {name}: {len(found)}"
    return found[0]


def workloads(overlay: str) -> list[Manifest]:
    """Whatever has pods of ours."""
    return [each for each in manifests(overlay) if "template" in each.get("spec", {})]


def pod(workload: Manifest) -> Manifest:
    """The pod's spec."""
    spec: Manifest = workload["spec"]["template"]["spec"]
    return spec


def containers(workload: Manifest) -> Iterator[Manifest]:
    """Every container of a pod, those that only begin it included."""
    yield from pod(workload).get("initContainers", ())
    yield from pod(workload)["containers"]
