"""The simulation as a test: a few seeds always, hundreds in `make test-long`. Each run is a program of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def simulate(*arguments: str, seconds: float = 240) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.simulate", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


@pytest.mark.parametrize("seeds", ["1..2", "3..4"])
def test_whatever_goes_wrong_all_honest_members_end_alike(seeds: str) -> None:
    played = simulate("--seeds", seeds, "--members", "5", "--trouble", "60")
    assert played.returncode == 0, played.stdout[-6000:] + played.stderr[-2000:]


@pytest.mark.parametrize("seed", ["4", "10"])
def test_who_tells_two_stories_is_shown_alike_everywhere(seed: str) -> None:
    played = simulate("--seed", seed, "--members", "6", "--trouble", "60")
    assert played.returncode == 0, played.stdout[-6000:] + played.stderr[-2000:]
    assert "1 equivocators" in played.stdout, "this seed has none any more: choose another"


def test_a_seed_replays_exactly() -> None:
    lines = [simulate("--seed", "5", "--members", "5", "--trouble", "40").stdout.splitlines()[-1] for _ in range(2)]
    first, second = (re.sub(r"in [\d.]+ s;", "", line) for line in lines)
    assert first == second, "the last word is a hash of every packet, with its time"
    other = simulate("--seed", "6", "--members", "5", "--trouble", "40").stdout.splitlines()[-1]
    assert other.split()[-1] != first.split()[-1], "another seed is another run"


@pytest.mark.long
@pytest.mark.parametrize("first", range(1, 301, 20))
def test_hundreds_of_seeds(first: int) -> None:
    # Many short histories find more than a few long ones do in the same time.
    played = simulate("--seeds", f"{first}..{first + 19}", "--trouble", "60", seconds=3600)
    assert played.returncode == 0, played.stdout[-12000:] + played.stderr[-2000:]
