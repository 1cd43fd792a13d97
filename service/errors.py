"""Every error of the services, in one tree. The message for people lives on the error.

    ServiceError
    ├── Refused                 what was asked is wrong: asking again changes nothing
    │   ├── KeyReused               an idempotency key that came before with other content
    │   ├── SequenceTaken           a sequence number that was signed already
    │   ├── MayNotPublish           a member whose transactions do not enter the ledger now
    │   ├── NoEndpoint              there is no way to call a member's node
    │   └── PeerRefused             another member's node answered no; has its reason
    └── Failed                  what was asked may be right, but this node cannot do it now
        ├── StoreError              the store cannot read or write
        │   ├── StoreBusy               another process has the store open
        │   ├── StoreFull               no room; nothing of the write was kept
        │   ├── BeforeBase              of a block up to the snapshot with which the ledger begins
    │   ├── StoreCorrupt            what is stored contradicts itself; says where
        │   └── WrongStore              the file belongs to another network or member
        ├── OutOfTurn               a block that does not follow the newest one stored
        ├── GuardRefused            a seal that a member must never sign; its node stops sealing
        ├── ClockWentBack           the clock is too far behind the ledger to write
        ├── MapProcessFailed        the process that keeps the state map has ended
        ├── PeerUnreachable         another member's node does not answer
        ├── SourceRefused           a node shows a replica what cannot be so; has a code
        ├── SourceLeft              a node shows a replica too little to go on with
        ├── Overloaded              too much waits already; try again a little later
        └── EngineStopped           nothing is ordered any more; what is in an outbox stays there

A server answers INVALID_ARGUMENT, ALREADY_EXISTS and the like for `Refused`, and UNAVAILABLE or
INTERNAL for `Failed`. Errors of the ledger's own rules are in `ledger.errors`.
"""


class ServiceError(Exception):
    """Root of the tree."""


class Refused(ServiceError):
    """What was asked is wrong; asking again changes nothing."""


class KeyReused(Refused):
    """An idempotency key came again with other content."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"the idempotency key {key!r} was used before with other content; "
            "repeat that content, or choose a new key"
        )
        self.key = key


class SequenceTaken(Refused):
    """A sequence number was signed already; signing it again would be misbehaviour."""

    def __init__(self, economy: str, sequence: int) -> None:
        super().__init__(f"{economy} has already signed a transaction number {sequence}")
        self.economy = economy
        self.sequence = sequence


class MayNotPublish(Refused):
    """The ledger takes no transaction of this member now, or its key in force is not held here."""

    def __init__(self, economy: str) -> None:
        super().__init__(
            f"{economy} cannot publish: it is suspended or was removed, or its key in force is "
            "not held by this node"
        )
        self.economy = economy


class NoEndpoint(Refused):
    """There is no way to call the node of a member."""

    def __init__(self, economy: str, reason: str) -> None:
        super().__init__(f"the node of {economy} cannot be called: {reason}")
        self.economy = economy


class PeerRefused(Refused):
    """The node of another member answered no; `reason` is its machine-readable code."""

    def __init__(self, economy: str, reason: str, message: str) -> None:
        super().__init__(f"the node of {economy} refuses: {message}")
        self.economy = economy
        self.reason = reason


class Failed(ServiceError):
    """What was asked may be right, but this node cannot do it now."""


class StoreError(Failed):
    """The store at `path` (a file, or where on a server) cannot be read or written."""

    def __init__(self, path: object, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path


class StoreBusy(StoreError):
    """Another process, or another part of this one, has the store open for writing."""

    def __init__(self, path: object, holder: str = "") -> None:
        by = f" (process {holder})" if holder else ""
        super().__init__(path, f"another node has this store open{by}; one store serves one node")


class StoreAway(StoreError):
    """The database server cannot be reached; nothing of the write was kept. Try again later."""

    def __init__(self, path: object, message: str) -> None:
        super().__init__(path, f"the database server is away: {message}")


class StoreFull(StoreError):
    """There is no room left; nothing of the write was kept, and all that was stored stands."""

    def __init__(self, path: object) -> None:
        super().__init__(
            path,
            "the store is full (the disk, or the configured max_page_count); nothing of the last "
            "write was kept; make room and start again",
        )


class BeforeBase(StoreError):
    """What was asked lies in the past that a snapshot stands for; `height` is the snapshot's."""

    def __init__(self, path: object, height: int) -> None:
        super().__init__(
            path,
            f"begins with the snapshot of height {height}: ask a node that has the blocks before",
        )
        self.height = height


class StoreCorrupt(StoreError):
    """What is stored contradicts itself; `place` names the item, for example ``header 12``."""

    def __init__(self, path: object, place: str, message: str) -> None:
        super().__init__(path, f"{place}: {message}")
        self.place = place


class WrongStore(StoreError):
    """The file is sound, but belongs to another network or another member."""


class OutOfTurn(Failed):
    """A block does not follow the newest one stored: somebody else moved the head."""

    def __init__(self, height: int, expected: int) -> None:
        super().__init__(f"block {height} is out of turn: the next height is {expected}")
        self.height = height
        self.expected = expected


class GuardRefused(Failed):
    """The guard file says that this seal must never be signed: there would be two truths."""

    def __init__(self, key_id: bytes, height: int, reason: str) -> None:
        super().__init__(f"key {key_id.hex()} must not sign height {height}: {reason}")
        self.key_id = key_id
        self.height = height


class ClockWentBack(Failed):
    """The clock is behind the ledger's newest header by more than the writer tolerates."""

    def __init__(self, now_ms: int, newest_ms: int) -> None:
        behind = (newest_ms - now_ms) / 1000
        super().__init__(
            f"the clock is {behind:.1f} s behind the ledger's newest header; nothing is written "
            "until it is right"
        )
        self.now_ms = now_ms
        self.newest_ms = newest_ms


class MapProcessFailed(Failed):
    """The process that keeps the state map has ended, or no longer has that version."""


class PeerUnreachable(Failed):
    """The node of another member does not answer; it may in a while."""

    def __init__(self, economy: str, message: str) -> None:
        super().__init__(f"the node of {economy} does not answer: {message}")
        self.economy = economy


class SourceRefused(Failed):
    """What a node shows a replica cannot be so; nothing of it was taken.

    `code` is from the closed list of `service.node.replica.refusals`. `header` and `seal` are the
    bytes at fault, empty where there are none; `evidence` convicts members where it is not empty.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        header: bytes = b"",
        seal: bytes = b"",
        evidence: bytes = b"",
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.header = header
        self.seal = seal
        self.evidence = evidence


class SourceLeft(Failed):
    """A node shows a replica too little: it is behind, silent, or its blocks have no seal."""


class Overloaded(Failed):
    """Too much waits already; nothing was taken. Try again a little later."""


class EngineStopped(Failed):
    """Nothing is ordered any more, by request or after a failure; the message says which."""
