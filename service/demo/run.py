"""`aeo demo`: the main job, whole, on the real figures, told on the terminal.

Every scene runs against the real thing: keys, a node in a process of its own, mutual TLS, a durable
ledger. A scene whose answer is not the expected one fails the demonstration.
"""

import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from aeo.ledger.v1 import arrangement_pb2, status_pb2
from service.client import Connection, PublishingClient, StatusClient, TrustFile, Verdict
from service.demo.figures import Figures, load_figures
from service.demo.firms import CONSENT_SHARE, Firm, make_firms
from service.demo.loading import agree, certificate_count, publish
from service.demo.questions import Asked, answer_words, certified, civil, mixed_questions
from service.demo.scenes import beginnings, scenes
from service.demo.silence import AHEAD_MS, silent_copy
from service.demo.stage import AEO, Stage
from service.demo.texts import INFORMATION_NAME, arrangement_texts
from service.errors import Failed
from service.logs import set_up_logs

MIXED_QUESTIONS: Final = 12_000
_MIXED_SEED: Final = 7
_MINUTE_MS: Final = 60_000
_SEEN_SECONDS: Final = 10.0
# The member that falls silent, and one that asks about its traders.
SILENT, ASKING = "KR", "TW"


class Unexpected(Failed):
    """A scene ended otherwise than it must."""


def run_demo(folder: Path, console: Console) -> None:
    """Make the network anew in `folder` and play every scene; `Failed` where one goes wrong."""
    began = monotonic()
    set_up_logs("WARNING")
    figures = load_figures()
    firms = make_firms(figures)
    texts = arrangement_texts(figures)
    console.rule("AEO status exchange: a network on the published figures")
    _say_what_is_made_up(console, figures, firms)
    with _progress(console, "Founding the network", len(figures.members)) as done:
        stage = Stage.build(folder, figures, done)
    with stage:
        ids = _load(stage, console, figures, firms, texts)
        suspended = certified(firms["HK"], "EX", "CN-HK")
        _show_beginnings(stage, console, figures, firms, texts)
        _show_suspension(stage, console, suspended, ids["CN-HK"])
        _show_scenes(stage, console, figures, firms, suspended)
        _show_reasons(stage, console, figures, firms)
        _show_proof(stage, console, firms, suspended)
        _show_chain(stage, console)
    _show_silence(stage, console, firms)
    console.rule(f"done in {monotonic() - began:.0f} s")
    _say_what_to_try(stage, console, suspended)


def _say_what_is_made_up(
    console: Console, figures: Figures, firms: Mapping[str, Sequence[Firm]]
) -> None:
    total = sum(len(own) for own in firms.values())
    console.print(
        f"{len(figures.members)} members, {len(figures.arrangements)} recognition arrangements, "
        f"{sum(row.count for row in figures.holdings):,} certificates as published "
        "(APEC#221-CT-01.2 and the sources it names).\n"
        f"[bold]Made up:[/] all {total:,} firms, their names and numbers, and which of them hold "
        "several certificates; three firms for each\nmember without figures; a level for every "
        "second firm where a rule asks for one and the figures have none; the benefits;\nthe "
        f"consent of {CONSENT_SHARE:.0%} of the operators where they opt in; the dates of "
        f"certificates; and {INFORMATION_NAME}, an exchange of\ninformation among the 18 economies "
        "of the figures. Recorded times are real; certificates are loaded as MIGRATED.",
        highlight=False,
    )


def _load(
    stage: Stage,
    console: Console,
    figures: Figures,
    firms: Mapping[str, Sequence[Firm]],
    texts: Mapping[str, arrangement_pb2.ArrangementText],
) -> dict[str, bytes]:
    with _progress(console, "Arrangements, signed by all parties", len(texts)) as done:
        ids = agree(stage, texts, done)
    began = monotonic()
    records = certificate_count(firms, texts)
    with _progress(console, "Publishing certificates", records) as done:
        publish(stage, figures, firms, texts, ids, done)
    seconds = monotonic() - began
    console.print(
        f"[bold]{records:,}[/] records in the ledger in {seconds:.1f} s "
        f"({records / seconds:,.0f} a second, durable, over mutual TLS).",
        highlight=False,
    )
    return ids


