"""`aeo demo`: the main job, whole, on the real figures, told on the terminal.

Every scene runs against the real thing: keys, a node in a process of its own, mutual TLS, a durable
ledger. A scene whose answer is not the expected one fails the demonstration.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Final

from rich.console import Console

from aeo.ledger.v1 import arrangement_pb2
from service.demo.asking import show_beginnings, show_reasons, show_scenes, show_suspension
from service.demo.figures import Figures, load_figures
from service.demo.firms import CONSENT_SHARE, Firm, make_firms
from service.demo.governing import show_governance
from service.demo.keys import show_key_change
from service.demo.loading import agree, certificate_count, publish
from service.demo.monitoring import show_monitoring
from service.demo.profiles import show_profiles
from service.demo.proving import show_chain, show_proof, show_silence
from service.demo.questions import Asked, certified
from service.demo.stage import Stage
from service.demo.telling import progress
from service.demo.texts import INFORMATION_NAME, arrangement_texts, staged_days
from service.logs import set_up_logs

# Few traders, and none of those that other scenes ask about.
REKEYED: Final = "AU-TW"


def run_demo(folder: Path, console: Console) -> None:
    """Make the network anew in `folder` and play every scene; `Failed` where one goes wrong."""
    began = monotonic()
    set_up_logs("WARNING")
    figures = load_figures()
    firms = make_firms(figures)
    texts = arrangement_texts(figures)
    console.rule("AEO status exchange: a network on the published figures")
    _say_what_is_made_up(console, figures, firms)
    with progress(console, "Founding the network", len(figures.members)) as done:
        stage = Stage.build(folder, figures, done)
    with stage:
        ids = _load(stage, console, figures, firms, texts)
        suspended = certified(firms["HK"], "EX", "CN-HK")
        show_beginnings(stage, console, figures, firms, texts)
        show_suspension(stage, console, suspended, ids["CN-HK"])
        show_scenes(stage, console, figures, firms, suspended)
        show_reasons(stage, console, figures, firms)
        show_profiles(stage, console, firms, ids)
        show_key_change(stage, console, texts[REKEYED], ids[REKEYED], firms)
        show_monitoring(stage, console, firms, ids)
        show_governance(stage, console, Asked("NZ", certified(firms["HK"], "EX", "HK-NZ").tin))
        show_proof(stage, console, firms, suspended)
        show_chain(stage, console)
    show_silence(stage, console, firms)
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
    with progress(console, "Arrangements, signed by all parties", len(texts)) as done:
        ids = agree(stage, texts, staged_days(figures), done)
    began = monotonic()
    records = certificate_count(firms, texts)
    with progress(console, "Publishing certificates", records) as done:
        publish(stage, figures, firms, texts, ids, done)
    seconds = monotonic() - began
    console.print(
        f"[bold]{records:,}[/] records in the ledger in {seconds:.1f} s "
        f"({records / seconds:,.0f} a second, durable, over mutual TLS).",
        highlight=False,
    )
    return ids


def _say_what_to_try(stage: Stage, console: Console, suspended: Firm) -> None:
    folder = stage.folder
    profile = folder / "clients" / "CN" / "risk-engine.toml"
    aeo = _command()
    console.print(
        f"{folder} stays to explore; nothing runs any more. Start its node, and ask:\n"
        f"  {aeo} node run --config {folder}/node.toml\n"
        f"  {aeo} lookup {suspended.tin} --function IM --direction EXPORT --mode 4"
        f" --profile {profile}\n"
        f"  {aeo} verify ledger {folder}/ledger.aeo --network-id {stage.network_id}\n"
        f"  {aeo} fsck {folder}",
        highlight=False,
        soft_wrap=True,
    )


def _command() -> str:
    """How the command was called, if that works from this folder; else its plain name."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "aeo" and not called.is_absolute() else "aeo"
