"""How a lookup key comes from one party's node to another's, and to nobody else.

The node of whoever made the key has it, then that of each party that has signed. A party asks for
it before it signs: its own keyring first, then those of this process whose members have no node to
call, then the maker's node, then the other parties' nodes. What comes is opened against the
commitment on the ledger before it is kept; a false key is passed over, and where no true one is
found nothing is kept or signed.

A node gives a key to the nodes of the parties alone, and of those that a waiting amendment would
make parties: they must open it before they sign. Nothing here logs a key.
"""

from collections.abc import Callable, Mapping
from typing import Final

import structlog

from aeo.exchange.v1 import arrangement_service_pb2 as pb
from aeo.exchange.v1.arrangement_service_pb2_grpc import ArrangementServiceStub
from ledger.customs.arrangement import ArrangementHistory
from ledger.errors import FormatError
from service.errors import NoEndpoint, PeerRefused, PeerUnreachable, Refused
from service.node.keys.keyring import FIRST_EPOCH, Keyring, WrongLookupKey
from service.node.keys.peers import Peers

KEY_DEADLINE: Final = 3.0
"""Seconds for one node to hand over a key. Who signs waits for it, and there may be others to
ask."""

_log = structlog.get_logger("aeo.keys")


class NoLookupKey(Refused):
    """No node at hand holds the arrangement's lookup key, so nobody could open the commitment."""

    def __init__(self, arrangement: bytes) -> None:
        super().__init__(
            f"this node was not given the lookup key of arrangement {arrangement.hex()}; the "
            "proposer's node passes it on"
        )


class KeyDelivery:
    """Finds the lookup keys that one member needs. `hosted` are the keyrings of this process."""

    def __init__(
        self,
        economy: str,
        keyring: Keyring,
        peers: Peers,
        hosted: Callable[[], Mapping[str, Keyring]],
    ) -> None:
        self._economy = economy
        self._keyring = keyring
        self._peers = peers
        self._hosted = hosted

    def obtain(self, history: ArrangementHistory, epoch: int, commitment: bytes) -> None:
        """See that the keyring holds the key of an epoch, which opens `commitment`.

        Raises `WrongLookupKey` where only false keys came, `PeerUnreachable` where a node that may
        have it does not answer, else `NoLookupKey`.
        """
        arrangement = history.arrangement_id
        held = self._keyring.key(arrangement, epoch)
        if held is not None and held.commitment == commitment:
            return
        if held is not None and epoch == FIRST_EPOCH:
            raise WrongLookupKey(arrangement)
        if held is not None:
            # Made for an epoch of which somebody else was quicker to open one of that number.
            self._keyring.destroy(arrangement, epoch)
        failure: Exception = NoLookupKey(arrangement)
        for economy in dict.fromkeys([history.proposed.author, *history.text.parties]):
            if economy == self._economy:
                continue
            try:
                key = self._ask(economy, arrangement, epoch)
                if key is not None:
                    self._keyring.keep(arrangement, key, commitment, epoch)
                    return
            except (WrongLookupKey, FormatError):
                _log.warning(
                    "a false lookup key", arrangement=arrangement.hex(), epoch=epoch, of=economy
                )
                failure = WrongLookupKey(arrangement)
            except PeerUnreachable as error:
                if not isinstance(failure, WrongLookupKey):
                    failure = error
        raise failure

    def _ask(self, economy: str, arrangement: bytes, epoch: int) -> bytes | None:
        """The key as `economy` has it, None where it gives none."""
        beside = self._hosted().get(economy)
        if not self._peers.reaches(economy):
            # No node to call; where its keys lie in this process, they need not leave it.
            key = beside.key(arrangement, epoch) if beside is not None else None
            return key.key if key is not None else None
        request = pb.ArrangementServiceFetchLookupKeyRequest(
            arrangement_id=arrangement, epoch=epoch, economy=economy
        )
        try:
            return self._peers.call(
                economy,
                lambda channel: ArrangementServiceStub(channel).FetchLookupKey,
                request,
                KEY_DEADLINE,
            ).key
        except (PeerRefused, NoEndpoint):
            return None
        except PeerUnreachable as error:
            key = beside.key(arrangement, epoch) if beside is not None else None
            if key is None:
                raise
            # It is this very process, which does not listen where the ledger says.
            _log.warning("no answer at the endpoint on the ledger", of=economy, reason=str(error))
            return key.key


def key_holders(history: ArrangementHistory) -> tuple[str, ...]:
    """Who may be given the lookup key: the parties, and who must sign the amendment that waits."""
    if history.amendment is None:
        return history.text.parties
    return tuple(sorted({*history.text.parties, *history.amendment.signers}))