def _show_beginnings(
    stage: Stage,
    console: Console,
    figures: Figures,
    firms: Mapping[str, Sequence[Firm]],
    texts: Mapping[str, arrangement_pb2.ArrangementText],
) -> None:
    table = _table("The day an arrangement began, on each side's own clock")
    for heading in ("arrangement", "asked", "as of", "answer"):
        table.add_column(heading, no_wrap=True)
    for each in beginnings(figures, firms, texts):
        zone = figures.members[each.asked.by].time_zone
        for moment in (each.begins - _MINUTE_MS, each.begins):
            asked = _at(each.asked, moment)
            verdict = _ask(stage, asked)
            recognised = moment >= each.begins
            if verdict.recognised != recognised:
                raise Unexpected(f"{asked.words()}: {answer_words(verdict)}")
            table.add_row(each.arrangement, asked.words(), civil(moment, zone), _styled(verdict))
    console.print(table)


def _show_suspension(stage: Stage, console: Console, firm: Firm, arrangement: bytes) -> None:
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
    answer = officer.change_status(request)
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


def _show_scenes(
    stage: Stage,
    console: Console,
    figures: Figures,
    firms: Mapping[str, Sequence[Firm]],
    suspended: Firm,
) -> None:
    table = _table("Every outcome")
    for heading in ("what it shows", "asked", "as of", "answer"):
        table.add_column(heading, no_wrap=True)
    for scene in scenes(figures, firms, suspended):
        verdict = _ask(stage, scene.asked)
        if scene.expected not in (verdict.reason, str(verdict.outcome)):
            raise Unexpected(
                f"{scene.shows}: {answer_words(verdict)}, where {scene.expected} is expected"
            )
        zone = figures.members[scene.asked.by].time_zone
        when = "now" if scene.asked.as_of is None else civil(scene.asked.as_of, zone)
        table.add_row(scene.shows, scene.asked.words(), when, _styled(verdict))
    console.print(table)


def _show_reasons(
    stage: Stage, console: Console, figures: Figures, firms: Mapping[str, Sequence[Firm]]
) -> None:
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
    table = _table(
        f"{MIXED_QUESTIONS:,} made-up look-ups of any member about any other's traders "
        f"({seconds:.1f} s, in batches)"
    )
    table.add_column("answer")
    table.add_column("count", justify="right")
    for words, count in counts.most_common(10):
        table.add_row(words, f"{count:,}")
    console.print(table)


def _show_proof(
    stage: Stage, console: Console, firms: Mapping[str, Sequence[Firm]], suspended: Firm
) -> None:
    """What a client checks for itself: presence with all history, and absence."""
    trust = TrustFile(stage.folder / "anchor.json", bytes.fromhex(stage.network_id))
    keys = stage.lookup_keys("NZ")
    client = StatusClient(stage.connection("NZ", "risk-engine"), trust, lookup_keys=keys)
    taken = {firm.tin for firm in firms["HK"]}
    unknown = next(t for n in range(100) if (t := f"HK{n:0{len(suspended.tin) - 2}d}") not in taken)
    console.print(
        "\n[bold]Checked by New Zealand's own client, which has its lookup keys and trusts no node:[/]"
    )
    for tin in (suspended.tin, unknown):
        question = Asked("NZ", tin).question()
        verdict = client.ask(question, prove=True)
        checked = verdict.checked
        if checked is None:
            raise Unexpected("the look-up came without its proof")
        records = sum(len(each.entries) for each in checked.histories)
        console.print(
            f"  {tin}: {answer_words(verdict)}; {records} records proved under "
            f"{len(checked.histories)} arrangement(s), header {checked.height} {checked.level}"
            + "".join(f"\n    not proved: {words}" for words in checked.unproved),
            highlight=False,
        )


