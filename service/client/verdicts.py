"""What a risk engine asks and what it gets, as typed values.

>>> question = Question("KR1234567890", function="EX", direction="IMPORT", mode=1)
>>> question.request().SerializeToString().hex()
'0a0c4b52313233343536373839301a02455820012801'
>>> said = Verdict(verdict_pb2.Verdict(outcome=3, reason=14))
>>> said.outcome, said.reason, said.recognised, said.verified
(<Outcome.NOT_RECOGNISED: 'NOT_RECOGNISED'>, 'NO_RECORD', False, False)
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from aeo.exchange.v1 import status_service_pb2 as exchange
from aeo.exchange.v1 import verdict_pb2
from aeo.ledger.v1 import arrangement_pb2
from service.client.goods import NOT_SAID, GoodsEvents
from service.client.proofs import ProvedHistory

Direction: TypeAlias = Literal["IMPORT", "EXPORT", "TRANSIT"]


class Outcome(StrEnum):
    """What the rules say; NO_VERDICT where the question could not be read (see `problem`)."""

    RECOGNISED = "RECOGNISED"
    INFORMATION_ONLY = "INFORMATION_ONLY"
    NOT_RECOGNISED = "NOT_RECOGNISED"
    UNDETERMINED = "UNDETERMINED"
    NO_VERDICT = "NO_VERDICT"


_OUTCOMES: dict[int, Outcome] = {
    verdict_pb2.OUTCOME_UNSPECIFIED: Outcome.NO_VERDICT,
    verdict_pb2.OUTCOME_RECOGNISED: Outcome.RECOGNISED,
    verdict_pb2.OUTCOME_INFORMATION_ONLY: Outcome.INFORMATION_ONLY,
    verdict_pb2.OUTCOME_NOT_RECOGNISED: Outcome.NOT_RECOGNISED,
    verdict_pb2.OUTCOME_UNDETERMINED: Outcome.UNDETERMINED,
}


class AliasOf(NamedTuple):
    """An identifier other than the TIN, under a scheme."""

    scheme: str
    value: str


class NameAndAddress(NamedTuple):
    """A party that a declaration gives no code for."""

    name: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One look-up. `function` is what the party is in the declaration; `mode` of transport 1 to 8.

    Instants are aware datetimes; `as_of` None asks about now. Give `tin`, `alias` or `party`.
    """

    tin: str = ""
    function: str = ""
    direction: Direction = "IMPORT"
    mode: int = 0
    alias: AliasOf | None = None
    level: str = ""
    as_of: datetime | None = None
    known_at: datetime | int | None = None
    dispatch_economy: str = ""
    declared_name: str = ""
    declared_address: str = ""
    recognising_economy: str = ""
    purpose: str = ""
    goods: GoodsEvents = NOT_SAID
    party: NameAndAddress | None = None

    def request(self, *, include_proof: bool = False) -> exchange.LookupRequest:
        """The message of the call. `known_at` as an int is a height."""
        message = exchange.LookupRequest(
            function=self.function,
            direction=f"DIRECTION_{self.direction}",
            transport_mode=self.mode,
            level=self.level,
            dispatch_economy=self.dispatch_economy,
            declared_name=self.declared_name,
            declared_address=self.declared_address,
            recognising_economy=self.recognising_economy,
            include_proof=include_proof,
            purpose=self.purpose,
        )
        if self.alias is not None:
            message.alias.scheme, message.alias.value = self.alias
        elif self.party is not None:
            message.name_and_address.name, message.name_and_address.address = self.party
        else:
            message.tin = self.tin
        if self.as_of is not None:
            message.as_of = milliseconds(self.as_of)
        if isinstance(self.known_at, int):
            message.known_at_height = self.known_at
        elif self.known_at is not None:
            message.known_at_time = milliseconds(self.known_at)
        self.goods.put(message)
        return message


class Benefit(NamedTuple):
    """A benefit's code, who grants it, and the recogniser's words to its officer."""

    code: str
    granted_by: str
    instruction: str


