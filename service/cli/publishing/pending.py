"""A step that waits for a second person, as commands tell of it."""

from typing import Any

from aeo.exchange.v1.approval_service_pb2 import PendingStep
from service.cli.civil import format_instant
from service.cli.output import facts, say, show


def show_pending(step: PendingStep, *, as_json: bool, **more: Any) -> None:
    """Say that a step waits, and how it goes on; `more` stands beside it in the JSON."""
    show({**more, "pending": describe_step(step)}, lambda: facts(step_rows(step)), as_json=as_json)
    say(
        f"step {step.step_id} waits for a second person: an approver takes it with "
        f"aeo approve {step.step_id}"
    )


def describe_step(step: PendingStep) -> dict[str, Any]:
    """A step as JSON has it."""
    return {
        "step_id": step.step_id,
        "economy": step.economy,
        "method": step.method,
        "summary": step.summary,
        "prepared_by": step.prepared_by,
        "prepared_at": step.prepared_at,
        "expires_at": step.expires_at,
    }


def step_rows(step: PendingStep) -> list[tuple[str, str]]:
    """A step as people read it."""
    return [
        ("step", step.step_id),
        ("what", step.summary),
        ("prepared by", f"{step.prepared_by}, {format_instant(step.prepared_at)}"),
        ("expires", format_instant(step.expires_at)),
    ]
