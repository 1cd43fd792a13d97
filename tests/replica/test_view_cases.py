"""The table of verdicts, told to a machine and to a view of it: the same bytes at every height.

The cases of `tests/customs/cases.toml` are told to a ledger of signed transactions instead of the
simulator. What takes votes of the members (who joins, leaves or speaks for a prefix), and what the
machine would never let in, is left out, and counted.
"""

from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from aeo.ledger.v1 import arrangement_pb2 as pb
from customs import test_cases
from customs.simulator import Simulator
from customs.test_cases import CASES, TABLE, ZONES, instant, named
from ledger.chain.genesis import format_genesis, parse_genesis
from ledger.chain.parameters import DEFAULT_PARAMETERS, format_parameters
from ledger.chain.transaction import sign_transaction
from ledger.customs.arrangement import Step, arrangement_id, format_arrangement_text
from ledger.customs.evaluate import evaluate
from ledger.customs.identify import epoch_name
from ledger.customs.status import StatusRecord, format_status
from ledger.customs.subject import LookupKey
from ledger.customs.verdict import Verdict, format_verdict
from ledger.errors import KeyringError
from ledger.state.alias import AliasRecord, format_alias
from ledger.state.machine import Machine
from ledger.state.map_updates import MapHere
from ledger.state.state import State
from ledger.state.verified import VerifiedSignatures
from ledger_world import BACKEND, World, material, registration
from service.node.replica.delta import delta_of, format_message, parse_message, transfer
from service.node.replica.view import View

LEAST_TOLD = 400
"""Of the table's cases, how many a machine can be told at least."""


# Most cases begin alike, so the same bytes are signed and verified again and again.
VERIFIED = VerifiedSignatures()


@cache
def signed(secret: int, network_id: bytes, body: bytes) -> bytes:
    return sign_transaction(secret, BACKEND, network_id, body)


class NotTold(Exception):
    """A machine is not told this by transactions of single members."""


class LedgerOf(World):
    """A ledger whose founders are those of the table, and a view that follows it."""

    def __init__(self, members: Mapping[str, tuple[str, ...]], start: int) -> None:
        self.members = tuple(members)
        founders = [
            registration(economy, prefixes=prefixes, time_zone=ZONES.get(economy, ZONES["KR"]).key)
            for economy, prefixes in members.items()
        ]
        parameters = format_parameters(DEFAULT_PARAMETERS)
        self.genesis = parse_genesis(
            format_genesis("test", start, founders, parameters, pilot=True)
        )
        self.machine = Machine(self.genesis, BACKEND, verified=VERIFIED)
        self.time = start
        self.headers = [self.view.header_bytes]
        self.blocks = []
        self.seals = {}
        self.signing_sets = {}
        self._signed = {}
        self.replica = View.receive(transfer(self.view), MapHere())
        self.states: list[tuple[State, State]] = [(self.view, self.replica.state)]

    def sign(self, author: str, body: bytes) -> bytes:
        return signed(self.secret(author), self.view.network_id, body)

    def commit(self, *transactions: bytes, time: int | None = None):
        block = super().commit(*transactions, time=time)
        if block.results not in ((("",),), ((),)):
            raise NotTold(str(block.results))
        self.replica.apply(parse_message(format_message(delta_of(block))))
        self.states.append((self.view, self.replica.state))
        return block


