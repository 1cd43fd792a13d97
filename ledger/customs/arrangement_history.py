"""An arrangement's life, folded from its steps: its texts, its parties, and whether it is in force.

Only steps that `check_step` has passed are folded, oldest first, and nothing but they: whoever has
a whole history of kind 2 comes to the same life. An amendment takes the place of the text with the
last signature that it waits for; an epoch with the last republication. What was so by *known at*
a lower height stays answerable.

>>> from ledger.customs.arrangement_text import format_arrangement_text, parse_arrangement_text, pb
>>> def text(*parties: str, begins: int) -> ArrangementText:
...     rule = pb.Rule(issuing="KR", recognising="TW", **{"from": begins})
...     return parse_arrangement_text(format_arrangement_text(pb.ArrangementText(
...         name="A", kind=1, parties=parties, rules=[rule], lookup_key_commitment=bytes(32))))
>>> steps = [("KR", Step("propose", text=text("KR", "TW", begins=100))), ("KR", Step("sign")),
...          ("TW", Step("sign")), ("TW", Step("amend", text=text("JP", "KR", "TW", begins=50))),
...          ("JP", Step("sign")), ("KR", Step("sign")), ("TW", Step("sign"))]
>>> entries = [ArrangementEntry(height, 10 * height, height, *step)
...            for height, step in enumerate(steps)]
>>> life = ArrangementHistory.propose(b"a" * 16, entries[0])
>>> for entry in entries[1:]:
...     life = life.extend(entry)
>>> life.parties_at(5), life.parties_at(6)
(('KR', 'TW'), ('JP', 'KR', 'TW'))
>>> [life.standing("KR", "TW", 60, height)[0] == IN_FORCE for height in (1, 5, 6)]
[False, False, True]
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from aeo.exchange.v1 import verdict_pb2
from ledger.customs.arrangement_step import Step
from ledger.customs.arrangement_text import ArrangementText, Rule
from ledger.customs.goods import HONOURED, Goods
from ledger.customs.key_epoch import Epoch, WaitingEpoch, epoch_at
from ledger.customs.staged_start import StartNotice, later_of_days
from ledger.customs.status import INSTANT_LIMIT
from ledger.errors import FormatError

DAY: Final = 86_400_000
# How long after a member's or an arrangement's start history may be loaded (domain, *Status
# record*).
MIGRATION_WINDOW: Final = 90 * DAY

IN_FORCE: Final[int] = verdict_pb2.REASON_NONE
_ENDED: Final[int] = verdict_pb2.REASON_ARRANGEMENT_ENDED
_SUSPENDED: Final[int] = verdict_pb2.REASON_ARRANGEMENT_SUSPENDED
_NOT_YET: Final[int] = verdict_pb2.REASON_ARRANGEMENT_NOT_YET
_NO_ARRANGEMENT: Final[int] = verdict_pb2.REASON_NO_ARRANGEMENT

# Why no rule runs, and the rules that do.
Standing = tuple[int, tuple[Rule, ...]]


class ArrangementEntry(NamedTuple):
    """A step that was executed, at its place in the ledger. `time` is the recorded one, Unix ms."""

    height: int
    time: int
    log_index: int
    author: str
    step: Step


class Signature(NamedTuple):
    """A party's signature of a text."""

    economy: str
    height: int
    time: int


class Stop(NamedTuple):
    """A suspension (`stops`) or resumption by `economy`, known from `height`, from `instant` on."""

    height: int
    economy: str
    instant: int
    stops: bool


class End(NamedTuple):
    """An end of the arrangement, known from `height`, from `instant` on."""

    height: int
    instant: int


class SignedText(NamedTuple):
    """A text that all signed: in force from `height`, known since `time`; `entry` carried it.

    `stops` counts the suspensions and resumptions before it: a block may hold several texts.
    """

    height: int
    time: int
    text: ArrangementText
    entry: ArrangementEntry
    stops: int = 0


class Amendment(NamedTuple):
    """A new text that waits for its signatures; `entry` carries it."""

    entry: ArrangementEntry
    text: ArrangementText
    # Who must sign: the parties of both texts, but for those that are no members any more.
    signers: tuple[str, ...]
    signatures: tuple[Signature, ...] = ()


