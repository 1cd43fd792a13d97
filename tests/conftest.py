"""What holds for every test."""

import logging
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _logs_as_at_first() -> Iterator[None]:
    """A command run in this process leaves a log whose stream is closed; no test finds it."""
    handlers = logging.root.handlers[:]
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