class Told(Simulator):
    """What the simulator is told, as transactions; what is asked of it, the machine answers."""

    def _ledger(self) -> LedgerOf:
        made = self.__dict__.get("made")
        if made is None:
            members = {
                economy: tuple(
                    sorted(p for p, said in self._speakers.items() if said[-1].economy == economy)
                )
                for economy in sorted(self._members)
            }
            made = self.__dict__["made"] = LedgerOf(members, self.genesis_time)
        return made

    def _commit(self, time: int, transaction: bytes) -> None:
        ledger = self._ledger()
        ledger.commit(transaction, time=max(time, ledger.time + 1))

    def member(self, economy: str, *prefixes: str, time: int | None = None) -> None:
        if time is not None:
            raise NotTold("a member joins")
        super().member(economy, *prefixes)

    def leave(self, time: int, economy: str) -> None:
        raise NotTold("a member leaves")

    def speaks(self, prefix: str, economy: str, begins: bool, height: int, time: int) -> None:
        if "made" in self.__dict__ or height:
            raise NotTold("a prefix changes hands")
        super().speaks(prefix, economy, begins, height, time)

    def at(self, time: int, author: str | None = None) -> tuple[int, int]:
        if author is None:
            raise NotTold("a block of nobody")
        self._commit(time, self._ledger().transaction(author))
        return self._ledger().view.height, self._ledger().time

    def key(self, identity: bytes, epoch: int = 1) -> LookupKey:
        network_id = self._ledger().view.network_id
        return LookupKey(material("key", identity.hex(), str(epoch)), network_id, identity, epoch)

    def propose(self, time: int, author: str, text: pb.ArrangementText, name: bytes) -> bytes:
        ledger = self._ledger()
        shared = arrangement_id(ledger.view.network_id, author, ledger.view.next_sequence(author))
        key = self.keyring[shared] = self.key(shared)
        text.lookup_key_commitment = key.commitment
        self._commit(time, ledger.step(author, propose=format_arrangement_text(text)))
        return shared

    def step(
        self, time: int, author: str, kind: str, identity: bytes, effective_from: int = 0
    ) -> str | None:
        history = self.arrangement(identity)
        text = history.amendment.text if history.amendment else history.text
        text_hash = text.text_hash if kind == "sign" else b""
        step = Step(kind, identity, text_hash=text_hash, effective_from=effective_from)
        return self.take(time, author, step)

    def open_epoch(
        self, time: int, author: str, identity: bytes, without: tuple[str, ...] = ()
    ) -> str | None:
        number = self.arrangement(identity).epochs[-1].number + 1
        commitment = self.key(identity, number).commitment
        step = Step("open_epoch", identity, epoch=number, commitment=commitment, without=without)
        return self.take(time, author, step)

    def republished(self, time: int, author: str, identity: bytes) -> str | None:
        number = self.arrangement(identity).waiting_epoch.number
        return self.take(time, author, Step("republished", identity, epoch=number))

    def take(self, time: int, author: str, step: Step) -> str | None:
        shared, kind = step.arrangement_id, step.kind
        said: dict[str, Any] = {"arrangement_id": shared}
        if kind == "sign":
            message: Any = pb.ArrangementSignature(**said, text_hash=step.text_hash)
        elif kind == "amend":
            assert step.text is not None
            data = self.__dict__["amended"]
            message = pb.ArrangementAmendment(**said, text=data, without=step.without)
        elif kind == "start":
            message = pb.StagedStart(**said)
            for each in step.starts:
                start = message.starts.add(recognising=each.recognising)
                setattr(start, "from", each.instant)
        elif kind == "open_epoch":
            message = pb.KeyEpoch(
                **said,
                epoch=step.epoch,
                lookup_key_commitment=step.commitment,
                without=step.without,
            )
        elif kind == "republished":
            message = pb.EpochRepublished(**said, epoch=step.epoch)
        else:
            message = {
                "suspend": pb.ArrangementSuspension,
                "resume": pb.ArrangementResumption,
                "end": pb.ArrangementEnd,
            }[kind](**said, effective_from=step.effective_from)
        before = self.arrangement(shared)
        self._commit(time, self._ledger().step(author, **{kind: message}))
        newer = self.arrangement(shared)
        assert before is not None
        assert newer is not None
        if newer.epochs != before.epochs:
            number = newer.epochs[-1].number
            self.keyring[epoch_name(shared, number - 1)] = self.keyring[shared]
            self.keyring[shared] = self.key(shared, number)
        return None

    def amend(
        self,
        time: int,
        author: str,
        identity: bytes,
        text: pb.ArrangementText,
        without: tuple[str, ...] = (),
    ) -> str | None:
        text.lookup_key_commitment = self.key(identity).commitment
        self.__dict__["amended"] = format_arrangement_text(text)
        return super().amend(time, author, identity, text, without)

    def publish(
        self, time: int, issuer: str, identity: bytes, *records: StatusRecord, force: bool = False
    ) -> list[str | None]:
        data = [format_status(record) for record in records]
        self._commit(time, self._ledger().statuses(issuer, identity, data))
        return [None for _ in records]

    def publish_alias(
        self,
        time: int,
        issuer: str,
        identity: bytes,
        alias: bytes,
        subject: bytes,
        valid_from: int = 0,
        valid_to: int = 0,
    ) -> None:
        data = format_alias(AliasRecord(alias, subject, valid_from, valid_to))
        self._commit(time, self._ledger().aliases(issuer, identity, [data]))

    def members(self):
        return super().members() if "made" not in self.__dict__ else self._ledger().view.members()

    def arrangement(self, arrangement_id: bytes):
        return self._ledger().view.arrangement(arrangement_id)

    @property
    def height(self) -> int:
        return self._ledger().view.log_size - 1  # where the newest record stands in the log


class CaseWorld(test_cases.World):
    """The facts of a case, told to a machine."""

    def __init__(self, members: dict[str, bool]) -> None:
        super().__init__(members)
        told = Told(instant(TABLE["genesis"]))
        for economy, prefixes in TABLE["members"].items():
            if members.get(economy, True):
                told.member(economy, *prefixes)
        self.ledger = told


def test_the_table_at_every_height(monkeypatch: pytest.MonkeyPatch) -> None:
    counts: Counter[str] = Counter()
    asked: list[tuple[Any, ...]] = []
    others: set[str] = set()

    def asking(query: Any, told: Told, *rest: Any) -> Verdict:
        asked.append((query, told, *rest))
        return evaluate(query, told._ledger().view, *rest)

    monkeypatch.setattr(test_cases, "World", CaseWorld)
    monkeypatch.setattr(test_cases, "evaluate", asking)
    for case in CASES:
        asked.clear()
        try:
            verdict, _ = test_cases.answer(case)
        except NotTold:
            counts["not told"] += 1
            continue
        counts["told"] += 1
        if named(verdict.outcome, verdict.reason) != case["answer"]:
            others.add(case["name"])
        (query, told, *rest), *_ = asked
        for own, viewed in told._ledger().states:
            counts["heights"] += 1
            assert said(query, viewed, *rest) == said(query, own, *rest), case["name"]
    assert counts["told"] >= LEAST_TOLD
    # Of two that failed at the same check the lower id decides, and ids are others here.
    assert others <= {"no record, stale by the one, fresh by the other"}


def said(query: Any, state: State, *rest: Any) -> bytes:
    try:
        return format_verdict(evaluate(query, state, *rest))
    except KeyringError as error:
        return str(error).encode()