class ArrangementVerdict(NamedTuple):
    """What one arrangement of the pair says for itself."""

    arrangement_id: bytes
    kind: str
    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What the proof of a look-up has shown. `unproved` says in words what it has not.

    Shown: the header is this network's, its seal (`level`) verifies and it descends from the
    anchor; the histories are whole and this trader's; the verdict's status agrees with them. That
    the arrangement's text and rules are as the node applied them takes a receipt.
    """

    height: int
    header_hash: bytes
    level: str
    attested_time: int
    histories: tuple[ProvedHistory, ...]
    unproved: tuple[str, ...]


class Said:
    """What a verdict says, read from its `message`."""

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def message(self) -> verdict_pb2.Verdict:
            """All of its fields."""

    @property
    def outcome(self) -> Outcome:
        """What the rules say."""
        return _OUTCOMES[self.message.outcome]

    @property
    def reason(self) -> str:
        """The first check that failed, from a closed list, or NONE; empty for NO_VERDICT."""
        return _code(verdict_pb2.Reason, self.message.reason, "REASON_")

    @property
    def recognised(self) -> bool:
        """Whether the benefits are due."""
        return self.message.outcome == verdict_pb2.OUTCOME_RECOGNISED

    @property
    def status(self) -> str:
        """CERTIFIED, SUSPENDED, EXPIRED, ...; empty where no certificate decided."""
        return _code(verdict_pb2.HeldStatus, self.message.status, "HELD_STATUS_")

    @property
    def level(self) -> str:
        """The programme's level of the certificate that decided."""
        return self.message.level

    @property
    def benefits(self) -> tuple[Benefit, ...]:
        """What is due, by code, with the instruction for the officer."""
        return tuple(
            Benefit(
                _code(arrangement_pb2.BenefitCode, each.code, "BENEFIT_CODE_"),
                each.granted_by,
                each.instruction,
            )
            for each in self.message.benefits
        )

    @property
    def arrangements(self) -> tuple[ArrangementVerdict, ...]:
        """Each arrangement's own outcome."""
        return tuple(
            ArrangementVerdict(
                each.arrangement_id,
                _code(arrangement_pb2.ArrangementKind, each.kind, "ARRANGEMENT_KIND_"),
                _OUTCOMES[each.outcome],
                _code(verdict_pb2.Reason, each.reason, "REASON_"),
            )
            for each in self.message.arrangements
        )

    @property
    def tin(self) -> str:
        """The canonical form that was looked up."""
        return self.message.tin

    @property
    def changes(self) -> tuple[str, ...]:
        """What was changed to make it canonical."""
        return tuple(
            _code(verdict_pb2.TinChange, each, "TIN_CHANGE_") for each in self.message.tin_changes
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is odd about the number, for example CHECK_DIGIT."""
        return tuple(
            _code(verdict_pb2.TinWarning, each, "TIN_WARNING_")
            for each in self.message.tin_warnings
        )

    @property
    def issuing_economy(self) -> str:
        """Whose programme it is; empty where nobody speaks for the number."""
        return self.message.issuing_economy

    @property
    def valid_from(self) -> datetime | None:
        """Beginning of the certificate that decided."""
        return instant(self.message.valid_from)

    @property
    def valid_to(self) -> datetime | None:
        """Its end; None where it has none."""
        return instant(self.message.valid_to)

    @property
    def as_of(self) -> datetime | None:
        """The instant asked about."""
        return instant(self.message.as_of)

    @property
    def cache_until(self) -> datetime | None:
        """Ask again from then on."""
        return instant(self.message.cache_until)

    @property
    def height(self) -> int:
        """The ledger's height that was read."""
        return self.message.height


@dataclass(frozen=True, slots=True)
class Verdict(Said):
    """The answer to one question; the properties read `message`.

    `finality` says whether the header is RECORDED, ATTESTED or SEALED. `problem` is why a question
    of a batch could not be read.
    """

    message: verdict_pb2.Verdict
    finality: str = "RECORDED"
    checked: Checked | None = None
    problem: str = ""

    @property
    def verified(self) -> bool:
        """Whether the answer was proved and the proof leaves nothing of its own open."""
        return self.checked is not None and not self.checked.unproved


def instant(milliseconds_: int) -> datetime | None:
    """Unix milliseconds as an aware datetime; None for 0, and beyond the year 9999."""
    try:
        return datetime.fromtimestamp(milliseconds_ / 1000, UTC) if milliseconds_ else None
    except (OverflowError, ValueError):
        return None


def milliseconds(moment: datetime) -> int:
    """An aware datetime as Unix milliseconds; ValueError for one without a zone."""
    if moment.tzinfo is None:
        raise ValueError("an instant has a time zone")
    return round(moment.timestamp() * 1000)


def finality_name(finality: int) -> str:
    """RECORDED, ATTESTED or SEALED."""
    return _code(exchange.Finality, finality, "FINALITY_")


def _code(enum: Any, value: int, prefix: str) -> str:
    """An enum's name without its prefix; empty for UNSPECIFIED."""
    return enum.Name(value).removeprefix(prefix) if value else ""
