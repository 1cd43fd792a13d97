"""Members on machines of their own, as far as the kernel can pretend: one network namespace each.

    with Machines(("AU", "HK", "NZ", "SG")) as machines:
        machines.address("AU")              where the others reach it
        machines.managed("AU")              where this test reaches it, partition or not
        machines.command("AU")              put before a command, runs it there
        machines.partition({"AU", "HK"}, {"NZ", "SG"})
        machines.heal()

Each namespace has two cables. One goes to a switch that the members share; a partition plugs it
into another switch, so frames simply do not arrive, as when a line is cut: no reset, no refusal.
The other leads to this test alone. Needs root and a kernel with namespaces, bridges and virtual
cables (`why_not` says what is missing).
"""

import functools
import itertools
import os
import subprocess
from collections.abc import Collection, Sequence
from typing import Final, Self

_SHARED: Final = "10.187.1"
_MANAGED: Final = "10.187.2"
_numbers = itertools.count(1)


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"ip {' '.join(words)}: {done.stderr.strip()}")


@functools.cache
def why_not() -> str:
    """What keeps this machine from having namespaces; empty where nothing does."""
    if os.geteuid():
        return "only root may make network namespaces"
    name = f"aeo-try-{os.getpid()}"
    try:
        _ip("netns", "add", name)
    except OSError as error:
        return f"no network namespaces here: {error}"
    try:
        _ip("-n", name, "link", "add", "try0", "type", "bridge")
        _ip("-n", name, "link", "add", "v0", "type", "veth", "peer", "name", "v1")
    except OSError as error:
        return f"no bridges or virtual cables here: {error}"
    finally:
        _ip("netns", "del", name)
    return ""


class Machines:
    """One namespace for each name, all on one switch; gone at the end of the block."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        number = next(_numbers)
        self._prefix = f"aeo-{os.getpid()}-{number}"
        self._hub = f"{self._prefix}-hub"
        # An interface's name has at most 15 bytes, and this end lies in the namespace of us all.
        self._cable = f"aeo{os.getpid() % 1_000_000}-{number}"
        self._made: list[str] = []

    def __enter__(self) -> Self:
        try:
            self._make()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def address(self, name: str) -> str:
        """Where the other machines reach it."""
        return f"{_SHARED}.{1 + self.names.index(name)}"

    def managed(self, name: str) -> str:
        """Where this test reaches it."""
        return f"{_MANAGED}.{1 + self.names.index(name)}"

    def command(self, name: str) -> list[str]:
        """What runs a command there; it keeps the process id of the command."""
        return ["ip", "netns", "exec", self._space(name)]

    def partition(self, *groups: Collection[str]) -> None:
        """From now on only the members of one group reach each other."""
        assert sorted(itertools.chain(*groups)) == sorted(self.names), "each in one group"
        for number, group in enumerate(groups):
            for name in group:
                self._plug(name, f"switch{number}")

    def heal(self) -> None:
        """All on one switch again."""
        self.partition(self.names)

    def close(self) -> None:
        """Unmake everything; what still runs there loses its network."""
        while self._made:
            _ip("netns", "del", self._made.pop())

    def _space(self, name: str) -> str:
        return f"{self._prefix}-{name.lower()}"

    def _make(self) -> None:
        for space in (self._hub, *map(self._space, self.names)):
            _ip("netns", "add", space)
            self._made.append(space)
            _ip("-n", space, "link", "set", "lo", "up")
        for bridge in ("managed", *(f"switch{number}" for number in range(len(self.names)))):
            _ip("-n", self._hub, "link", "add", bridge, "type", "bridge")
            _ip("-n", self._hub, "link", "set", bridge, "up")
        for name in self.names:
            self._connect(name, f"s-{name.lower()}", "shared", f"{self.address(name)}/24")
            self._connect(name, f"m-{name.lower()}", "managed", f"{self.managed(name)}/24")
            self._plug(name, "switch0")
            _ip("-n", self._hub, "link", "set", f"m-{name.lower()}", "master", "managed")
        # Ours goes when the hub does: a cable ends with either of its ends.
        ours = self._cable
        _ip("link", "add", ours, "type", "veth", "peer", "name", "m-test", "netns", self._hub)
        _ip("addr", "add", f"{_MANAGED}.254/24", "dev", ours)
        _ip("link", "set", ours, "up")
        _ip("-n", self._hub, "link", "set", "m-test", "master", "managed")
        _ip("-n", self._hub, "link", "set", "m-test", "up")

    def _connect(self, name: str, hub_end: str, end: str, address: str) -> None:
        space = self._space(name)
        _ip(
            *("-n", self._hub, "link", "add", hub_end, "type", "veth"),
            *("peer", "name", end, "netns", space),
        )
        _ip("-n", self._hub, "link", "set", hub_end, "up")
        _ip("-n", space, "addr", "add", address, "dev", end)
        _ip("-n", space, "link", "set", end, "up")

    def _plug(self, name: str, switch: str) -> None:
        _ip("-n", self._hub, "link", "set", f"s-{name.lower()}", "master", switch)
