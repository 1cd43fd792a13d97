"""`StatusService`: does a trader's status hold, here, now?

Look-ups are read and answered as bytes: what the desk remembers (`service.node.lookup.desk`) is
found by the bytes of the question, and joined to an answer without a message object on the way.

A malformed question alone gets INVALID_ARGUMENT. Among others (batch, stream) it must not fail its
neighbours: its verdict is empty, with outcome and reason UNSPECIFIED, which no rule ever gives, and
a `QuestionProblem` beside it names the field. The same goes for a question that this caller may not
ask, and for one that the node cannot answer for want of a lookup key.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from google.protobuf.message import DecodeError

from aeo.exchange.v1 import status_service_pb2 as pb
from aeo.exchange.v1.verdict_pb2 import Verdict as VerdictMessage
from aeo.exchange.wire.v1.wire_pb2 import (
    BatchLookupRequestBytes,
    BatchLookupResponseBytes,
    LookupResponseBytes,
)
from aeo.ledger.v1 import status_pb2
from ledger.customs.tin import TinError, parse_tin
from ledger.customs.verdict import format_verdict
from ledger.errors import FormatError, KeyringError
from ledger.state.state import State
from service.api.access_items import identifier_of, note_chain, purpose_of
from service.api.caller import RIGHTS, Caller, Right
from service.api.chains import look_up_chain
from service.api.failures import (
    CallError,
    Denied,
    Illegal,
    InvalidField,
    NotFound,
    NotReady,
    naming,
)
from service.api.method import Call, Kind, Method
from service.api.watching import Watching
from service.keys.spiffe import AccessRole
from service.node.access_log import AccessLog
from service.node.lookup.desk import REMEMBERED, LookupDesk, Position
from service.node.lookup.desks import Desks
from service.node.lookup.host import AnsweringHost, SealView
from service.node.lookup.proofs import history_entries, prove_lookup
from service.node.lookup.question import NAME_LIMIT, QuestionError, read_question
from service.node.lookup.receipts import make_receipt
from service.node.replica.nothing_kept import ProfilesElsewhere

SERVICE: Final = "aeo.exchange.v1.StatusService"

MAX_BATCH: Final = 3_000
"""Questions of one batch: about 150 KB, answered in 10 to 50 ms."""
SEAL_WAIT_SECONDS: Final = 1.0
"""How long a look-up with proof waits for the seal of a block that has just come: milliseconds,
unless the sealers are away; the proof is then of the state before."""


class StatusServicer:
    """Answers for the members that one host answers for: a node, or the view of a replica."""

    def __init__(self, node: AnsweringHost, remembered: int = REMEMBERED) -> None:
        self._node = node
        self.desks = Desks(node, remembered)
        self._watching = Watching(node)
        # The last state for whose seal a call has waited in vain: the next need not wait again.
        self._left_unsealed: State | None = None

    def methods(self) -> Mapping[str, Method]:
        """What to register under `SERVICE`."""
        roles = RIGHTS[Right.LOOK_UP]
        return {
            "Lookup": Method(Kind.UNARY, self.lookup, None, None, roles),
            "BatchLookup": Method(Kind.UNARY, self.batch_lookup, None, None, roles),
            "StreamLookup": Method(
                Kind.BOTH_STREAM,
                self.stream_lookup,
                None,  # one that cannot be read is a problem of its own, not the stream's end
                pb.StreamLookupResponse.SerializeToString,
                roles,
            ),
            "LookupSupplyChain": Method(
                Kind.UNARY,
                self.look_up_supply_chain,
                pb.LookupSupplyChainRequest.FromString,
                pb.LookupSupplyChainResponse.SerializeToString,
                roles,
            ),
            "GetHistory": Method(
                Kind.UNARY,
                self.get_history,
                pb.GetHistoryRequest.FromString,
                pb.GetHistoryResponse.SerializeToString,
                roles,
            ),
            "GetReceipt": Method(
                Kind.UNARY,
                self.get_receipt,
                pb.GetReceiptRequest.FromString,
                pb.GetReceiptResponse.SerializeToString,
                roles,
            ),
            "Watch": Method(
                Kind.SERVER_STREAM,
                self._watching.watch,
                pb.WatchRequest.FromString,
                pb.WatchResponse.SerializeToString,
                roles,
            ),
        }

    def lookup(self, question: bytes, call: Call) -> bytes:
        """`LookupRequest` bytes in, `LookupResponse` bytes out."""
        desk = self._desk(call.caller, "")
        position = desk.position()
        notes: list[bytes | None] = []
        (verdict,) = self._answer_at_once(desk, call.caller, (question,), position, notes)
        proof = b""
        if verdict is None:
            request = _read(question)
            verdict, position, proof = self._answer(request, question, call.caller, position)
        self._note(call, position, (question,), (verdict,), notes)
        said: bytes = LookupResponseBytes(
            verdict=verdict, finality=position.finality, proof=proof
        ).SerializeToString()
        return said

    def batch_lookup(self, data: bytes, call: Call) -> bytes:
        """`BatchLookupRequest` bytes in, `BatchLookupResponse` bytes out."""
        questions = _read_batch(data)
        if len(questions) > MAX_BATCH:
            raise InvalidField("requests", f"at most {MAX_BATCH}, not {len(questions)}")
        caller = call.caller
        desk = self._desk(caller, "")
        position = desk.position()
        notes: list[bytes | None] = []
        recalled = self._answer_at_once(desk, caller, questions, position, notes)
        verdicts: list[bytes] = []
        problems: list[bytes] = []
        for question, said_before in zip(questions, recalled, strict=True):
            try:
                verdicts.append(
                    said_before or self._verdict(_read(question), question, caller, position)[0]
                )
            except CallError as error:
                problems.append(_problem(len(verdicts), error).SerializeToString())
                verdicts.append(b"")
        self._note(call, position, questions, verdicts, notes)
        said: bytes = BatchLookupResponseBytes(
            verdicts=verdicts, finality=position.finality, problems=problems
        ).SerializeToString()
        return said

    def stream_lookup(
        self, requests: Iterable[bytes], call: Call
    ) -> Iterator[pb.StreamLookupResponse]:
        """One answer for each question, `StreamLookupRequest` bytes, in order."""
        for index, asked in enumerate(requests):
            position = self.desks.position()
            response = pb.LookupResponse(finality=position.finality)
            try:
                request = _read_streamed(asked)
                question = request.SerializeToString()
                verdict, position, proof = self._answer(request, question, call.caller, position)
                self._note(call, position, (question,), (verdict,), (None,))
            except CallError as error:
                response.problem.CopyFrom(_problem(index, error))
            else:
                response.finality = position.finality
                response.verdict.ParseFromString(verdict)
                if proof:
                    response.proof.ParseFromString(proof)
            yield pb.StreamLookupResponse(response=response)

    def look_up_supply_chain(
        self, request: pb.LookupSupplyChainRequest, call: Call
    ) -> pb.LookupSupplyChainResponse:
        """A verdict for each party of a declaration, and what they come to together."""
        desk = self._desk(call.caller, request.recognising_economy)
        _check_purpose(call.caller, request.purpose)
        position = desk.position()
        try:
            response = look_up_chain(request, desk, position)
        except KeyringError as error:
            raise _no_key(str(error)) from None
        note_chain(self._log(call), call, request, response, position)
        return response

    def get_history(self, request: pb.GetHistoryRequest, call: Call) -> pb.GetHistoryResponse:
        """Every record of a trader under the arrangements between its issuer and the caller."""
        desk = self._desk(call.caller, request.recognising_economy)
        _check_purpose(call.caller, request.purpose)
        state = desk.position().state
        try:
            tin = parse_tin(request.tin, state.prefixes()).canonical
        except TinError as error:
            raise InvalidField("tin", str(error)) from None
        speakers = [entry for entry in state.speaker_history(tin[:2]) if entry.begins]
        issuer = speakers[-1].economy if speakers else ""
        if issuer == desk.economy:
            # Whoever drafts a text may name us a party: no record stands under it before we sign.
            between = [a for a in state.own_arrangements(issuer) if _signed_by_all(state, a)]
        else:
            between = [pair.arrangement_id for pair in state.pair_history(issuer, desk.economy)]
        if request.arrangement_id:
            if request.arrangement_id not in between:
                raise NotFound("NO_ARRANGEMENT", "no such arrangement between the two")
            between = [request.arrangement_id]
        response = pb.GetHistoryResponse(
            tin=tin, issuing_economy=issuer, height=state.height, header_hash=state.header_hash
        )
        keys = desk.keys()
        for arrangement_id in sorted(between):
            key = keys.get(arrangement_id)
            if key is None:
                raise _no_key(f"no lookup key of arrangement {arrangement_id.hex()}")
            subject = key.subject(tin)
            entries = list(history_entries(state, arrangement_id, issuer, subject))
            response.histories.add(
                arrangement_id=arrangement_id,
                subject=subject,
                entries=entries,
                records=[status_pb2.StatusRecord.FromString(entry.record) for entry in entries],
            )
        self._log(call).note(call.caller, call.method, request.purpose, state.height, (tin,))
        return response

    def get_receipt(self, request: pb.GetReceiptRequest, call: Call) -> pb.GetReceiptResponse:
        """A verdict with everything it rests on, by the newest header that has a seal."""
        question, caller = request.question, call.caller
        desk = self._desk(caller, question.recognising_economy)
        _check_purpose(caller, question.purpose)
        position, seal = self._provable(desk.position())
        has_anchor = request.HasField("anchor_height")
        if has_anchor and request.anchor_height > position.state.height:
            raise InvalidField("anchor_height", f"the ledger ends at {position.state.height}")
        try:
            with naming("question"):
                query = read_question(question, desk.economy)
                if query.party is not None:
                    raise InvalidField(
                        "name_and_address", "a receipt is of one trader: ask by the TIN found"
                    )
                receipt = make_receipt(
                    self._node,
                    desk.economy,
                    query,
                    position,
                    seal,
                    profiles=desk.profiles(query),
                    anchor_height=request.anchor_height if has_anchor else None,
                    include_genesis=not request.without_genesis,
                )
        except QuestionError as error:
            raise InvalidField(f"question.{error.field}", error.description) from None
        except KeyringError as error:
            raise _no_key(str(error)) from None
        height = position.state.height
        asked = identifier_of(question, position.state)
        self._log(call).note(caller, call.method, question.purpose, height, (asked,))
        return pb.GetReceiptResponse(receipt=receipt)

    def _log(self, call: Call) -> AccessLog:
        """The access log of the caller's own administration, which this node hosts."""
        return self._node.hosted[call.caller.economy].access_log

    def _note(
        self,
        call: Call,
        position: Position,
        questions: Sequence[bytes],
        verdicts: Sequence[bytes],
        notes: Sequence[bytes | None],
    ) -> None:
        """Note answers in the access log; an agency's one by one, each with its purpose."""
        log, caller = self._log(call), call.caller
        now, height = position.times.now, position.state.height
        if caller.access_role is not AccessRole.AGENCY:
            log.note_answers(caller, call.method, "", now, height, questions, verdicts, notes)
            return
        for question, verdict in zip(questions, verdicts, strict=True):
            answer = (question,), (verdict,), (None,)
            log.note_answers(caller, call.method, purpose_of(question), now, height, *answer)

    def _desk(self, caller: Caller, recognising: str) -> LookupDesk:
        """The desk of the member asked for, by default the caller's own."""
        own = self.desks.of(caller.economy)
        if own is None:
            raise Denied("NOT_HOSTED", f"this node does not answer for {caller.economy}")
        if not recognising or recognising == caller.economy:
            return own
        desk = self.desks.of(recognising)
        if desk is None:
            raise Denied("OTHER_ECONOMY", f"this node does not answer for {recognising}")
        return desk

    def _answer_at_once(
        self,
        desk: LookupDesk,
        caller: Caller,
        questions: Sequence[bytes],
        position: Position,
        notes: list[bytes | None],
    ) -> list[bytes | None]:
        """What the caller's own desk answers at once; an agency states a purpose, which is read.

        `notes` is filled with what the access log notes of each.
        """
        if caller.access_role is AccessRole.AGENCY:
            notes.extend(None for _ in questions)
            return [None for _ in questions]
        return desk.answer(questions, position, notes)

    def _answer(
        self, request: pb.LookupRequest, question: bytes, caller: Caller, position: Position
    ) -> tuple[bytes, Position, bytes]:
        """Verdict bytes, the position that it is of, and proof bytes where asked for."""
        seal = None
        if request.include_proof:
            position, seal = self._provable(position)
            # Times by the seal that is shown, not by a newer one: the caller can check no other.
            times = position.times._replace(attested_time=seal.attested_time)
            position = position._replace(times=times)
        data, desk = self._verdict(request, question, caller, position)
        if seal is None:
            return data, position, b""
        verdict = VerdictMessage.FromString(data)
        state = position.state
        proof = pb.LookupProof(
            header=state.header_bytes,
            seal=seal.data,
            subjects=prove_lookup(
                state,
                verdict.issuing_economy,
                verdict.tin,
                desk.keys(),
                [each.arrangement_id for each in verdict.arrangements],
                verdict.arrangement_id,
                verdict.followed_subject,
            )
            if verdict.tin
            else (),
        )
        return data, position, proof.SerializeToString()

    def _verdict(
        self, request: pb.LookupRequest, question: bytes, caller: Caller, position: Position
    ) -> tuple[bytes, LookupDesk]:
        """Verdict bytes and the desk that gave them, or a `CallError`."""
        desk = self._desk(caller, request.recognising_economy)
        _check_purpose(caller, request.purpose)
        try:
            query = read_question(request, desk.economy)
            if request.include_proof or request.purpose or desk.economy != caller.economy:
                return format_verdict(desk.evaluate(query, position)), desk
            return desk.learn(question, query, position), desk
        except QuestionError as error:
            raise InvalidField(error.field, error.description) from None
        except FormatError as error:
            raise InvalidField("request", str(error)) from None
        except ProfilesElsewhere as error:
            raise Illegal("PROFILES_ELSEWHERE", str(error)) from None
        except KeyringError as error:
            raise _no_key(str(error)) from None

    def _provable(self, position: Position) -> tuple[Position, SealView]:
        """The same, or a newer one, with its seal; where none comes, the newest that has one.

        A proof without a seal would show nothing: raises `NotReady` where no such state is known.
        """
        host, state = self._node, position.state
        feed, clock = host.feed, host.clock
        deadline = clock.monotonic_ns() + int(SEAL_WAIT_SECONDS * 1e9)
        while True:
            seen = feed.version
            proven = host.proven_state
            if proven is not None and proven.height >= state.height:
                break
            left = deadline - clock.monotonic_ns()
            # A writer that has stopped seals no more, and nobody sleeps on its feed.
            if left <= 0 or feed.closed or state is self._left_unsealed:
                self._left_unsealed = state
                break
            feed.wait(seen, left / 1e9)
        if proven is None:
            # As after a start between a header and its seal: no older state is in memory.
            raise NotReady("the newest header has no seal yet", reason="NOT_SEALED")
        seal = host.seal_of(proven.height)
        return Position(proven, position.times, seal.finality), seal