def _show_chain(stage: Stage, console: Console) -> None:
    """Export, verify in another process, change one byte, verify again."""
    export, spoilt = stage.folder / "ledger.aeo", stage.folder / "spoilt.aeo"
    profile = stage.folder / "clients" / "NZ" / "auditor.toml"
    _run("ledger", "export", str(export), "--profile", str(profile))
    began = monotonic()
    verified = _run("verify", "ledger", str(export), "--network-id", stage.network_id)
    seconds = monotonic() - began
    console.print(
        f"\n[bold]The chain, exported ({export.stat().st_size / 1e6:.1f} MB) and verified offline "
        f"by another process in {seconds:.1f} s:[/]",
        highlight=False,
    )
    console.print(_indented(verified.stdout), highlight=False, markup=False)
    data = bytearray(export.read_bytes())
    data[len(data) // 2] ^= 1
    spoilt.write_bytes(data)
    refused = subprocess.run(  # noqa: S603 - our own command
        [*AEO, "verify", "ledger", str(spoilt), "--network-id", stage.network_id],
        capture_output=True,
        text=True,
        check=False,
    )
    spoilt.unlink()
    if refused.returncode != 1:
        raise Unexpected(f"a changed byte was not found: exit code {refused.returncode}")
    console.print(
        f"[bold]With one bit of byte {len(data) // 2:,} changed, it says (exit code 1):[/]",
        highlight=False,
    )
    console.print(_indented(refused.stderr or refused.stdout), highlight=False, markup=False)


def _show_silence(stage: Stage, console: Console, firms: Mapping[str, Sequence[Firm]]) -> None:
    """On a copy: three hours later, everyone's heartbeats but one member's."""
    firm = certified(firms[SILENT], "EX", "KR-TW")
    other = certified(firms["JP"], "EX", "JP-TW")
    console.print(
        f"\n[bold]{SILENT} falls silent[/] (on a copy of the data, {AHEAD_MS // 3_600_000} hours "
        "ahead, the others' heartbeats go on):",
        highlight=False,
    )
    with silent_copy(stage.folder, SILENT) as address:
        connection = Connection.open(address, stage.tls(ASKING, "risk-engine"), 30.0)
        with connection:
            client = StatusClient(connection)
            for asked, expected in (
                (Asked(ASKING, firm.tin), "ISSUER_STALE"),
                (Asked(ASKING, other.tin), "NONE"),
            ):
                verdict = client.ask(asked.question())
                if verdict.reason != expected:
                    raise Unexpected(f"{asked.words()}: {answer_words(verdict)}")
                console.print(f"  {asked.words()}: {answer_words(verdict)}", highlight=False)


def _say_what_to_try(stage: Stage, console: Console, suspended: Firm) -> None:
    folder = stage.folder
    profile = folder / "clients" / "CN" / "risk-engine.toml"
    console.print(
        f"{folder} stays to explore; nothing runs any more. Start its node, and ask:\n"
        f"  aeo node run --config {folder}/node.toml\n"
        f"  aeo lookup {suspended.tin} --function IM --direction EXPORT --mode 4"
        f" --profile {profile}\n"
        f"  aeo verify ledger {folder}/ledger.aeo --network-id {stage.network_id}\n"
        f"  aeo fsck {folder}",
        highlight=False,
        soft_wrap=True,
    )


def _ask(stage: Stage, asked: Asked) -> Verdict:
    return StatusClient(stage.connection(asked.by, "risk-engine")).ask(asked.question())


def _at(asked: Asked, moment: int) -> Asked:
    return Asked(asked.by, asked.tin, asked.function, asked.direction, asked.mode, moment)


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(  # noqa: S603 - our own command
        [*AEO, *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Unexpected(f"aeo {' '.join(arguments[:2])}: {done.stderr.strip()}")
    return done


def _styled(verdict: Verdict) -> str:
    colours = {"RECOGNISED": "green", "INFORMATION_ONLY": "cyan", "UNDETERMINED": "yellow"}
    colour = colours.get(str(verdict.outcome), "red")
    return f"[{colour}]{answer_words(verdict)}[/]"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.strip().splitlines())


def _table(title: str) -> Table:
    return Table(
        title=f"\n{title}", title_justify="left", title_style="bold", box=None, pad_edge=False
    )


@contextmanager
def _progress(console: Console, title: str, total: int) -> Iterator[Callable[[int], None]]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(title, total=total)
        yield lambda made: progress.update(task, completed=made)
