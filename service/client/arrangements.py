"""Arrangements between members: propose, sign, amend, start, change keys, suspend, end, read."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeAlias

from aeo.exchange.v1 import arrangement_service_pb2 as pb
from aeo.exchange.v1.arrangement_service_pb2_grpc import ArrangementServiceStub
from aeo.ledger.v1.arrangement_pb2 import ArrangementText, BenefitCode
from service.client.approvals import Pending
from service.client.connection import Connection
from service.client.verdicts import milliseconds

RECORDED_DEADLINE = 30.0
"""Seconds: a call that writes answers when the step is on the ledger."""

Step: TypeAlias = pb.Arrangement | Pending[pb.Arrangement]
"""What a step comes to: the arrangement after it, or a step that waits for a second person."""


class ArrangementClient:
    """`ArrangementService` of one node, for the caller's own economy unless `economy` is given."""

    def __init__(self, connection: Connection, economy: str = "") -> None:
        self._connection = connection
        self._economy = economy
        self._stub = ArrangementServiceStub(connection.channel)

    def propose(
        self, text: ArrangementText, idempotency_key: str, deadline: float = RECORDED_DEADLINE
    ) -> Step:
        """Propose a text; the node makes the lookup key and fills in its commitment."""
        request = pb.ArrangementServiceProposeRequest(
            text=text, economy=self._economy, idempotency_key=idempotency_key
        )
        return _result(self._connection.call(self._stub.Propose, request, deadline))

    def sign(
        self, arrangement_id: bytes, text_hash: bytes, deadline: float = RECORDED_DEADLINE
    ) -> Step:
        """Sign the text with this hash, and no other."""
        request = pb.ArrangementServiceSignRequest(
            arrangement_id=arrangement_id, text_hash=text_hash, economy=self._economy
        )
        return _result(self._connection.call(self._stub.Sign, request, deadline))

    def suspend(
        self,
        arrangement_id: bytes,
        effective_from: datetime | None = None,
        deadline: float = RECORDED_DEADLINE,
    ) -> pb.Arrangement:
        """Suspend it for all parties, at once or from a later instant."""
        request = pb.ArrangementServiceSuspendRequest(
            arrangement_id=arrangement_id,
            effective_from=_instant(effective_from),
            economy=self._economy,
        )
        return self._connection.call(self._stub.Suspend, request, deadline).arrangement

    def resume(
        self,
        arrangement_id: bytes,
        effective_from: datetime | None = None,
        deadline: float = RECORDED_DEADLINE,
    ) -> Step:
        """Take back this economy's suspension."""
        request = pb.ArrangementServiceResumeRequest(
            arrangement_id=arrangement_id,
            effective_from=_instant(effective_from),
            economy=self._economy,
        )
        return _result(self._connection.call(self._stub.Resume, request, deadline))

    def end(
        self,
        arrangement_id: bytes,
        effective_from: datetime | None = None,
        deadline: float = RECORDED_DEADLINE,
    ) -> Step:
        """End it, with the notice that its text asks for."""
        request = pb.ArrangementServiceEndRequest(
            arrangement_id=arrangement_id,
            effective_from=_instant(effective_from),
            economy=self._economy,
        )
        return _result(self._connection.call(self._stub.End, request, deadline))

    def amend(
        self, arrangement_id: bytes, text: ArrangementText, deadline: float = RECORDED_DEADLINE
    ) -> Step:
        """Put a new text to all parties of both, who sign it with `sign`."""
        request = pb.ArrangementServiceAmendRequest(
            arrangement_id=arrangement_id, text=text, economy=self._economy
        )
        return _result(self._connection.call(self._stub.Amend, request, deadline))

    def start(self, arrangement_id: bytes, day: date, deadline: float = RECORDED_DEADLINE) -> Step:
        """Name the civil date from which this economy takes part."""
        request = pb.ArrangementServiceStartRequest(
            arrangement_id=arrangement_id, date=day.isoformat(), economy=self._economy
        )
        return _result(self._connection.call(self._stub.Start, request, deadline))

    def open_epoch(self, arrangement_id: bytes, deadline: float = RECORDED_DEADLINE) -> Step:
        """Make a new lookup key; all parties republish before it takes over."""
        request = pb.ArrangementServiceOpenEpochRequest(
            arrangement_id=arrangement_id, economy=self._economy
        )
        return _result(self._connection.call(self._stub.OpenEpoch, request, deadline))

    def republish(
        self,
        arrangement_id: bytes,
        certificates: Iterable[tuple[str, str]] = (),
        aliases: Iterable[tuple[str, str]] = (),
        *,
        complete: bool = False,
        deadline: float = RECORDED_DEADLINE,
    ) -> pb.ArrangementServiceRepublishResponse:
        """Name certificates (TIN, number) and aliases (scheme, value), up to 3,000 a call.

        The answer says how many there are, are named, and are published under the new key by now.
        `complete` says on the ledger that all are: a `Conflict` while some are missing.
        """
        request = pb.ArrangementServiceRepublishRequest(
            arrangement_id=arrangement_id,
            certificates=[
                pb.NamedCertificate(tin=tin, certificate_number=number)
                for tin, number in certificates
            ],
            aliases=[pb.NamedAlias(scheme=scheme, value=value) for scheme, value in aliases],
            complete=complete,
            economy=self._economy,
        )
        return self._connection.call(self._stub.Republish, request, deadline)

    def set_instructions(self, instructions: Mapping[BenefitCode, str]) -> None:
        """Say what officers do for each benefit; an empty text takes it back."""
        request = pb.ArrangementServiceSetInstructionsRequest(
            instructions=[
                pb.HandlingInstruction(code=code, text=text) for code, text in instructions.items()
            ],
            economy=self._economy,
        )
        self._connection.call(self._stub.SetInstructions, request)

    def instructions(self) -> dict[BenefitCode, str]:
        """What officers are told to do, by benefit."""
        request = pb.ArrangementServiceGetInstructionsRequest(economy=self._economy)
        said = self._connection.call(self._stub.GetInstructions, request)
        return {each.code: each.text for each in said.instructions}

    def get(self, arrangement_id: bytes) -> pb.Arrangement:
        """One arrangement; `NoSuchThing` for an unknown id."""
        request = pb.ArrangementServiceGetRequest(arrangement_id=arrangement_id)
        return self._connection.call(self._stub.Get, request).arrangement

    def list(self, party: str = "") -> Sequence[pb.Arrangement]:
        """All arrangements, or those of one party."""
        request = pb.ArrangementServiceListRequest(party=party)
        return self._connection.call(self._stub.List, request).arrangements


def _instant(moment: datetime | None) -> int:
    return 0 if moment is None else milliseconds(moment)


def _result(response: Any) -> Step:
    """The arrangement, or the step that waits, of a response that may have either."""
    if not response.HasField("pending"):
        arrangement: pb.Arrangement = response.arrangement
        return arrangement
    of: Any = type(response)
    return Pending(response.pending, lambda data: of.FromString(data).arrangement)
