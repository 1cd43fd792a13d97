"""The log: one JSON object a line on stderr, or coloured text when stderr is a terminal.

While a call is served, every line says which: method, request id, economy, access role, name. They
are read from the call when a line is written. Binding them at the start of each call, as
structlog's own context variables want it, would cost more than a look-up has to spare.

Personal data and TINs are never logged; a subject's keyed identifier may be. So a traceback shows
no local variables, though structlog would by default: among them are requests and keys.
"""

import contextvars
import logging
import sys
from collections.abc import Mapping
from typing import Any, Protocol, TextIO

import structlog


class InProgress(Protocol):
    """Something that lines can be about, such as a call."""

    def log_fields(self) -> Mapping[str, Any]:
        """What to add to each line."""


CURRENT: contextvars.ContextVar[InProgress | None] = contextvars.ContextVar(
    "aeo_in_progress", default=None
)
"""What this thread works for; setting it is all that a call pays (0.1 us). Who sets it sets it back
to None: a gRPC call owns its context; were that to own the call too, only the garbage collector
could part them (15 us a call)."""


def set_up_logs(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Configure structlog, and route the standard library's loggers (gRPC, Alembic) the same way.

    `level` is one of DEBUG, INFO, WARNING, ERROR. Calling it again replaces what was set up.
    """
    out = stream if stream is not None else sys.stderr
    shared: list[structlog.typing.Processor] = [
        _add_in_progress,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if out.isatty()
        else [
            structlog.processors.ExceptionRenderer(
                structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
            ),
            structlog.processors.JSONRenderer(),
        ]
    )
    number = logging.getLevelNamesMapping()[level]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    # The libraries' own chatter below WARNING is about them, not about us.
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)


def _add_in_progress(
    _logger: Any, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    current = CURRENT.get()
    return event if current is None else {**current.log_fields(), **event}
