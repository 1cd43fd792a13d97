"""Generated Python is what the .proto files say, and nobody edited it."""

import filecmp
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def files_below(folder: Path) -> set[Path]:
    return {p.relative_to(folder) for p in folder.rglob("*.py*") if "__pycache__" not in p.parts}


def test_generated_code_is_current(tmp_path: Path) -> None:
    subprocess.run([ROOT / "proto" / "generate", tmp_path], check=True, capture_output=True)
    committed, fresh = ROOT / "proto" / "gen", tmp_path
    assert files_below(committed) == files_below(fresh)
    different = [p for p in files_below(fresh) if not filecmp.cmp(committed / p, fresh / p, False)]
    assert not different
