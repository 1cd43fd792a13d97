"""What we ask our own CometBFT: take a transaction, and where do you stand.

JSON-RPC 2.0 over HTTP/1.1 on loopback, one kept connection for each thread that asks. Nothing here
is ever called from inside an ABCI call: CometBFT would wait for us while we wait for it.
"""

import json
import threading
from base64 import b64decode, b64encode
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any, Final

from service.errors import Failed

TIMEOUT_S: Final = 10.0
"""A busy CometBFT answers a broadcast once it has asked the application, behind a block."""
MAX_ANSWER_BYTES: Final = 16 << 20
VALIDATORS_A_PAGE: Final = 100


class CometBftUnreachable(Failed):
    """CometBFT does not answer; it is starting, stopped, or busy."""


@dataclass(frozen=True, slots=True)
class Status:
    """Where a CometBFT stands. `catching_up`: it still fetches blocks that others have."""

    node_id: str
    height: int
    app_hash: bytes
    catching_up: bool
    validator_address: bytes
    voting_power: int


class Rpc:
    """One CometBFT's RPC. Any thread may call."""

    def __init__(self, address: str) -> None:
        self.address = address
        host, _, port = address.rpartition(":")
        self._host, self._port = host, int(port)
        self._kept = threading.local()

    def broadcast(self, transaction: bytes) -> int | None:
        """Hand over a transaction: the code of CheckTx, None where it waits there already.

        Raises `CometBftUnreachable`, also when its mempool is full.
        """
        told = self._call("broadcast_tx_sync", {"tx": b64encode(transaction).decode()})
        if "error" in told:
            said = f"{told['error'].get('message', '')} {told['error'].get('data', '')}"
            if "already exists in cache" in said:
                return None
            raise CometBftUnreachable(f"CometBFT at {self.address}: {said.strip()}")
        return int(told["result"]["code"])

    def status(self) -> Status:
        """Where it stands. `CometBftUnreachable`."""
        told = self._result("status", {})
        sync, validator = told["sync_info"], told["validator_info"]
        return Status(
            told["node_info"]["id"],
            int(sync["latest_block_height"]),
            bytes.fromhex(sync["latest_app_hash"]),
            bool(sync["catching_up"]),
            bytes.fromhex(validator["address"]),
            int(validator["voting_power"]),
        )

    def validators(self) -> dict[bytes, int]:
        """Public keys and weights of the validators of the block that comes next."""
        told = self._result("validators", {"per_page": str(VALIDATORS_A_PAGE)})
        return {
            b64decode(each["pub_key"]["value"]): int(each["voting_power"])
            for each in told["validators"]
        }

    def peers(self) -> int:
        """How many other nodes it is connected to."""
        return int(self._result("net_info", {})["n_peers"])

    def peer_heights(self) -> dict[str, int]:
        """The block that each peer says it votes on, by the peer's id, as far as it has said so."""
        told = self._result("dump_consensus_state", {})
        heights = {
            str(peer["node_address"]).partition("@")[0]: int(
                peer["peer_state"]["round_state"]["height"]
            )
            for peer in told["peers"] or ()
        }
        return {peer: height for peer, height in heights.items() if height > 0}

    def block_hash(self, height: int) -> str:
        """The id of a block, in hex: what state sync is told to trust."""
        return str(
            self._result("commit", {"height": str(height)})["signed_header"]["commit"]["block_id"][
                "hash"
            ]
        )

    def _result(self, method: str, parameters: dict[str, str]) -> dict[str, Any]:
        told = self._call(method, parameters)
        if "error" in told:
            raise CometBftUnreachable(f"CometBFT at {self.address}: {told['error']}")
        result: dict[str, Any] = told["result"]
        return result

    def _call(self, method: str, parameters: dict[str, str]) -> dict[str, Any]:
        asked = {"jsonrpc": "2.0", "id": 0, "method": method, "params": parameters}
        body = json.dumps(asked).encode()
        try:
            return self._post(body)
        except (OSError, HTTPException, ValueError) as error:
            self._hang_up()
            raise CometBftUnreachable(f"CometBFT at {self.address}: {error}") from error

    def _post(self, body: bytes) -> dict[str, Any]:
        connection = getattr(self._kept, "connection", None)
        if connection is None:
            connection = HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
            self._kept.connection = connection
        connection.request("POST", "/", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        told: Any = json.loads(answer.read(MAX_ANSWER_BYTES))
        if not isinstance(told, dict):
            raise ValueError("not an answer of JSON-RPC")  # noqa: TRY004 - told as one above
        return told

    def _hang_up(self) -> None:
        connection = getattr(self._kept, "connection", None)
        if connection is not None:
            connection.close()
            self._kept.connection = None

    def close(self) -> None:
        """Hang up this thread's connection. Idempotent."""
        self._hang_up()
