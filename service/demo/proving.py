"""The scenes that prove: a client's own checks, the chain offline, an issuer that falls silent."""

import subprocess
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Final

from rich.console import Console

from service.client import Connection, StatusClient, TrustFile
from service.demo.firms import Firm
from service.demo.questions import Asked, certified
from service.demo.silence import AHEAD_MS, silent_copy
from service.demo.stage import AEO, Stage
from service.demo.telling import Unexpected, answer_words

# The member that falls silent, and one that asks about its traders.
SILENT: Final = "KR"
ASKING: Final = "TW"
_CALL_SECONDS: Final = 30.0


def show_proof(
    stage: Stage, console: Console, firms: Mapping[str, Sequence[Firm]], suspended: Firm
) -> None:
    """What a client checks for itself: presence with all history, and absence."""
    trust = TrustFile(stage.folder / "anchor.json", bytes.fromhex(stage.network_id))
    keys = stage.lookup_keys("NZ")
    client = StatusClient(stage.connection("NZ", "risk-engine"), trust, lookup_keys=keys)
    taken = {firm.tin for firm in firms["HK"]}
    unknown = next(t for n in range(100) if (t := f"HK{n:0{len(suspended.tin) - 2}d}") not in taken)
    console.print("\n[bold]Checked by New Zealand's client, with its keys, trusting no node:[/]")
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


def show_chain(stage: Stage, console: Console) -> None:
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


def show_silence(stage: Stage, console: Console, firms: Mapping[str, Sequence[Firm]]) -> None:
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


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(  # noqa: S603 - our own command
        [*AEO, *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Unexpected(f"aeo {' '.join(arguments[:2])}: {done.stderr.strip()}")
    return done


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.strip().splitlines())
