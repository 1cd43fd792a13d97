"""Which trader and which arrangements a row is about, or why it is about none.

The codes are one closed list for all calls that take rows; a client acts on the code, the words are
for people.
"""

from typing import Final, NamedTuple, Protocol

from aeo.exchange.v1 import verdict_pb2
from ledger.customs.tin import parse_tin
from ledger.errors import TinError
from ledger.state.state import State

ROW_CODES: Final[dict[str, str]] = {
    "TIN_MALFORMED": "not a trader identification number",
    "ALIAS_AMBIGUOUS": "reads as two different numbers",
    "TIN_NOT_OURS": "another member, or none, speaks for the number's prefix",
    "CERTIFICATE_MALFORMED": "a certificate number has 1 to 256 characters",
    "TERMS_MALFORMED": "event, status, roles, level and scope do not make a record",
    "RECORD_MALFORMED": "dates and references do not make a record",
    "SCHEME_MALFORMED": "a scheme is a code of 1 to 32 capitals, digits or hyphens, as US-MID",
    "ALIAS_MALFORMED": "an alias has 1 to 256 characters",
    "ALIAS_UNCHANGED": "the ledger says the same of this alias and trader already",
    "NO_ARRANGEMENT": "no arrangement was named and none is signed by all its parties",
    "ARRANGEMENT_UNKNOWN": "no arrangement of that id was proposed",
    "NOT_A_PARTY": "the member is not a party of the arrangement",
    "ARRANGEMENT_NOT_SIGNED": "not every party has signed the arrangement",
    "ARRANGEMENT_HAS_ENDED": "the arrangement has ended",
    "CONSENT_MISSING": "the trader has not agreed to be shared under the arrangement",
    "LOOKUP_KEY_MISSING": "this node does not hold the arrangement's lookup key",
    "CORRECTS_ONE": "a correction names exactly one arrangement, that of the record it undoes",
}

_TIN_CODES: Final[dict[int, str]] = {
    verdict_pb2.REASON_TIN_MALFORMED: "TIN_MALFORMED",
    verdict_pb2.REASON_ALIAS_AMBIGUOUS: "ALIAS_AMBIGUOUS",
}


class RowFault(NamedTuple):
    """Why a row was not taken: a code of `ROW_CODES`, and words for people."""

    code: str
    message: str


class RowRefused(Exception):  # caught for each row, never seen outside
    """One row is faulty."""

    def __init__(self, code: str, detail: str = "") -> None:
        text = ROW_CODES[code]
        self.fault = RowFault(code, f"{text}: {detail}" if detail else text)
        super().__init__(self.fault.message)


class Consents(Protocol):
    """What traders have said of being shared; `required`: whether the text asks for consent."""

    def asks(self, arrangement_id: bytes, *, required: bool) -> bool:
        """Whether a trader's consent matters at all under an arrangement."""

    def covers(self, arrangement_id: bytes, tin: str, *, required: bool) -> bool:
        """Whether a trader (canonical TIN) may be shared under an arrangement."""


class RowTargets:
    """Judges TINs and arrangements for what `economy` publishes at `now` (Unix ms).

    Without `consents` nobody is asked for any.
    """

    def __init__(
        self, state: State, economy: str, now: int, consents: Consents | None = None
    ) -> None:
        self._consents = consents
        self._state = state
        self._economy = economy
        self._now = now
        self._prefixes = state.prefixes()
        self._ours: dict[str, bool] = {}

    def tin(self, text: str) -> str:
        """The canonical TIN, if the member speaks for its prefix; raises `RowRefused`."""
        tin = self.canonical(text)
        prefix = tin[:2]
        ours = self._ours.get(prefix)
        if ours is None:
            ours = self._ours[prefix] = self._speaks_for(prefix)
        if not ours:
            raise RowRefused("TIN_NOT_OURS", prefix)
        return tin

    def canonical(self, text: str) -> str:
        """The canonical TIN, whoever speaks for its prefix; raises `RowRefused`."""
        try:
            return parse_tin(text, self._prefixes).canonical
        except TinError as error:
            raise RowRefused(_TIN_CODES[error.reason], str(error)) from None

    def arrangements(self, wanted: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """The arrangements wanted, or else all that can take records; raises `RowRefused`."""
        if wanted:
            for arrangement_id in wanted:
                code = self._fault(arrangement_id)
                if code is not None:
                    raise RowRefused(code, arrangement_id.hex())
            return tuple(dict.fromkeys(wanted))
        found = tuple(
            arrangement_id
            for arrangement_id in self._state.own_arrangements(self._economy)
            if self._fault(arrangement_id) is None
        )
        if not found:
            raise RowRefused("NO_ARRANGEMENT")
        return found

    def asks(self, arrangement_id: bytes) -> bool:
        """Whether consents matter under an arrangement."""
        consents = self._consents
        return consents is not None and consents.asks(
            arrangement_id, required=self._required(arrangement_id)
        )

    def shared(self, found: tuple[bytes, ...], tin: str, *, named: bool) -> tuple[bytes, ...]:
        """Of the arrangements found those under which a trader may be shared.

        Raises `RowRefused` where that is none, or not all that were `named`.
        """
        consents = self._consents
        if consents is None:
            return found
        covered = tuple(
            each for each in found if consents.covers(each, tin, required=self._required(each))
        )
        if not covered or (named and len(covered) < len(found)):
            missing = next(each for each in found if each not in covered)
            raise RowRefused("CONSENT_MISSING", missing.hex())
        return covered

    def _required(self, arrangement_id: bytes) -> bool:
        history = self._state.arrangement(arrangement_id)
        return history is not None and history.text.consent_required

    def _fault(self, arrangement_id: bytes) -> str | None:
        history = self._state.arrangement(arrangement_id)
        if history is None:
            return "ARRANGEMENT_UNKNOWN"
        if self._economy not in history.text.parties:
            return "NOT_A_PARTY"
        if history.complete is None:
            return "ARRANGEMENT_NOT_SIGNED"
        if any(end.instant <= self._now for end in history.ends):
            return "ARRANGEMENT_HAS_ENDED"
        return None

    def _speaks_for(self, prefix: str) -> bool:
        history = self._state.speaker_history(prefix)
        return bool(history) and history[-1].begins and history[-1].economy == self._economy
