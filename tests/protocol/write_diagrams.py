"""Draws the diagrams of the specification anew from the tables they show: `python -m tests.protocol.write_diagrams`."""

import re
from pathlib import Path

from protocol.call_states import diagram

SPECIFICATION = Path("protocol/SPECIFICATION.md")


def main() -> None:
    """Put the diagram of a call's states in place of the one that is there."""
    text = SPECIFICATION.read_text("utf-8")
    SPECIFICATION.write_text(
        re.sub(r"(?<=^```mermaid\n).*?(?=\n```$)", diagram(), text, flags=re.MULTILINE | re.DOTALL), "utf-8"
    )


if __name__ == "__main__":
    main()
