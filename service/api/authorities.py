"""Whose client certificates count, as the ledger stands now.

Each member in force has the authority that it registered last, for its own clients alone. A member
that was suspended or removed loses its clients at once: with the next call, on whatever connection.
The node that hosts it still answers its own people and programs, who must see what happened, but
not its node, which speaks for it to partners.
"""

from collections.abc import Callable, Collection, Mapping

from ledger.state.membership import Membership
from ledger.state.state import State
from service.api.caller import Authorities
from service.keys.spiffe import format_trust_domain

# The membership; what of it matters here; what was made of that.
_Made = tuple[Membership, tuple[Mapping[str, bytes], frozenset[str]], Authorities]


class LedgerAuthorities:
    """The authorities of the members of a ledger. Any thread may call.

    `hosted` are the members whose own node this is. `given`, from a file, takes the place of what
    they registered; who is a member still follows the ledger.
    """

    def __init__(
        self,
        current: Callable[[], State],
        hosted: Collection[str] = (),
        given: Authorities | None = None,
    ) -> None:
        self._current = current
        self._hosted = frozenset(hosted)
        self._given = given
        state = current()
        self._domain = format_trust_domain(state.genesis.network_name)
        self._made = self._make(state.membership)

    def current(self) -> Authorities:
        """The authorities now; the same object as long as they stay the same."""
        membership = self._current().membership
        made = self._made
        if made[0] is not membership:
            before, made = made, self._make(membership)
            if made[1] == before[1]:
                made = (membership, made[1], before[2])
            self._made = made
        return made[2]

    def _make(self, membership: Membership) -> _Made:
        registered = {
            economy: member.registration.ca_certificate
            for economy, member in membership.all.items()
            if economy in membership.members or economy in self._hosted
        }
        guests = frozenset(registered) - frozenset(membership.members)
        if self._given is None:
            made = Authorities.from_ledger(self._domain, registered, guests)
        else:
            made = self._given.only(registered, guests)
        return membership, (registered, guests), made
