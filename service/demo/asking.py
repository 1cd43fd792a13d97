"""The scenes that ask: an arrangement's first day, a suspension, every outcome, a day's traffic."""

from collections import Counter
from collections.abc import Mapping, Sequence
from time import monotonic, sleep
from typing import Final

from rich.console import Console

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from aeo.ledger.v1 import arrangement_pb2, status_pb2
from service.client import PublishingClient, StatusClient, Verdict, taken
from service.demo.figures import Figures
from service.demo.firms import Firm
from service.demo.questions import Asked, civil, mixed_questions
from service.demo.scenes import beginnings, scenes
from service.demo.stage import Stage
from service.demo.telling import Unexpected, answer_words, show_table, styled

MIXED_QUESTIONS: Final = 12_000
_MIXED_SEED: Final = 7
_MINUTE_MS: Final = 60_000
_SEEN_SECONDS: Final = 10.0


def show_beginnings(
    stage: Stage,
    console: Console,
    figures: Figures,
    firms: Mapping[str, Sequence[Firm]],
    texts: Mapping[str, arrangement_pb2.ArrangementText],
) -> None:
    """Each side's first day: the minute before it, and the minute that it begins."""
    title = "The day an arrangement began, on each side's own clock"
    rows = []
    for each in beginnings(figures, firms, texts):
        zone = figures.members[each.asked.by].time_zone
        for moment in (each.begins - _MINUTE_MS, each.begins):
            asked = each.asked.at(moment)
            verdict = ask(stage, asked)
            recognised = moment >= each.begins
            if verdict.recognised != recognised:
                raise Unexpected(f"{asked.words()}: {answer_words(verdict)}")
            rows.append((each.arrangement, asked.words(), civil(moment, zone), styled(verdict)))
    show_table(console, title, ("arrangement", "asked", "as of", "answer"), rows)


def show_suspension(stage: Stage, console: Console, firm: Firm, arrangement: bytes) -> None:
    """Suspend as exporter only; the partner asks again and again until it sees it."""
    asked = Asked("CN", firm.tin, mode=4)
    client = StatusClient(stage.connection("CN", "risk-engine"))
    question = asked.question()
    if not client.ask(question).recognised:
        raise Unexpected(f"{asked.words()} was not recognised before the suspension")
    officer = PublishingClient(stage.connection("HK", "officer"))
    request = publishing.ChangeStatusRequest(
        idempotency_key="demo-suspension",
        tin=firm.tin,
        event=status_pb2.EVENT_SUSPEND,
        reason=status_pb2.PUBLIC_REASON_AUTHORITY,
        scope=status_pb2.SuspensionScope(roles=[status_pb2.CertifiedRole(code="EX")]),
    )
    began = monotonic()
    answer = taken(officer.change_status(request))
    accepted = monotonic() - began
    while (verdict := client.ask(question)).reason != "SUSPENDED":
        if monotonic() - began > _SEEN_SECONDS:
            raise Unexpected(f"the suspension is not seen: {answer_words(verdict)}")
    seen = monotonic() - began
    while client.ask(question).finality != "SEALED" and monotonic() - began < _SEEN_SECONDS:
        sleep(0.001)
    sealed = monotonic() - began
    console.print(
        f"\n[bold]Hong Kong suspends {firm.name} ({firm.tin}) as an exporter.[/] Durable at home "
        f"after {accepted * 1000:.0f} ms, seen by China's\nrisk engine after {seen * 1000:.0f} ms, "
        f"sealed after {sealed * 1000:.0f} ms (publication {answer.publication_id}).",
        highlight=False,
    )


def show_scenes(
    stage: Stage,
    console: Console,
    figures: Figures,
    firms: Mapping[str, Sequence[Firm]],
    suspended: Firm,
) -> None:
    """One look-up for each thing that people ask about."""
    rows = []
    for scene in scenes(figures, firms, suspended):
        verdict = ask(stage, scene.asked)
        if scene.expected not in (verdict.reason, str(verdict.outcome)):
            raise Unexpected(
                f"{scene.shows}: {answer_words(verdict)}, where {scene.expected} is expected"
            )
        zone = figures.members[scene.asked.by].time_zone
        when = "now" if scene.asked.as_of is None else civil(scene.asked.as_of, zone)
        rows.append((scene.shows, scene.asked.words(), when, styled(verdict)))
    headings = ("what it shows", "asked", "as of", "answer")
    show_table(console, "Every outcome", headings, rows)


def show_reasons(
    stage: Stage, console: Console, figures: Figures, firms: Mapping[str, Sequence[Firm]]
) -> None:
    """What most answers say, when any member asks about any other's traders."""
    by_member: dict[str, list[Asked]] = {}
    for asked in mixed_questions(figures, firms, MIXED_QUESTIONS, _MIXED_SEED):
        by_member.setdefault(asked.by, []).append(asked)
    counts: Counter[str] = Counter()
    began = monotonic()
    for member, own in by_member.items():
        client = StatusClient(stage.connection(member, "risk-engine"))
        answers = client.lookup_many([asked.question() for asked in own])
        counts.update(answer_words(each) for each in answers)
    seconds = monotonic() - began
    title = (
        f"{MIXED_QUESTIONS:,} made-up look-ups of any member about any other's traders "
        f"({seconds:.1f} s, in batches)"
    )
    rows = [(words, f"{count:,}") for words, count in counts.most_common(10)]
    show_table(console, title, ("answer", "count#"), rows)


def ask(stage: Stage, asked: Asked) -> Verdict:
    """One look-up by the risk engine of the member that asks."""
    return StatusClient(stage.connection(asked.by, "risk-engine")).ask(asked.question())