@dataclass(frozen=True, slots=True)
class ArrangementHistory:
    """Everything recorded about one arrangement, folded from its entries, oldest first."""

    arrangement_id: bytes
    proposed: ArrangementEntry
    # The newest text in force, or the one proposed; and its signatures.
    text: ArrangementText
    signatures: tuple[Signature, ...] = ()
    stops: tuple[Stop, ...] = ()
    ends: tuple[End, ...] = ()
    # The signature that made it take effect; None while one is missing.
    complete: Signature | None = None
    # Every text that was in force, oldest first; none before the first is complete.
    texts: tuple[SignedText, ...] = ()
    amendment: Amendment | None = None
    notices: tuple[StartNotice, ...] = ()
    # At least the first.
    epochs: tuple[Epoch, ...] = ()
    waiting_epoch: WaitingEpoch | None = None
    newest_height: int = 0
    # What `cover` found and may find again: a memory, no part of the value.
    covers: dict[tuple[str, str, int, int, str], Any] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    @classmethod
    def propose(cls, arrangement_id: bytes, entry: ArrangementEntry) -> "ArrangementHistory":
        """Begin with an executed proposal."""
        text = entry.step.text
        if text is None:
            raise FormatError("an arrangement begins with its text")
        epoch = Epoch(1, text.lookup_key_commitment, entry.height, entry.time)
        return cls(arrangement_id, entry, text, epochs=(epoch,), newest_height=entry.height)

    def extend(self, entry: ArrangementEntry) -> "ArrangementHistory":
        """Return the history with one more executed step, which `check_step` has passed."""
        step, author, height = entry.step, entry.author, entry.height
        instant = max(entry.time, step.effective_from)
        newer = replace(self, newest_height=height)
        if step.kind == "sign":
            return newer._sign(Signature(author, height, entry.time))
        if step.kind == "amend":
            assert step.text is not None, "parse_step reads it"
            signers = {*self.text.parties, *step.text.parties} - {*step.without}
            return replace(newer, amendment=Amendment(entry, step.text, tuple(sorted(signers))))
        if step.kind == "start":
            notice = StartNotice(height, author, dict(step.starts))
            return replace(newer, notices=(*self.notices, notice))
        if step.kind == "open_epoch":
            waiting = WaitingEpoch(step.epoch, step.commitment, height, step.without)
            return replace(newer, waiting_epoch=waiting)
        if step.kind == "republished":
            assert self.waiting_epoch is not None, "check_step has seen it"
            done = self.waiting_epoch.republished | {author}
            waiting = self.waiting_epoch._replace(republished=done)
            return replace(newer, waiting_epoch=waiting)._take_over(height, entry.time)
        if step.kind == "end":
            return replace(newer, ends=(*self.ends, End(height, instant)))
        stop = Stop(height, author, instant, step.kind == "suspend")
        return replace(newer, stops=(*self.stops, stop))

    def _sign(self, signature: Signature) -> "ArrangementHistory":
        _, height, time = signature
        if self.complete is None:
            signatures = (*self.signatures, signature)
            if len(signatures) < len(self.text.parties):
                return replace(self, signatures=signatures)
            texts = (SignedText(height, time, self.text, self.proposed),)
            return replace(self, signatures=signatures, complete=signature, texts=texts)
        amendment = self.amendment
        assert amendment is not None, "check_step has seen it"
        signatures = (*amendment.signatures, signature)
        if len(signatures) < len(amendment.signers):
            return replace(self, amendment=amendment._replace(signatures=signatures))
        signed = SignedText(height, time, amendment.text, amendment.entry, len(self.stops))
        newer = replace(
            self,
            text=amendment.text,
            signatures=signatures,
            texts=(*self.texts, signed),
            amendment=None,
        )
        # Whom an epoch waited for may have left.
        return newer._take_over(height, time)

    def _take_over(self, height: int, time: int) -> "ArrangementHistory":
        waiting = self.waiting_epoch
        if waiting is None or not waiting.republished or waiting.missing(self.text.parties):
            return self
        epoch = Epoch(waiting.number, waiting.commitment, height, time)
        return replace(self, epochs=(*self.epochs, epoch), waiting_epoch=None)

    # What was so by what was known at a height.

    def in_effect(self, known_height: int) -> bool:
        """Whether every party had signed at `known_height`."""
        return self.complete is not None and self.complete.height <= known_height

    def text_at(self, known_height: int) -> ArrangementText:
        """The text in force at a height; the first before any was."""
        texts = self.texts
        if len(texts) < 2:
            return self.text
        for signed in reversed(texts):
            if signed.height <= known_height:
                return signed.text
        return texts[0].text

    def parties_at(self, known_height: int) -> tuple[str, ...]:
        """The parties of that text, ascending."""
        return self.text_at(known_height).parties

    def was_party(self, economy: str) -> bool:
        """Whether an economy is a party of the text, or of one that was in force before."""
        texts = self.texts
        return economy in self.text.parties or any(economy in one.text.parties for one in texts)

    def epoch_at(self, known_height: int) -> Epoch:
        """The epoch of the lookup key in force at a height."""
        return epoch_at(self.epochs, known_height)

    @property
    def text_entry(self) -> ArrangementEntry:
        """The step that carries the bytes of `text`."""
        return self.texts[-1].entry if self.texts else self.proposed

    # Whether it is in force.

    def standing(
        self,
        issuing: str,
        recognising: str,
        as_of: int,
        known_height: int,
        goods: Goods | None = None,
    ) -> Standing:
        """Whether it is in force from `issuing` to `recognising`, and the rules that run then.

        The reason is verdict.proto's: `IN_FORCE` with at least one rule, or why not with none.
        """
        if not self.in_effect(known_height):
            return _NO_ARRANGEMENT, ()
        text = self.text_at(known_height)
        if issuing not in text.parties or recognising not in text.parties:
            return _ENDED, ()
        rules = text.rules_between(issuing, recognising)
        if goods is not None and rules:
            return self._standing_of(goods, rules, as_of, known_height)
        life = self._life(as_of, known_height)
        if life != IN_FORCE:
            return life, ()
        running = tuple([rule for rule in rules if self.runs(rule, as_of, known_height)])
        if running:
            return IN_FORCE, running
        past = rules and all(rule.end and rule.end <= as_of for rule in rules)
        return (_ENDED if past else _NOT_YET), ()

    def _standing_of(
        self, goods: Goods, rules: Sequence[Rule], as_of: int, known_height: int
    ) -> Standing:
        """The same where the question tells of the goods' events: each rule at its own instant."""
        covering, lives, past = [], set(), []
        for rule in rules:
            instant = goods.instant(rule.relevant_event, as_of)
            life = self._life(instant, known_height)
            over = bool(rule.end) and rule.end <= instant
            lives.add(life)
            if life == IN_FORCE:
                past.append(over)
            # What was suspended when it ended stays so for goods under way.
            if life == _ENDED or over:
                dispatched = goods.dispatched
                if rule.goods_under_way != HONOURED or dispatched is None:
                    continue
                if self.suspended_by(instant, known_height):
                    continue
                instant = dispatched
            if self._life(instant, known_height) == IN_FORCE and self.runs(
                rule, instant, known_height
            ):
                covering.append(rule)
        if covering:
            return IN_FORCE, tuple(covering)
        # Of several rules the one that came furthest says why.
        if IN_FORCE in lives:
            return (_ENDED if all(past) else _NOT_YET), ()
        return (_SUSPENDED if _SUSPENDED in lives else _ENDED), ()

    def _life(self, instant: int, known_height: int) -> int:
        """Whether it has ended, or is suspended, at an instant; `IN_FORCE` where neither."""
        if any(end.height <= known_height and end.instant <= instant for end in self.ends):
            return _ENDED
        if self.stops and self.suspended_by(instant, known_height):
            return _SUSPENDED
        return IN_FORCE

    def begins(self, rule: Rule, known_height: int) -> int | None:
        """When a rule of the text begins, by the notices known; None where a day is missing."""
        if not self.text_at(known_height).staged_starts:
            return rule.begin
        day = later_of_days(self.notices, rule.issuing, rule.recognising, known_height)
        return None if day is None else max(rule.begin, day)

    def runs(self, rule: Rule, instant: int, known_height: int) -> bool:
        """Whether a rule of the text runs at an instant."""
        begins = self.begins(rule, known_height)
        return begins is not None and begins <= instant and (not rule.end or instant < rule.end)

    def suspended_by(self, as_of: int, known_height: int) -> list[str]:
        """The parties whose suspension holds at `as_of`, ascending; who has left counts no more."""
        holding = []
        for economy in sorted({stop.economy for stop in self.stops}):
            begun = [stop for stop in self.stops_of(economy, known_height) if stop.instant <= as_of]
            if begun and begun[-1].stops:
                holding.append(economy)
        return holding

    def stops_of(self, economy: str, known_height: int) -> list[Stop]:
        """A party's suspensions and resumptions that count, in ledger order.

        Those of whoever left count no more, not even once it has come back.
        """
        joined = self.joined_with(economy, known_height)
        if joined is None:
            return []
        return [
            stop
            for stop in self.stops[joined.stops :]
            if stop.economy == economy and stop.height <= known_height
        ]

    def joined_with(self, economy: str, known_height: int) -> SignedText | None:
        """The text that made an economy the party that it is at a height, without interruption."""
        joined = None
        for signed in reversed(self.texts):
            if signed.height > known_height:
                continue
            if economy not in signed.text.parties:
                break
            joined = signed
        return joined

    def boundaries(
        self, issuing: str, recognising: str, known_height: int, goods: Goods | None = None
    ) -> list[int]:
        """Every instant of as of known at which `standing` between the two may change."""
        rules = self.text_at(known_height).rules_between(issuing, recognising)
        if goods is not None and rules:
            told = [goods.said(rule.relevant_event) for rule in rules]
            if None not in told:
                return []
        instants = [end.instant for end in self.ends if end.height <= known_height]
        instants += [stop.instant for stop in self.stops if stop.height <= known_height]
        for rule in rules:
            begins = self.begins(rule, known_height)
            if begins is not None:
                instants.append(begins)
            if rule.end:
                instants.append(rule.end)
        return instants

    def migrated_until(self, author: str, member_since: int) -> int:
        """Until when (recorded time, inclusive) a party may load MIGRATED records.

        90 days from its membership or, if that is later, from the signature that made it a party
        of the text in force. The days that rules begin on play no part. While an epoch waits there
        is no end.
        """
        if self.waiting_epoch is not None:
            return INSTANT_LIMIT
        joined = self.joined_with(author, self.newest_height)
        return max(member_since, joined.time if joined else member_since) + MIGRATION_WINDOW
