r"""Parameters: the rules of a network that a vote may change. `aeo.ledger.v1.Parameters`.

Durations are milliseconds. The exact bytes in force are the object of kind 7 of the state map.

>>> DEFAULT_PARAMETERS.heartbeat_interval, DEFAULT_PARAMETERS.trust_period // 86_400_000
(300000, 30)
>>> data = format_parameters(DEFAULT_PARAMETERS)
>>> parse_parameters(data) == DEFAULT_PARAMETERS
True
>>> parse_parameters(b"")
Traceback (most recent call last):
ledger.errors.FormatError: Parameters.heartbeat_interval is out of range: 0
"""

from typing import Final, NamedTuple

from aeo.ledger.v1 import genesis_pb2
from ledger.chain.transaction import MAX_TRANSACTION_BYTES
from ledger.errors import FormatError
from ledger.wire import format_strict, parse_strict

PARAMETERS_LIMIT: Final = 256
_MINUTE: Final = 60_000
# A century: longer than any rule here can mean, short enough to be added to any time.
_LONGEST: Final = 100 * 366 * 24 * 60 * _MINUTE

# A block must be able to hold any one transaction.
_SMALLEST_BLOCK: Final = MAX_TRANSACTION_BYTES
_LARGEST_BLOCK: Final = 1 << 30


class Parameters(NamedTuple):
    """Durations in milliseconds, sizes in bytes; the fields of the message in their order."""

    heartbeat_interval: int
    default_staleness_limit: int
    trust_period: int
    rules_version: int
    max_block_transactions: int
    max_block_bytes: int


DEFAULT_PARAMETERS: Final = Parameters(
    heartbeat_interval=5 * _MINUTE,
    default_staleness_limit=60 * _MINUTE,
    trust_period=30 * 24 * 60 * _MINUTE,
    rules_version=1,
    # One group commit of a busy solo writer; a CometBFT block is at most 100 MiB anyway.
    max_block_transactions=1_000,
    max_block_bytes=16 << 20,
)

_RANGES: Final = {
    "heartbeat_interval": range(1, _LONGEST),
    "default_staleness_limit": range(1, _LONGEST),
    "trust_period": range(1, _LONGEST),
    "rules_version": range(1, 1 << 32),
    "max_block_transactions": range(1, 1 << 20),
    "max_block_bytes": range(_SMALLEST_BLOCK, _LARGEST_BLOCK),
}


def format_parameters(parameters: Parameters) -> bytes:
    """Write the exact bytes; raises `FormatError` for values out of range."""
    _check(parameters)
    return format_strict(genesis_pb2.Parameters(**parameters._asdict()))


def parse_parameters(data: bytes) -> Parameters:
    """Read parameters; raises `FormatError`."""
    message = parse_strict(genesis_pb2.Parameters, data, PARAMETERS_LIMIT)
    parameters = Parameters(*(getattr(message, name) for name in Parameters._fields))
    _check(parameters)
    return parameters


def _check(parameters: Parameters) -> None:
    for name, value in parameters._asdict().items():
        if value not in _RANGES[name]:
            raise FormatError(f"Parameters.{name} is out of range: {value}")
