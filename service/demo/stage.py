"""The network on stage: its folder, the node that hosts every member, and who calls it.

The node is a process of its own, started as an administration would start it; everyone calls it
over mutual TLS with a certificate of their own member. The folder is replaced only if it is one
that the demonstration made: it carries a marker.
"""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self

from ledger.customs.subject import LookupKey
from service.client import Connection, Tls
from service.demo.figures import Figures
from service.errors import Failed, Refused
from service.keys.keystore import Pbkdf2
from service.keys.member_keys import Founder
from service.node.founding.folder import LOCAL_HOSTS, Plan, found_network
from service.node.founding.ports import free_port
from service.store.home.home_store import HomeStore

AEO: Final = (sys.executable, "-m", "service.aeo")
MARKER: Final = ".aeo-demo"
NETWORK_NAME: Final = "APEC demonstration"
# The keys of a made-up network guard nothing, and there are 24 to open at each start: a real
# network takes the default, a second each.
_KEY_ROUNDS: Final = 1 << 12
_STOP_SECONDS: Final = 30
# A first call may find the node at work on a block.
_CALL_SECONDS: Final = 30.0


class FolderNotOurs(Refused):
    """The folder has something in it that the demonstration did not make."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder} is there already and was not made by the demonstration; name another folder"
        )


class NodeNotUp(Failed):
    """The node on stage did not start."""


class Stage:
    """A network in a folder and its running node. Use as a context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.network_id = (folder / "network-id").read_text().strip()
        self.address = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._connections: dict[tuple[str, str], Connection] = {}

    @classmethod
    def build(cls, folder: Path, figures: Figures, done: Callable[[int], None]) -> Self:
        """Found the network of the figures' members in `folder`; `done` hears of each member."""
        clear(folder)
        founders = [
            Founder(
                economy=member.economy,
                name=f"{member.economy} customs",
                time_zone=member.time_zone,
                prefixes=tuple(sorted(member.prefixes)),
                weight=1,
            )
            for member in sorted(figures.members.values(), key=lambda member: member.economy)
        ]
        plan = Plan(
            name=NETWORK_NAME,
            founders=founders,
            listen=f"127.0.0.1:{free_port()}",
            health="",
            metrics="",
            hosts=LOCAL_HOSTS,
            passphrase_file=None,
            pilot=True,
            kdf=Pbkdf2(_KEY_ROUNDS),
        )
        found_network(folder, plan, done)
        (folder / MARKER).write_text("Made by `aeo demo`, which may replace it.\n")
        return cls(folder)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the node and wait until it answers."""
        log = self.folder / "node.log"
        with log.open("ab") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [*AEO, "node", "run", "--config", str(self.folder / "node.toml"), "--json"],
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise NodeNotUp(f"the node did not start; {log} says why")
        said: dict[str, Any] = json.loads(line)
        self.address = said["address"]

    def stop(self) -> None:
        """Hang up and stop the node; it finishes what it accepted."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()

    def connection(self, economy: str, access_role: str) -> Connection:
        """How a member's program or person calls the node."""
        name = economy, access_role
        if name not in self._connections:
            self._connections[name] = Connection.open(
                self.address, self.tls(economy, access_role), _CALL_SECONDS
            )
        return self._connections[name]

    def lookup_keys(self, economy: str) -> dict[bytes, LookupKey]:
        """The lookup keys that a member's node keeps, as its own risk engine may have them."""
        network_id = bytes.fromhex(self.network_id)
        path = self.folder / "data" / f"home-{economy}.db"
        with HomeStore(path, economy, network_id, read_only=True) as home:
            held = home.lookup_keys()
        return {
            arrangement_id: LookupKey(key, network_id, arrangement_id, epoch)
            for (arrangement_id, epoch), key in held.items()
        }

    def tls(self, economy: str, access_role: str) -> Tls:
        """The certificate of a member's program or person."""
        own = self.folder / "clients" / economy
        return Tls.files(
            self.folder / "authorities.pem", own / f"{access_role}.pem", own / f"{access_role}.key"
        )


def clear(folder: Path) -> None:
    """Make way for a new network; raises `FolderNotOurs`."""
    if not folder.exists():
        return
    if not folder.is_dir() or (any(folder.iterdir()) and not (folder / MARKER).is_file()):
        raise FolderNotOurs(folder)
    shutil.rmtree(folder)
