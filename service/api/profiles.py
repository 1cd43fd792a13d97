"""ProfileService: who the traders are, off the ledger.

Officers put and read; erasing takes two persons, since it cannot be taken back. `Fetch` and
`NoticeErasure` are for the nodes of parties alone: a node gets the profiles of an arrangement that
its member is a party of, and can have erased only what its own member shared.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aeo.exchange.v1 import profile_service_pb2 as pb
from ledger.chain.keys import ARRANGEMENT_ID_BYTES
from ledger.customs.profile import format_profile, profile_of
from ledger.errors import TinError
from ledger.hashing import HASH_BYTES
from service.api.access_items import named
from service.api.caller import RIGHTS, Caller, Right
from service.api.failures import Denied, Illegal, InvalidField, NotFound
from service.api.hosted import hosted_member
from service.api.method import Call, FourEyes, Method, unary
from service.node.node import HostedMember, Node
from service.node.profiles.desk import NoProfile
from service.node.profiles.exchange import FETCH_LIMIT, NOTICE_LIMIT

SERVICE: Final = "aeo.exchange.v1.ProfileService"

MAX_PROFILES: Final = 1_000
"""Of one call: some 300 KB, and a second of the node's time."""


class ProfileServicer:
    """Keeps the profiles of the members that one node hosts."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def methods(self) -> Mapping[str, Method]:
        """What to register under `SERVICE`."""
        prepare, read = RIGHTS[Right.PREPARE], RIGHTS[Right.READ_PUBLICATIONS]
        peer = RIGHTS[Right.PEER]
        two = FourEyes(
            _always, _summarise, pb.ProfileServiceEraseResponse, self._check_erase, repeatable=True
        )
        return {
            "Put": unary(self.put, pb.ProfileServicePutRequest, prepare),
            "Get": unary(self.get, pb.ProfileServiceGetRequest, read),
            "Fetch": unary(self.fetch, pb.ProfileServiceFetchRequest, peer),
            "Erase": unary(self.erase, pb.ProfileServiceEraseRequest, prepare, two),
            "NoticeErasure": unary(self.notice_erasure, pb.NoticeErasureRequest, peer),
            "ListErasures": unary(self.list_erasures, pb.ListErasuresRequest, read),
        }

    def put(self, request: pb.ProfileServicePutRequest, call: Call) -> pb.ProfileServicePutResponse:
        """Put profiles in force; each is judged alone."""
        member = hosted_member(self._node, call, request.economy)
        if not 1 <= len(request.profiles) <= MAX_PROFILES:
            raise InvalidField("profiles", f"1 to {MAX_PROFILES}, not {len(request.profiles)}")
        profiles = [profile_of(profile) for profile in request.profiles]
        faults = member.profiles.put(profiles, from_register=request.from_register)
        return pb.ProfileServicePutResponse(
            faults=[
                pb.ProfileFault(index=fault.place, code=fault.code, message=fault.message)
                for fault in faults
            ]
        )

    def get(self, request: pb.ProfileServiceGetRequest, call: Call) -> pb.ProfileServiceGetResponse:
        """The profile kept of a trader, of one's own or a partner's."""
        member = hosted_member(self._node, call, request.economy)
        try:
            profile, commitments = member.profiles.get(request.tin)
        except TinError as error:
            raise InvalidField("tin", str(error)) from None
        state = self._node.state
        asked = (named(request.tin, state),)
        member.access_log.note(call.caller, call.method, request.purpose, state.height, asked)
        response = pb.ProfileServiceGetResponse(commitments=commitments)
        if profile is not None:
            response.profile.ParseFromString(format_profile(profile))
        return response

    def fetch(
        self, request: pb.ProfileServiceFetchRequest, call: Call
    ) -> pb.ProfileServiceFetchResponse:
        """What opens commitments that this member's records say under one arrangement."""
        member = self._asked(request.arrangement_id, request.economy, call)
        _check_commitments(request.commitments, FETCH_LIMIT)
        found = member.profiles.open_for(request.arrangement_id, request.commitments)
        given, height = [each.commitment.hex() for each in found], self._node.state.height
        member.access_log.note(call.caller, call.method, "", height, given)
        return pb.ProfileServiceFetchResponse(
            profiles=[
                pb.OpenedProfile(commitment=each.commitment, nonce=each.nonce, profile=each.data)
                for each in found
            ]
        )

    def erase(
        self, request: pb.ProfileServiceEraseRequest, call: Call
    ) -> pb.ProfileServiceEraseResponse:
        """Erase a profile at home; the partners are told until they have erased it too."""
        member = self._check_erase(request, call)
        try:
            erasure_id = member.profiles.erase(request.tin, request.arrangement_ids)
        except NoProfile as error:
            raise Illegal("NO_PROFILE", str(error)) from None
        return pb.ProfileServiceEraseResponse(erasure_id=erasure_id)

    def notice_erasure(
        self, request: pb.NoticeErasureRequest, call: Call
    ) -> pb.NoticeErasureResponse:
        """Erase what the caller's member has erased; the answer acknowledges it."""
        member = self._asked(request.arrangement_id, request.economy, call, left_too=True)
        _check_commitments(request.commitments, NOTICE_LIMIT)
        gone, at = member.profiles.erase_for(
            request.arrangement_id, call.caller.economy, request.commitments
        )
        return pb.NoticeErasureResponse(commitments=gone, erased_at=at)

    def list_erasures(self, request: pb.ListErasuresRequest, call: Call) -> pb.ListErasuresResponse:
        """Every erasure, and which partners have acknowledged it."""
        member = hosted_member(self._node, call, request.economy)
        return pb.ListErasuresResponse(
            erasures=[
                pb.Erasure(
                    erasure_id=erasure.erasure_id,
                    erased_at=erasure.erased_at,
                    notices=[
                        pb.ErasureNotice(
                            partner=notice.partner,
                            arrangement_id=notice.arrangement_id,
                            acknowledged_at=notice.acknowledged_at,
                        )
                        for notice in erasure.notices
                    ],
                )
                for erasure in member.profiles.erasures()
            ]
        )

    def _check_erase(self, request: pb.ProfileServiceEraseRequest, call: Call) -> HostedMember:
        member = hosted_member(self._node, call, request.economy)
        for at, arrangement_id in enumerate(request.arrangement_ids):
            if len(arrangement_id) != ARRANGEMENT_ID_BYTES:
                raise InvalidField(f"arrangement_ids[{at}]", f"{ARRANGEMENT_ID_BYTES} bytes")
        try:
            profile, _ = member.profiles.get(request.tin)
        except TinError as error:
            raise InvalidField("tin", str(error)) from None
        if profile is None:
            raise Illegal("NO_PROFILE", "no profile of that trader is kept here")
        return member

    def _asked(
        self, arrangement_id: bytes, economy: str, call: Call, *, left_too: bool = False
    ) -> HostedMember:
        """The hosted member that a party's node asks about an arrangement of both.

        `left_too`: also a former party's, which erases what it once showed.
        """
        if len(arrangement_id) != ARRANGEMENT_ID_BYTES:
            raise InvalidField("arrangement_id", f"{ARRANGEMENT_ID_BYTES} bytes")
        history = self._node.state.arrangement(arrangement_id)
        if history is None:
            raise NotFound("ARRANGEMENT", f"no arrangement {arrangement_id.hex()}")
        caller = call.caller.economy
        texts = [history.text, *(each.text for each in history.texts if left_too)]
        if not any(caller in text.parties for text in texts):
            raise Denied("NOT_A_PARTY", f"{caller} is not a party of the arrangement")
        member = self._node.hosted.get(economy)
        if member is None:
            raise Illegal("NOT_HOSTED", f"this node keeps no profiles for {economy}")
        return member


def _check_commitments(commitments: Sequence[bytes], limit: int) -> None:
    if not 1 <= len(commitments) <= limit:
        raise InvalidField("commitments", f"1 to {limit}, not {len(commitments)}")
    for at, commitment in enumerate(commitments):
        if len(commitment) != HASH_BYTES:
            raise InvalidField(f"commitments[{at}]", f"{HASH_BYTES} bytes")


def _always(_request: Any, _caller: Caller) -> bool:
    return True


def _summarise(request: pb.ProfileServiceEraseRequest) -> str:
    where = "at home and at every partner"
    if request.arrangement_ids:
        where = f"under {len(request.arrangement_ids)} arrangements"
    return f"erase the profile of {request.tin} {where}, for good"
