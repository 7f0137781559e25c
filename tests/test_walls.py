"""The arrows between the rooms of the program point one way only (the contracts are in `pyproject.toml`)."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
RUN = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def test_no_import_breaks_a_wall() -> None:
    check = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert check.returncode == 0, check.stdout + check.stderr
    assert "0 broken" in check.stdout


def test_migrations_are_numbered_one_after_the_other() -> None:
    names = sorted(path.name for path in (ROOT / "peer" / "storage" / "migrations").glob("*.sql"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
