"""Makes `emoji.tsv` anew from an unpacked `emojibase-data` package; LICENSE.md beside it says how to get one."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ui.conversation.emoji.table import FILE, TONES

_LEFT_OUT = frozenset({None, 2})
"""Groups of parts: single letters of flags, hair, bare skin tones."""


def main() -> int:
    """Return 0 when the table is written, 2 for wrong usage."""
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m ui.conversation.emoji.renew_table FOLDER_OF_EMOJIBASE_DATA\n")
        return 2
    folder = Path(sys.argv[1])
    lines = list(_lines(_read(folder, "en"), _read(folder, "zh")))
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(lines)} emoji, {FILE.stat().st_size} bytes\n")
    return 0


def _read(folder: Path, language: str) -> list[dict[str, Any]]:
    emoji: list[dict[str, Any]] = json.loads((folder / language / "data.json").read_text(encoding="utf-8"))
    return sorted((each for each in emoji if each.get("group") not in _LEFT_OUT), key=lambda each: each["order"])


def _lines(english: list[dict[str, Any]], chinese: list[dict[str, Any]]) -> Iterator[str]:
    """Yield one line an emoji; the columns are told in `table.py`."""
    in_chinese = {each["hexcode"]: each for each in chinese}
    for each in english:
        other = in_chinese[each["hexcode"]]
        tones = {skin["tone"]: skin["emoji"] for skin in each.get("skins", []) if isinstance(skin["tone"], int)}
        columns = [
            _shortest(each),
            str(each["group"]),
            str(each["version"]),
            each["label"],
            "|".join(each.get("tags", [])),
            other["label"],
            "|".join(other.get("tags", [])),
            " ".join(tones[tone] for tone in range(1, TONES + 1)) if len(tones) == TONES else "",
        ]
        assert not any("\t" in column or "\n" in column for column in columns)
        yield "\t".join(columns)


def _shortest(each: dict[str, Any]) -> str:
    """Return it without the sign for "as an emoji" where it is drawn as one anyhow: others write it so too."""
    text: str = each["emoji"]
    is_emoji_anyhow = each["type"] == 1 and len(text) == 2
    return text.removesuffix("\ufe0f") if is_emoji_anyhow else text


if __name__ == "__main__":
    sys.exit(main())
