"""Who orders, as a node is told."""

from dataclasses import dataclass
from pathlib import Path

from service.engine.cometbft.home import HomeSettings


@dataclass(frozen=True, slots=True)
class SoloSettings:
    """This process orders alone, for all members that it hosts."""


@dataclass(frozen=True, slots=True)
class CometBftSettings:
    """CometBFT orders, with the files of the folder `home`.

    `run`: the node starts and watches it, by `program` or the one that was installed; otherwise
    somebody else does. `write`: its files are written anew at the start.
    """

    home: Path
    files: HomeSettings
    run: bool = True
    program: Path | None = None
    write: bool = True
