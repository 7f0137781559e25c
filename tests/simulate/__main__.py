"""`python -m tests.simulate`: groups of members through all that can go wrong, in virtual time, from a seed."""

import argparse
import functools
import logging
import multiprocessing
import os
import sys

from tests.simulate.run import TROUBLE_SECONDS, Outcome, run_seed
from tests.simulate.trouble import Liars

STORY_LINES = 60


def _seeds(text: str) -> range:
    first, _, last = text.partition("..")
    return range(int(first), int(last or first) + 1)


def main() -> int:
    """Play the seeds; return 1 if one of them failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulate", description=__doc__)
    parser.add_argument("--seed", type=int, help="one seed, told at length")
    parser.add_argument("--seeds", type=_seeds, default=range(1, 11), metavar="A..B", help="several; 1..10 if left out")
    parser.add_argument("--members", type=int, help="5 to 100; if left out, the seed says (5 to 12)")
    parser.add_argument("--trouble", type=float, default=TROUBLE_SECONDS, metavar="SECONDS", help="in virtual time")
    parser.add_argument("--liars", type=Liars, choices=list(Liars), default=Liars.ALL, help="members who lie")
    parser.add_argument("--log", action="store_true", help="what the nodes log, too")
    parser.add_argument("--jobs", type=int, default=1, help="seeds played at the same time")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO if asked.log else logging.CRITICAL, format="%(name)s %(message)s")
    seeds = [asked.seed] if asked.seed is not None else asked.seeds
    failed = 0
    # Each seed in a program of its own, which ends with it.
    with multiprocessing.Pool(asked.jobs, maxtasksperchild=1) as pool:
        play = functools.partial(_play, members=asked.members, trouble=asked.trouble, liars=asked.liars)
        for outcome in pool.imap(play, seeds):
            if outcome.failure:
                failed += 1
                print(*outcome.story[-STORY_LINES:], sep="\n")
            elif asked.seed is not None:
                print(*outcome.story, sep="\n")
            print(outcome.line(), flush=True)
    return 1 if failed else 0


def _play(seed: int, members: int | None, trouble: float, liars: Liars) -> Outcome:
    sys.unraisablehook = lambda _: None  # the last words of killed nodes, when this program ends
    return run_seed(seed, members or 5 + seed % 8, trouble, liars)


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets is a matter of chance, too: it is the same in every run.
        os.execve(
            sys.executable,
            [sys.executable, "-m", "tests.simulate", *sys.argv[1:]],
            {**os.environ, "PYTHONHASHSEED": "0"},
        )
    sys.exit(main())
