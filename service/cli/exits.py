"""What a command's exit code says. Scripts act on these; they never change."""

from typing import Final

FINE: Final = 0
# The verification failed, or the answer is no.
NO: Final = 1
# Wrong usage, or input that cannot be read.
USAGE: Final = 2
# No node answers; says nothing about any trader.
UNAVAILABLE: Final = 3
# Somebody signed two statements that exclude each other; the evidence is kept.
MISBEHAVIOUR: Final = 4
