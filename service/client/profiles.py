"""Profiles of traders: put, read, erase. Nothing of them is on the ledger."""

from collections.abc import Sequence
from typing import TypeAlias

from aeo.exchange.v1 import profile_service_pb2 as pb
from aeo.exchange.v1.profile_service_pb2_grpc import ProfileServiceStub
from ledger.customs.profile import Profile, format_profile
from service.client.approvals import Pending
from service.client.connection import Connection

Erased: TypeAlias = str | Pending[str]
"""An erasure's id, or the step that waits for a second person."""
PUT_LIMIT = 1_000
"""Profiles of one call; more are sent in several."""
WRITE_DEADLINE = 30.0
"""Seconds: a thousand profiles, or an erasure, are on the disk when the call answers."""


class ProfileClient:
    """`ProfileService` of one node, for the caller's own economy unless `economy` is given."""

    def __init__(self, connection: Connection, economy: str = "") -> None:
        self._connection = connection
        self._economy = economy
        self._stub = ProfileServiceStub(connection.channel)

    def put(
        self, profiles: Sequence[Profile], *, from_register: bool = False
    ) -> list[pb.ProfileFault]:
        """Put profiles in force; what was not taken, `index` counting through all of them.

        `from_register`: a fuller profile that is in force keeps what a register does not say.
        A profile without the form of one raises `FormatError` before anything is sent.
        """
        faults = []
        data = [format_profile(profile) for profile in profiles]
        for first in range(0, len(data), PUT_LIMIT):
            request = pb.ProfileServicePutRequest(
                economy=self._economy, from_register=from_register
            )
            for each in data[first : first + PUT_LIMIT]:
                request.profiles.add().ParseFromString(each)
            answer = self._connection.call(self._stub.Put, request, WRITE_DEADLINE)
            for fault in answer.faults:
                fault.index += first
                faults.append(fault)
        return faults

    def get(self, tin: str, purpose: str = "") -> pb.ProfileServiceGetResponse:
        """What is kept of a trader; without `profile` where there is nothing."""
        request = pb.ProfileServiceGetRequest(tin=tin, economy=self._economy, purpose=purpose)
        return self._connection.call(self._stub.Get, request)

    def erase(self, tin: str, arrangement_ids: Sequence[bytes] = ()) -> Erased:
        """Erase a profile, here and at the partners: it takes two persons, then has an id."""
        request = pb.ProfileServiceEraseRequest(
            tin=tin, arrangement_ids=arrangement_ids, economy=self._economy
        )
        answer = self._connection.call(self._stub.Erase, request, WRITE_DEADLINE)
        if answer.HasField("pending"):
            read = pb.ProfileServiceEraseResponse.FromString
            return Pending(answer.pending, lambda data: read(data).erasure_id)
        return answer.erasure_id

    def erasures(self) -> Sequence[pb.Erasure]:
        """Every erasure, newest first, with each partner's acknowledgement."""
        request = pb.ListErasuresRequest(economy=self._economy)
        return self._connection.call(self._stub.ListErasures, request).erasures
