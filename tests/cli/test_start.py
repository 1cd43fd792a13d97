"""A command that only calls a node starts without what a node is made of."""

import subprocess
import sys


def test_the_command_line_loads_no_database_and_no_node() -> None:
    loaded = "import sys, service.aeo; print(*sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", loaded], check=True, capture_output=True, text=True
    ).stdout.split()
    assert "service.cli.asking.lookup" in said
    assert not {"sqlalchemy", "sqlmodel", "alembic", "psycopg", "service.node.node"} & set(said)
