"""What a command has to know of a network to read people's words and answer in them.

Founders' time zones come from the genesis, whose bytes hash to the network's id; where the profile
names that id, another genesis is refused.
"""

from collections.abc import Mapping
from functools import cached_property

from aeo.exchange.v1 import arrangement_service_pb2 as arrangements
from ledger.chain.genesis import Genesis, parse_genesis
from ledger.errors import AnchorError
from service.cli.errors import InputRefused
from service.cli.profile import Profile
from service.client import ArrangementClient, Connection, Denied, LedgerClient, MembershipClient


class NetworkFacts:
    """A network as one node shows it; asked for when needed, and once."""

    def __init__(self, connection: Connection, profile: Profile) -> None:
        self._connection = connection
        self._expected = profile.network()

    @cached_property
    def genesis(self) -> Genesis:
        """The genesis; `AnchorError` where it is not that of the network expected."""
        genesis = parse_genesis(LedgerClient(self._connection).genesis())
        if self._expected not in {None, genesis.network_id}:
            raise AnchorError(
                f"the node's network is {genesis.network_id.hex()}, not the one of the profile"
            )
        return genesis

    def time_zone(self, economy: str) -> str:
        """A member's zone, UTC for an economy that is none."""
        return self.zones.get(economy, "UTC")

    @cached_property
    def zones(self) -> Mapping[str, str]:
        """Every member's zone: the founders', and of those admitted since what the node says.

        A caller who may not read members, as agencies may not, knows the founders'.
        """
        zones = {founder.economy: founder.time_zone for founder in self.genesis.founders}
        try:
            listed = MembershipClient(self._connection).list().members
        except Denied:
            return zones
        return {member.economy: member.time_zone for member in listed} | zones

    @cached_property
    def arrangements(self) -> tuple[arrangements.Arrangement, ...]:
        """Every arrangement, oldest first."""
        return tuple(ArrangementClient(self._connection).list())

    @cached_property
    def arrangement_names(self) -> Mapping[bytes, str]:
        """Names by id; none for a caller who may not read arrangements, as agencies may not."""
        try:
            return {each.arrangement_id: each.text.name for each in self.arrangements}
        except Denied:
            return {}

    def arrangement_ids(self, party: str) -> Mapping[str, bytes]:
        """Ids by name, and by id in hex, of a party's arrangements.

        Where two have the same name, the one that has not ended counts; if both run, neither.
        """
        own = [each for each in self.arrangements if party in each.text.parties]
        known = {each.arrangement_id.hex(): each.arrangement_id for each in own}
        for name in {each.text.name for each in own}:
            called = [each for each in own if each.text.name == name]
            running = [
                each for each in called if each.state != arrangements.ARRANGEMENT_STATE_ENDED
            ]
            if len(running or called) == 1:
                known[name] = (running or called)[0].arrangement_id
        return known

    def arrangement_id(self, text: str) -> bytes:
        """The id that a name, or an id in hex, stands for; `InputRefused` for none or several."""
        found = {each.arrangement_id for each in self.arrangements if each.text.name == text}
        found |= {each.arrangement_id for each in self.arrangements if _is_id(each, text)}
        if len(found) != 1:
            raise InputRefused(
                f"{text!r} names {len(found) or 'no'} arrangements: "
                "see `aeo arrangement list`, and use the id"
            )
        return found.pop()


def _is_id(arrangement: arrangements.Arrangement, text: str) -> bool:
    return len(text) >= 8 and arrangement.arrangement_id.hex().startswith(text.lower())
