"""The CometBFT process beside a node: started, watched, started again, stopped.

CometBFT ends by itself when its application goes away, and with it whatever it cannot go on from.
So the watch starts it again, at once the first time, then after longer and longer pauses, until it
has run for a while. An orphan of a node that was killed ends the same way, for it has lost its
application; where it has not, it is ended first.

Its log goes to `cometbft.log` in its folder; at a start a long one is moved aside. Its process id
stands in `cometbft.pid`.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 10.0
STEADY_S: Final = 30.0
"""Who has run so long may start again without a pause."""
STOP_WITHIN_S: Final = 10.0
ORPHAN_LOOK_S: Final = 0.05
LOG_FILE: Final = "cometbft.log"
PID_FILE: Final = "cometbft.pid"
LONGEST_LOG_BYTES: Final = 64 << 20

_log = structlog.get_logger("aeo.cometbft")


class CometBftProcess:
    """One CometBFT, kept running until stopped. Any thread may call."""

    def __init__(self, program: Path, home: Path) -> None:
        self._program = program
        self._home = home
        self._changed = threading.Condition()
        # Guarded by the condition.
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = False
        self.starts = 0
        self._thread = threading.Thread(target=self._run, name="aeo-cometbft-process")

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        """Start it, and keep it running."""
        self._thread.start()

    def restart(self) -> None:
        """End it; the watch starts it again."""
        with self._changed:
            process = self._process
        if process is not None:
            _end(process)

    def stop(self) -> None:
        """End it for good. Idempotent."""
        with self._changed:
            self._stopping = True
            process = self._process
            self._changed.notify_all()
        if process is not None:
            _end(process)
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        pause = 0.0
        while True:
            with self._changed:
                if self._changed.wait_for(lambda: self._stopping, pause):
                    return
                try:
                    self._process = self._spawn()
                except OSError as error:
                    _log.error("CometBFT cannot be started", reason=str(error))
                    pause = LONGEST_PAUSE_S
                    continue
                process = self._process
                self.starts += 1
            began = time.monotonic()
            code = process.wait()
            with self._changed:
                if self._stopping:
                    return
            ran = time.monotonic() - began
            pause = 0.0 if ran > STEADY_S else min(max(2 * pause, FIRST_PAUSE_S), LONGEST_PAUSE_S)
            _log.warning("CometBFT has ended", code=code, after_s=round(ran, 1), again_in_s=pause)

    def _spawn(self) -> "subprocess.Popen[bytes]":
        self._end_orphan()
        log = self._home / LOG_FILE
        if log.exists() and log.stat().st_size > LONGEST_LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as out:
            process = subprocess.Popen(  # noqa: S603 - a program that we installed
                [str(self._program), "start", "--home", str(self._home)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                # A signal to the node's group must not end what the node still needs to stop.
                start_new_session=True,
            )
        (self._home / PID_FILE).write_text(f"{process.pid}\n")
        return process

    def _end_orphan(self) -> None:
        """End the process of a node that was killed, where it has not ended by itself.

        One that was just looking for its application when that went away finds the next one, and
        would serve it from then on, watched by nobody.
        """
        for pid in _running_in(self._home):
            _log.warning("CometBFT of a node that is gone is ended", pid=pid)
            with suppress(OSError):  # it may end meanwhile
                os.kill(pid, signal.SIGTERM)
                until = time.monotonic() + STOP_WITHIN_S
                while _lives(pid) and time.monotonic() < until:
                    time.sleep(ORPHAN_LOOK_S)
                os.kill(pid, signal.SIGKILL)


def _running_in(home: Path) -> Iterator[int]:
    """Every process that was started in a folder: a node may be killed before it notes its id."""
    place = f"\0--home\0{home}\0".encode()
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if place in command.read_bytes():
                yield int(command.parent.name)


def _lives(pid: int) -> bool:
    """Whether it still runs; who has ended and is not waited for has no command line."""
    return bool(Path(f"/proc/{pid}/cmdline").read_bytes())


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
