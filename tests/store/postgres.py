"""Debian's PostgreSQL for tests: a server of one's own on a free port, stopped by its pid.

PostgreSQL refuses to run as root: then the server runs as `nobody`. `Postgres.make` starts one with
settings that make tests fast and lose nothing when a process is killed; `shared` gives the one of
this test process, in which `place` names a schema for each test.
"""

import atexit
import functools
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from service.node.founding.ports import free_port
from service.store.location import Server

USER = "aeo"
FAST = {
    "fsync": "off",  # a killed server loses nothing; only a machine that stops would
    "max_connections": "200",
    "shared_buffers": "32MB",
    "autovacuum": "off",
    "listen_addresses": "127.0.0.1",
    "timezone": "UTC",
}


def program(name: str) -> Path:
    """A program of the newest PostgreSQL that is installed."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name)
    )
    for folder in reversed(folders):
        if (folder / name).exists():
            return folder / name
    found = shutil.which(name)
    assert found is not None, "PostgreSQL is not installed: apt-get install postgresql"
    return Path(found).resolve()


def unprivileged() -> dict[str, Any]:
    """For subprocess: as whom to run what refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": ()}


@dataclass
class Postgres:
    """A server whose files lie in `folder`; `port` on 127.0.0.1."""

    folder: Path
    port: int
    settings: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    names: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @classmethod
    def make(cls, folder: Path, **settings: str) -> "Postgres":
        """A new cluster in a new folder, not started."""
        folder.mkdir(parents=True, exist_ok=True)
        own = unprivileged()
        if own:
            os.chown(folder, own["user"], own["group"])
        subprocess.run(
            [
                *(program("initdb"), "-D", folder / "data", "-U", USER, "--auth=trust", "-N"),
                *("--encoding=UTF8", "--locale=C"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
            **own,
        )
        return cls(folder, free_port(), FAST | settings)

    def start(self) -> None:
        """Start it, and return once it answers."""
        assert self.process is None
        options = [f"--{name}={value}" for name, value in self.settings.items()]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(program("postgres"), "-D", self.folder / "data", "-p", str(self.port)),
                    *("-k", self.folder, *options),
                ],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
                **unprivileged(),
            )
        ready = [program("psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U", USER]
        while subprocess.run(
            [*ready, "-c", "SELECT 1", "postgres"], check=False, capture_output=True, cwd="/"
        ).returncode:
            assert self.process.poll() is None, (self.folder / "log").read_text()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT at once but in order, SIGQUIT without a word to anyone."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(60)
            self.process = None

    def kill(self) -> None:
        """kill -9 of the server and of every process of it."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(60)
        self.process = None

    def restart(self, how: signal.Signals = signal.SIGINT) -> None:
        self.stop(how)
        self.start()

    def url(self, database: str = "postgres", port: int | None = None) -> str:
        return f"postgresql://{USER}@127.0.0.1:{port or self.port}/{database}"

    def place(self, branch: str = "s", *, port: int | None = None) -> Server:
        """Where no store lies yet."""
        return Server(self.url(port=port), f"{branch}_{next(self.names)}")

    def sql(self, statement: str, *values: object, schema: str = "public") -> list[Any]:
        """Do one statement past every store; its rows."""
        with psycopg.connect(
            self.url(), autocommit=True, options=f"-c search_path={schema}"
        ) as session:
            cursor = session.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []


@functools.cache
def shared() -> Postgres:
    """The server of this test process; gone with it."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(own_server())


@contextmanager
def own_server(**settings: str) -> Iterator[Postgres]:
    """A server that a test may kill; in a folder that its user can reach, as pytest's are not."""
    folder = Path(tempfile.mkdtemp(prefix="aeo-postgresql-"))
    server = Postgres.make(folder, **settings)
    try:
        server.start()
        yield server
    finally:
        server.stop(signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)
