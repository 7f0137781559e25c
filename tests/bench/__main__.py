"""`python -m tests.bench NAME [--json FILE]`: measures the real programs beside a named reference, in one run."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.bench import files, groups, locator, messages, voice, window
from tests.bench.report import Row, table

BENCHMARKS = {
    "files": files.run,
    "groups": groups.run,
    "locator": locator.run,
    "messages": messages.run,
    "voice": voice.run,
    "window": window.run,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("name", choices=sorted(BENCHMARKS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--rounds", type=int, default=5, help="runs of which the median counts (default 5)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hail-bench-") as folder:
        rows: list[Row] = BENCHMARKS[options.name](Path(folder), options.rounds)
    print(table(rows))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps([row.as_json() for row in rows], indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
