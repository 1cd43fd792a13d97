"""From what a register states, and what the node says is published, to what has to be submitted.

The node compares (`PublishingService.Compare`) and names one event for each certificate and
arrangement. Arrangements on which a certificate takes the same step with the same terms share one
submission; what the register does not state (a suspension's scope, say) is taken from the newest
record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from aeo.ledger.v1 import status_pb2 as status
from service.cli.publishing.register_file import Fault, Row
from service.cli.refusal_text import refusal_text


@dataclass(frozen=True, slots=True)
class Change:
    """One certificate's next step under one arrangement."""

    line: int
    tin: str
    certificate: str
    arrangement_id: bytes
    event: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What publishing does: `lines` are those of the submissions, one for each."""

    changes: tuple[Change, ...]
    faults: tuple[Fault, ...]
    submissions: tuple[publishing.Submission, ...]
    lines: tuple[int, ...]
    unchanged: int


def name_arrangements(
    rows: Sequence[Row], known: Mapping[str, bytes]
) -> tuple[list[Row], list[Fault]]:
    """Give each row's submission the ids of the arrangements that it names.

    `known` maps names, and ids in hex, to ids. A row that names another is a fault.
    """
    named: list[Row] = []
    faults: list[Fault] = []
    for row in rows:
        unknown = [name for name in row.arrangements if name not in known]
        if unknown:
            message = f"{', '.join(unknown)} is no arrangement of yours"
            faults.append(Fault(row.line, "arrangements", message))
            continue
        row.submission.arrangement_ids.extend(known[name] for name in row.arrangements)
        named.append(row)
    return named, faults


def plan(rows: Sequence[Row], compared: Sequence[publishing.RowComparison]) -> Plan:
    """What has to be submitted for rows that were compared one by one."""
    changes: list[Change] = []
    faults: list[Fault] = []
    submissions: list[publishing.Submission] = []
    lines: list[int] = []
    unchanged = 0
    for row, comparison in zip(rows, compared, strict=True):
        wanted = row.submission
        if comparison.answer.code:
            faults.append(Fault(row.line, comparison.answer.code, comparison.answer.message))
            continue
        own: dict[bytes, publishing.Submission] = {}
        for change in comparison.changes:
            if change.code:
                why = refusal_text(change.code) or change.code
                where = change.arrangement_id.hex()
                faults.append(Fault(row.line, change.code, f"under arrangement {where}: {why}"))
            elif change.event:
                event = status.Event.Name(change.event).removeprefix("EVENT_")
                changes.append(
                    Change(
                        row.line,
                        wanted.tin,
                        wanted.certificate_number,
                        change.arrangement_id,
                        event,
                        tuple(change.fields),
                    )
                )
                step = next_step(wanted, change)
                alike = own.setdefault(step.SerializeToString(deterministic=True), step)
                alike.arrangement_ids.append(change.arrangement_id)
            else:
                unchanged += 1
        submissions += own.values()
        lines += [row.line] * len(own)
    return Plan(tuple(changes), tuple(faults), tuple(submissions), tuple(lines), unchanged)


def next_step(
    wanted: publishing.Submission, change: publishing.CertificateChange
) -> publishing.Submission:
    """The submission that leads from the published record to the certificate as it is wanted."""
    suspended = wanted.terms.status == status.STATUS_SUSPENDED
    terms = status.StatusTerms()
    terms.CopyFrom(change.published.terms)
    for name in ("roles", "reason", "migrated"):
        terms.ClearField(name)
    if not suspended:
        terms.ClearField("scope")
        terms.ClearField("lapses")
    terms.event = change.event
    terms.status = wanted.terms.status
    terms.roles.extend(wanted.terms.roles)
    terms.level = wanted.terms.level
    if wanted.terms.operator_class:
        terms.operator_class = wanted.terms.operator_class
    return publishing.Submission(
        tin=wanted.tin,
        certificate_number=wanted.certificate_number,
        valid_from=wanted.valid_from,
        valid_to=wanted.valid_to,
        # A grant holds from its first day, however late it is published; any other step from now.
        effective_from=wanted.valid_from if change.event == status.EVENT_GRANT else 0,
        effective_to=change.published.effective_to if terms.lapses else 0,
        terms=terms,
    )
