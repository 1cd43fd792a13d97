"""Signs a share of a seal with the key of one hosted member, for its votes under CometBFT.

As in `sealer`, the guard file has on the disk what is signed before it is signed. All shares of a
seal carry one time, so nothing is moved to fit the guard: where it refuses, there is no share.
"""

import structlog

from ledger.bls.scheme import BlsBackend
from ledger.chain.seal import sign_share
from ledger.state.state import State
from service.errors import GuardRefused
from service.node.governance.member_key import HeldKeys
from service.store.guard import SealGuard

_log = structlog.get_logger("aeo.sealer")


class MemberShares:
    """A `service.engine.cometbft.protocol.ShareSigner` with the keys held of one member."""

    def __init__(self, keys: HeldKeys, guard: SealGuard, backend: BlsBackend) -> None:
        self._keys = keys
        self._guard = guard
        self._backend = backend

    @property
    def economy(self) -> str:
        """Whose keys they are."""
        return self._keys.economy

    def share(self, state: State, attested_time: int) -> bytes | None:
        """Sign the state's header at `attested_time` (Unix ms): 96 bytes.

        None where the member is in no signing set, or the guard refuses. Raises `StoreError` when
        the guard cannot be stored.
        """
        for member in state.signing_sets.current.members:
            if member.economy != self._keys.economy:
                continue
            key = self._keys.of_public_key(member.key)
            if key is None:
                return None
            try:
                self._guard.may_sign(
                    state.network_id, key.key_id, state.height, state.header_hash, attested_time
                )
            except GuardRefused as error:
                _log.warning("no share of this header", height=state.height, reason=str(error))
                return None
            return sign_share(
                key.secret, self._backend, state.network_id, state.header_hash, attested_time
            )
        return None
