#!/usr/bin/env python3
"""Writes the JSON schemas that manifests are checked against, from published Go modules.

    k8s/schemas/derive.py            beside itself, from the versions below

A schema has everything that its kind may have and nothing else: no description, no status, unknown
fields refused. Kinds of Kubernetes itself come from its OpenAPI document, those of operators from
their CustomResourceDefinitions. `cluster-postgresql-v1.json` is written by hand (see SOURCE.md) and
is left alone. Needs Go with a module proxy; run it when a version or a kind is added.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
KUBERNETES = ("k8s.io/kubernetes", "v1.36.3", "api/openapi-spec/swagger.json")
KINDS = {
    "ConfigMap": "core.v1",
    "Namespace": "core.v1",
    "Service": "core.v1",
    "ServiceAccount": "core.v1",
    "Deployment": "apps.v1",
    "StatefulSet": "apps.v1",
    "NetworkPolicy": "networking.v1",
    "PodDisruptionBudget": "policy.v1",
}
OPERATORS = (
    (
        "github.com/cert-manager/cert-manager",
        "v1.21.2",
        (
            "deploy/crds/cert-manager.io_certificates.yaml",
            "deploy/crds/cert-manager.io_issuers.yaml",
        ),
    ),
    (
        "github.com/prometheus-operator/prometheus-operator",
        "v0.85.0",
        (
            "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
            "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
        ),
    ),
)
METADATA = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
# What a published document says in words only.
SPECIAL = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": ["integer", "string"]},
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": ["number", "string"]},
}
KEPT = (
    *("type", "enum", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems"),
    *("maxItems", "required", "anyOf", "oneOf", "allOf", "not", "uniqueItems", "const"),
)


def main() -> None:
    """Write every schema anew."""
    document = json.loads((module(*KUBERNETES[:2]) / KUBERNETES[2]).read_text())
    definitions = document["definitions"]
    for kind, group in KINDS.items():
        name = f"io.k8s.api.{group}.{kind}"
        needed = closure(definitions, name)
        schema = definition(definitions, name)
        schema["properties"].pop("status", None)
        schema["definitions"] = {each: definition(definitions, each) for each in sorted(needed)}
        group_name, _, version = group.rpartition(".")
        write(
            kind,
            {"core": "", "networking": "networking"}.get(group_name, group_name),
            version,
            schema,
        )
    metadata = closure(definitions, METADATA) | {METADATA}
    for path, version, files in OPERATORS:
        folder = module(path, version)
        for file in files:
            resource = yaml.safe_load((folder / file).read_text())["spec"]
            for served in resource["versions"]:
                if not served["storage"]:
                    continue
                schema = pruned(served["schema"]["openAPIV3Schema"])
                schema["properties"].pop("status", None)
                schema["properties"]["metadata"] = {"$ref": f"#/definitions/{METADATA}"}
                schema["definitions"] = {
                    each: definition(definitions, each) for each in sorted(metadata)
                }
                group = resource["group"].split(".")[0]
                write(resource["names"]["kind"], group, served["name"], schema)


def module(path: str, version: str) -> Path:
    """The folder of a Go module, fetched if need be; Go checks its hash."""
    go = shutil.which("go", path=f"{Path(sys.executable).parent}:/usr/local/go/bin:/usr/bin")
    if go is None:
        sys.exit("Go is needed")
    done = subprocess.run(
        [go, "mod", "download", "-json", f"{path}@{version}"],
        capture_output=True,
        check=False,
        cwd="/",
    )
    if done.returncode:
        sys.exit(f"{path} {version}: {json.loads(done.stdout)['Error']}")
    return Path(json.loads(done.stdout)["Dir"])


def closure(definitions: dict[str, Any], name: str) -> set[str]:
    """Every definition that one hangs from, but itself and statuses."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        each = waiting.pop()
        for other in references(pruned(top(definitions, each, status=each != name))):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def top(definitions: dict[str, Any], name: str, *, status: bool) -> dict[str, Any]:
    """A definition, without the status of a kind."""
    given = definitions[name]
    if status or "properties" not in given:
        return given
    return {**given, "properties": {k: v for k, v in given["properties"].items() if k != "status"}}


def references(schema: Any) -> Iterator[str]:
    """Names of the definitions that a schema refers to."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].rpartition("/")[2]
        for value in schema.values():
            yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


def definition(definitions: dict[str, Any], name: str) -> dict[str, Any]:
    """One definition, pruned."""
    return SPECIAL.get(name) or pruned(definitions[name])


def pruned(given: dict[str, Any]) -> dict[str, Any]:
    """A schema without words; what it does not name is refused, but where it says otherwise."""
    if "$ref" in given:
        return {"$ref": given["$ref"]}
    if given.get("x-kubernetes-int-or-string") or given.get("format") == "int-or-string":
        return {"type": ["integer", "string"]}
    made = {}
    for key in KEPT:
        if key not in given:
            continue
        value = given[key]
        if key in {"anyOf", "oneOf", "allOf"}:
            value = [bare(each) for each in value]
        made[key] = bare(value) if key == "not" else value
    if isinstance(given.get("items"), dict):
        made["items"] = pruned(given["items"])
    if "properties" in given:
        made["properties"] = {name: pruned(each) for name, each in given["properties"].items()}
        if not given.get("x-kubernetes-preserve-unknown-fields"):
            made["additionalProperties"] = False
    elif isinstance(given.get("additionalProperties"), dict):
        made["additionalProperties"] = pruned(given["additionalProperties"])
    if given.get("nullable") and "type" in made:
        made["type"] = [made["type"], "null"]
    return made


def bare(given: Any) -> Any:
    """A condition on a schema that stands beside it: it refuses nothing that it does not name."""
    made = pruned(given)
    return without_refusals(made)


def without_refusals(schema: Any) -> Any:
    """The same at every depth, without `additionalProperties: false`."""
    if isinstance(schema, dict):
        return {
            key: without_refusals(value)
            for key, value in schema.items()
            if not (key == "additionalProperties" and value is False)
        }
    return [without_refusals(each) for each in schema] if isinstance(schema, list) else schema


def write(kind: str, group: str, version: str, schema: dict[str, Any]) -> None:
    """Under the name by which kubeconform looks for it."""
    schema["required"] = sorted({*schema.get("required", ()), "apiVersion", "kind", "metadata"})
    api = f"{group}-{version}" if group else version
    path = HERE / f"{kind.lower()}-{api}.json"
    path.write_text(json.dumps(schema, separators=(",", ":"), sort_keys=True) + "\n")
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
