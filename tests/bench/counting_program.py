"""Runs a program in its own place and counts what it sends on links: `… counting_program OUT python -m MODULE …`."""

import atexit
import json
import runpy
import sys
from collections import Counter
from pathlib import Path

from peer.links.link import Link
from protocol.link_messages import LINK
from protocol.registry import Message


def main() -> None:
    """Count the bytes of the frames, by kind, into the file that is the first argument."""
    out, (module, *arguments) = Path(sys.argv[1]), sys.argv[sys.argv.index("-m") + 1 :]
    sent: Counter[str] = Counter()
    say = Link.send

    def count(link: Link, message: Message) -> None:
        sent[type(message).__name__] += len(LINK.encode(message))
        say(link, message)

    Link.send = count  # type: ignore[method-assign]
    atexit.register(lambda: out.write_text(json.dumps(sent), "utf-8"))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
