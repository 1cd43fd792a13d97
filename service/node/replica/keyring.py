"""The lookup keys of a replica's own administration, as its node hands them out.

The node is asked at the start, whenever an arrangement or an epoch changes on the ledger, and every
`REFRESH_SECONDS`, since a key may come to the node later than its arrangement and instructions are
not on the ledger at all. What is fetched is in the file before it counts. While the node is away
the replica goes on with what it has; a question under an arrangement whose key is missing is
refused by name, never answered *no record* (`evaluate` opens the commitment before it uses a key).
"""

import threading
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import structlog

from ledger.customs.subject import LookupKey
from ledger.errors import FormatError
from ledger.state.state import State
from service.client.errors import ClientError
from service.client.replica import NodeAddress, ReplicaClient
from service.keys.key_file import KeyFileError
from service.node.keys.keyring import keys_by_name
from service.node.replica.keyring_file import KeyringContent, KeyringFile, check_keyring

REFRESH_SECONDS: Final = 60.0
"""Between two questions of the same digest: an answer of some 70 bytes."""
RETRY_SECONDS: Final = 2.0
"""Before a node that did not answer is asked again."""
HOME_SECONDS: Final = 3.0
"""For the own node to hand out the keyring."""

_log = structlog.get_logger("aeo.replica")


class KeyringSource(Protocol):
    """The own administration's node."""

    def fetch(self, known_digest: bytes, /) -> KeyringContent | None:
        """The keyring; None where the caller has it already. Raises a `ClientError`, or
        `FormatError` for one that cannot be."""


class ReplicaKeyring:
    """Keys by name, and the instructions. Any thread asks; `start` makes one that refreshes."""

    def __init__(
        self,
        file: KeyringFile,
        network_id: bytes,
        current: Callable[[], State],
        source: KeyringSource | None,
    ) -> None:
        self._file = file
        self._network_id = network_id
        self._current = current
        self._source = source
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._changed = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="aeo-keyring", daemon=True)
        self._failing = False
        # What was told last; each replaced as a whole.
        self._content: KeyringContent | None = None
        self._held: dict[tuple[bytes, int], LookupKey] = {}
        self._named: tuple[State | None, dict[bytes, LookupKey]] = None, {}
        kept = file.read()
        if kept is not None:
            self._hold(kept)

    @property
    def content(self) -> KeyringContent | None:
        """What the node has handed out; None before the first time."""
        return self._content

    @property
    def instructions(self) -> Mapping[int, str]:
        """What the administration tells its officers to do, by benefit code."""
        return {} if self._content is None else self._content.instructions

    @property
    def failing(self) -> bool:
        """Whether the node did not answer when it was last asked."""
        return self._failing

    def keys(self) -> Mapping[bytes, LookupKey]:
        """Every key by name; the same object as long as nothing changes. Not to be changed."""
        state = self._current()
        known, named = self._named
        if known is not state:
            with self._lock:
                fresh = keys_by_name(self._held, state)
                named = self._named[1]
                if fresh != named:
                    named = fresh
                self._named = state, named
        return named

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever keys or instructions have changed; it must be quick."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Ask the node, now and again."""
        if self._source is not None:
            self._thread.start()

    def stop(self) -> None:
        """Ask no more. Idempotent."""
        self._stopping = True
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join()

    def look_again(self) -> None:
        """Ask the node soon: something on the ledger has changed."""
        self._changed.set()

    def refresh(self) -> bool:
        """Ask the node once; say whether anything has changed.

        Raises a `ClientError`, `FormatError`, or `KeyFileError` where it could not be kept.
        """
        if self._source is None:
            return False
        known = self._content
        fetched = self._source.fetch(b"" if known is None else known.digest)
        if fetched is None or fetched == known:
            return False
        self._file.write(fetched)
        self._hold(fetched)
        for listener in tuple(self._listeners):
            listener()
        return True

    def _hold(self, content: KeyringContent) -> None:
        held = {
            (arrangement_id, epoch): LookupKey(key, self._network_id, arrangement_id, epoch)
            for (arrangement_id, epoch), key in content.keys.items()
        }
        with self._lock:
            self._content, self._held = content, held
            self._named = None, {}

    def _run(self) -> None:
        while not self._stopping:
            self._changed.clear()
            try:
                self.refresh()
                self._failing = False
            except (ClientError, FormatError, KeyFileError) as error:
                if not self._failing:
                    _log.warning("the keyring could not be refreshed", reason=str(error))
                self._failing = True
            self._changed.wait(RETRY_SECONDS if self._failing else REFRESH_SECONDS)


class HomeNode:
    """The own administration's node, asked for the keyring."""

    def __init__(self, node: NodeAddress, network_id: bytes) -> None:
        self._node = node
        self._network_id = network_id

    def fetch(self, known_digest: bytes) -> KeyringContent | None:
        """The keyring; None where the caller has it already."""
        with self._node.connect(HOME_SECONDS) as connection:
            said = ReplicaClient(connection).keyring(known_digest)
        if said.network_id != self._network_id:
            raise FormatError("a keyring of another network")
        if known_digest and said.digest == known_digest:
            return None
        content = KeyringContent(
            said.network_id,
            said.economy,
            {(each.arrangement_id, each.epoch): each.key for each in said.keys},
            dict(said.instructions),
        )
        check_keyring(content)
        return content