def _read(question: bytes) -> pb.LookupRequest:
    try:
        return pb.LookupRequest.FromString(question)
    except (DecodeError, UnicodeDecodeError):
        raise InvalidField("request", "cannot be read", "MALFORMED") from None


def _read_streamed(data: bytes) -> pb.LookupRequest:
    try:
        return pb.StreamLookupRequest.FromString(data).request
    except (DecodeError, UnicodeDecodeError):
        raise InvalidField("request", "cannot be read", "MALFORMED") from None


def _read_batch(data: bytes) -> list[bytes]:
    try:
        return list(BatchLookupRequestBytes.FromString(data).requests)
    except DecodeError:
        raise InvalidField("request", "cannot be read", "MALFORMED") from None


def _signed_by_all(state: State, arrangement_id: bytes) -> bool:
    history = state.arrangement(arrangement_id)
    return history is not None and history.complete is not None


def _check_purpose(caller: Caller, purpose: str) -> None:
    if caller.access_role is AccessRole.AGENCY and not purpose.strip():
        raise InvalidField("purpose", "is required of an agency")
    if len(purpose) > NAME_LIMIT:
        raise InvalidField("purpose", f"has at most {NAME_LIMIT} characters")


def _problem(index: int, error: CallError) -> pb.QuestionProblem:
    return pb.QuestionProblem(index=index, field=error.field or "", description=str(error))


def _no_key(message: str) -> NotReady:
    return NotReady(message, reason="LOOKUP_KEY_MISSING")
