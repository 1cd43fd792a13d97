"""What changes an arrangement that runs: a new text, a party's start, a new lookup key.

And what a recogniser tells its officers to do for each benefit.

Amending, starting and opening an epoch take two persons. Republishing carries out what was decided,
and an officer does it.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, cast

from aeo.exchange.v1 import arrangement_service_pb2 as pb
from aeo.ledger.v1.arrangement_pb2 import BenefitCode
from service.api.arrangement_message import describe_arrangement, find_history, warnings_in
from service.api.arrangement_summary import (
    always,
    summarise_amendment,
    summarise_epoch,
    summarise_start,
)
from service.api.caller import RIGHTS, Right
from service.api.failures import InvalidField
from service.api.hosted import failures, hosted_member, time_to_wait
from service.api.method import Call, FourEyes, Method, unary
from service.node.arrangements.amending import amend, check_amendment, check_start, start
from service.node.node import HostedMember, Node

MAX_NAMED: Final = 3_000
"""As many as one request to publish may have."""
INSTRUCTION_CHARACTERS: Final = 2_000
"""More than an officer reads at the counter."""


class ArrangementTerms:
    """The rest of `ArrangementService`, for the members that a node hosts."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def methods(self) -> Mapping[str, Method]:
        """By name."""
        prepare, read = RIGHTS[Right.PREPARE], RIGHTS[Right.READ_ARRANGEMENTS]

        method = partial(unary, roles=prepare)
        return {
            "Amend": method(
                self.amend,
                pb.ArrangementServiceAmendRequest,
                four_eyes=FourEyes(
                    always,
                    summarise_amendment,
                    pb.ArrangementServiceAmendResponse,
                    self._check_amendment,
                    repeatable=True,
                ),
            ),
            "Start": method(
                self.start,
                pb.ArrangementServiceStartRequest,
                four_eyes=FourEyes(
                    always,
                    summarise_start,
                    pb.ArrangementServiceStartResponse,
                    self._check_start,
                    repeatable=True,
                ),
            ),
            "OpenEpoch": method(
                self.open_epoch,
                pb.ArrangementServiceOpenEpochRequest,
                four_eyes=FourEyes(
                    always, summarise_epoch, pb.ArrangementServiceOpenEpochResponse, self._member
                ),
            ),
            "Republish": method(self.republish, pb.ArrangementServiceRepublishRequest),
            "SetInstructions": method(
                self.set_instructions, pb.ArrangementServiceSetInstructionsRequest
            ),
            "GetInstructions": method(
                self.get_instructions, pb.ArrangementServiceGetInstructionsRequest, roles=read
            ),
        }

    def amend(
        self, request: pb.ArrangementServiceAmendRequest, call: Call
    ) -> pb.ArrangementServiceAmendResponse:
        """Put a new text to all parties of both."""
        member, arrangement = self._member(request, call), request.arrangement_id
        with failures("text"):
            amend(
                member.agreements, self._node.state, arrangement, request.text, time_to_wait(call)
            )
        waiting = find_history(self._node, arrangement).amendment
        return pb.ArrangementServiceAmendResponse(
            arrangement=self._describe(arrangement),
            warnings=warnings_in(waiting.text) if waiting is not None else (),
        )

    def start(
        self, request: pb.ArrangementServiceStartRequest, call: Call
    ) -> pb.ArrangementServiceStartResponse:
        """Name the day from which the member takes part."""
        member, arrangement = self._member(request, call), request.arrangement_id
        with failures("date"):
            start(
                member.agreements, self._node.state, arrangement, request.date, time_to_wait(call)
            )
        return pb.ArrangementServiceStartResponse(arrangement=self._describe(arrangement))

    def open_epoch(
        self, request: pb.ArrangementServiceOpenEpochRequest, call: Call
    ) -> pb.ArrangementServiceOpenEpochResponse:
        """Make a new lookup key and commit to it."""
        member, arrangement = self._member(request, call), request.arrangement_id
        with failures("arrangement_id"):
            member.epochs.open(arrangement, time_to_wait(call))
        return pb.ArrangementServiceOpenEpochResponse(arrangement=self._describe(arrangement))

    def republish(
        self, request: pb.ArrangementServiceRepublishRequest, call: Call
    ) -> pb.ArrangementServiceRepublishResponse:
        """Take names; say how far it has come; and, when asked to, that it is complete."""
        member, arrangement = self._member(request, call), request.arrangement_id
        given = len(request.certificates) + len(request.aliases)
        if given > MAX_NAMED:
            raise InvalidField("certificates", f"at most {MAX_NAMED} with aliases, not {given}")
        with failures("certificates"):
            if given:
                member.epochs.name(
                    arrangement,
                    [(each.tin, each.certificate_number) for each in request.certificates],
                    [(each.scheme, each.value) for each in request.aliases],
                )
            counts = member.epochs.counts(arrangement)
            if request.complete:
                member.epochs.complete(arrangement, time_to_wait(call))
        return pb.ArrangementServiceRepublishResponse(
            certificates=counts.certificates,
            named=counts.named,
            copied=counts.copied,
            aliases=counts.aliases,
            aliases_copied=counts.aliases_copied,
            arrangement=self._describe(arrangement),
        )

    def set_instructions(
        self, request: pb.ArrangementServiceSetInstructionsRequest, call: Call
    ) -> pb.ArrangementServiceSetInstructionsResponse:
        """What officers are told to do for each benefit; durable on return."""
        member = hosted_member(self._node, call, request.economy)
        for number, each in enumerate(request.instructions):
            place = f"instructions[{number}]"
            if each.code not in BenefitCode.values() or not each.code:
                raise InvalidField(f"{place}.code", "no such benefit")
            if len(each.text) > INSTRUCTION_CHARACTERS:
                raise InvalidField(f"{place}.text", f"at most {INSTRUCTION_CHARACTERS} characters")
        for each in request.instructions:
            member.home.put_instruction(each.code, each.text)
        return pb.ArrangementServiceSetInstructionsResponse()

    def get_instructions(
        self, request: pb.ArrangementServiceGetInstructionsRequest, call: Call
    ) -> pb.ArrangementServiceGetInstructionsResponse:
        """The same, by benefit."""
        member = hosted_member(self._node, call, request.economy)
        return pb.ArrangementServiceGetInstructionsResponse(
            instructions=[
                pb.HandlingInstruction(code=cast("BenefitCode", code), text=text)
                for code, text in sorted(member.home.instructions().items())
            ]
        )

    def _check_amendment(self, request: pb.ArrangementServiceAmendRequest, call: Call) -> None:
        member = self._member(request, call)
        with failures("text"):
            check_amendment(
                member.agreements, self._node.state, request.arrangement_id, request.text
            )

    def _check_start(self, request: pb.ArrangementServiceStartRequest, call: Call) -> None:
        member = self._member(request, call)
        with failures("date"):
            check_start(member.agreements, self._node.state, request.arrangement_id, request.date)

    def _member(self, request: Any, call: Call) -> HostedMember:
        member = hosted_member(self._node, call, request.economy)
        find_history(self._node, request.arrangement_id)
        return member

    def _describe(self, arrangement: bytes) -> pb.Arrangement:
        return describe_arrangement(self._node, arrangement)
