"""A lookup key changes hands: what an administration does when one has leaked.

Before, each verdict is asked for; then a new key is made, the traders are published under it, and
the same verdicts are asked for again. The old key is destroyed by the nodes by themselves.
"""

from collections.abc import Iterator, Mapping, Sequence
from time import monotonic, sleep
from typing import Final

from rich.console import Console

from aeo.exchange.v1.arrangement_service_pb2 import Arrangement
from aeo.ledger.v1.arrangement_pb2 import ArrangementText
from service.client import ApprovalClient, ArrangementClient, Pending
from service.demo.asking import ask
from service.demo.firms import Firm
from service.demo.questions import Asked
from service.demo.stage import Stage
from service.demo.telling import Unexpected, answer_words

_NAMED_AT_ONCE: Final = 3_000
_COPIED_SECONDS: Final = 30.0
_ASKED_OF_EACH: Final = 3


def show_key_change(
    stage: Stage,
    console: Console,
    text: ArrangementText,
    arrangement_id: bytes,
    firms: Mapping[str, Sequence[Firm]],
) -> None:
    """Give an arrangement a new lookup key, and ask the same before and after."""
    questions = list(_questions(text, firms))
    before = [answer_words(ask(stage, asked)) for asked in questions]
    began = monotonic()
    first = text.parties[0]
    officer = ArrangementClient(stage.connection(first, "officer"))
    opened = _approved(stage, first, officer.open_epoch(arrangement_id))
    copied = 0
    for party in text.parties:
        client = ArrangementClient(stage.connection(party, "officer"))
        named = [(firm.tin, each.number) for firm in firms[party] for each in firm.certificates]
        for start in range(0, len(named), _NAMED_AT_ONCE):
            client.republish(arrangement_id, named[start : start + _NAMED_AT_ONCE])
        copied += _until_copied(client, arrangement_id, party)
        client.republish(arrangement_id, complete=True)
    seconds = monotonic() - began
    now = officer.get(arrangement_id)
    if now.epoch != opened.pending_epoch:
        raise Unexpected(f"the new key of {text.name} has not taken over")
    after = [answer_words(ask(stage, asked)) for asked in questions]
    if after != before:
        raise Unexpected(f"the new key of {text.name} changed answers: {before} to {after}")
    console.print(
        f"\n[bold]{text.name} gets a new lookup key[/] (epoch {now.epoch}): made by {first}, "
        f"fetched by the other parties' nodes over mutual TLS and\nopened against its commitment "
        f"on the ledger; {copied:,} certificates published again under it. The leaked key opens "
        f"none\nof them and is destroyed. {seconds:.1f} s, and {len(questions)} look-ups with the "
        "same answers before and after.",
        highlight=False,
    )


def _questions(text: ArrangementText, firms: Mapping[str, Sequence[Firm]]) -> Iterator[Asked]:
    for rule in text.rules:
        sharing = [firm for firm in firms[rule.issuing] if text.name not in firm.declined]
        for firm in sharing[:_ASKED_OF_EACH]:
            yield Asked(rule.recognising, firm.tin)


def _until_copied(client: ArrangementClient, arrangement_id: bytes, party: str) -> int:
    """Wait until the node has copied what is named; how many certificates."""
    until = monotonic() + _COPIED_SECONDS
    while True:
        said = client.republish(arrangement_id)
        if said.copied == said.certificates and said.aliases_copied == said.aliases:
            return said.copied
        if said.named < said.certificates or monotonic() > until:
            raise Unexpected(
                f"{party}: of {said.certificates} certificates {said.named} are named and "
                f"{said.copied} copied"
            )
        sleep(0.02)


def _approved(stage: Stage, party: str, made: Arrangement | Pending[Arrangement]) -> Arrangement:
    return ApprovalClient(stage.connection(party, "approver")).complete(made)
