"""What the log must not say: whatever an error happened to have at hand."""

import io
import json
from collections.abc import Iterator

import pytest
import structlog

from service.logs import set_up_logs

KEY = b"a lookup key of thirty-two bytes"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    yield
    set_up_logs()


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()], ids=["file", "terminal"])
def test_a_traceback_shows_no_variables(stream: io.StringIO) -> None:
    def look_up(tin: str, key: bytes) -> None:
        asked = [tin]
        raise LookupError(f"{len(asked)} of {len(key)}")

    set_up_logs(stream=stream)
    try:
        look_up("NZ4711", KEY)
    except LookupError as error:
        structlog.get_logger().error("failed", exc_info=error)
    said = stream.getvalue()
    assert "1 of 32" in said
    assert "test_logs.py" in said, "where it happened"
    assert "NZ4711" not in said.replace('look_up("NZ4711", KEY)', "")
    assert KEY.decode() not in said


def test_a_line_is_one_object() -> None:
    stream = io.StringIO()
    set_up_logs(stream=stream)
    structlog.get_logger().info("first", count=1)
    structlog.get_logger().info("second\nline")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == [
        "first",
        "second\nline",
    ]
