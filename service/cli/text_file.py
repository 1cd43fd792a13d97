r"""A file of text that a person made, read with what can be wrong with it told in a line.

Office programmes like to write other encodings than UTF-8; the message says where it shows. Never
is more read than the limit, however large the file.

>>> decode(b"\xef\xbb\xbftin,name\n", "traders.csv")
'tin,name\n'
>>> decode(b"tin,name\nHK12345678,Caf\xe9\n", "traders.csv")
Traceback (most recent call last):
    ...
service.cli.errors.InputRefused: traders.csv: line 2 is not UTF-8; save the file as UTF-8
"""

from pathlib import Path
from typing import Final

from service.cli.errors import InputRefused

TEXT_LIMIT: Final = 200_000_000
"""Bytes of the largest files: a register of some two million certificates."""


def read_text_file(path: Path, limit: int = TEXT_LIMIT) -> str:
    """The text of a file, without the mark that some programmes put in front."""
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise InputRefused(f"{path}: larger than {limit:,} bytes")
    return decode(data, str(path))


def decode(data: bytes, name: str) -> str:
    """UTF-8 as text; `InputRefused` names the first line that is none."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputRefused(f"{name}: line {line} is not UTF-8; save the file as UTF-8") from None
