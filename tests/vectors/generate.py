"""Write the vectors of every format to ``ledger/*.json`` beside this file.

PYTHONPATH=.:proto/gen python -m tests.vectors.generate           write them
PYTHONPATH=.:proto/gen python -m tests.vectors.generate --check   exit 1 if any would change
"""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Final

from tests.vectors.registry import SECTIONS, Case

HERE: Final = Path(__file__).parent
FOLDER: Final = HERE / "ledger"


def generate() -> dict[str, str]:
    """Return the text of each file by its name, ascending."""
    for module in sorted((HERE / "sections").glob("*.py")):
        import_module(f"tests.vectors.sections.{module.stem}")
    return {f"{name}.json": _text(name) for name in sorted(SECTIONS)}


def _text(name: str) -> str:
    description, section = SECTIONS[name]
    content = {"format": name, "description": description, **_hex(section())}
    return json.dumps(content, indent=1, ensure_ascii=True) + "\n"


def _hex(value: Case) -> Case:
    """The same value with bytes as lower-case hex."""

    def convert(part: object) -> object:
        if isinstance(part, bytes):
            return part.hex()
        if isinstance(part, dict):
            return {key: convert(each) for key, each in part.items()}
        if isinstance(part, list | tuple):
            return [convert(each) for each in part]
        return part

    return {key: convert(each) for key, each in value.items()}


def main() -> int:
    """Write, or with ``--check`` only compare."""
    texts = generate()
    changed = []
    for name, text in texts.items():
        path = FOLDER / name
        if not path.exists() or path.read_text() != text:
            changed.append(name)
            if "--check" not in sys.argv:
                FOLDER.mkdir(exist_ok=True)
                path.write_text(text)
    changed += [path.name for path in FOLDER.glob("*.json") if path.name not in texts]
    print("changed:", ", ".join(changed) or "nothing")
    return int(bool(changed) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
