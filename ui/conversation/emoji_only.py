"""Finds the messages that are nothing but a few emoji: they are drawn large, without a bubble."""

import unicodedata

from PySide6.QtCore import QTextBoundaryFinder

MOST_EMOJI = 3
_LONGEST = 64
"""UTF-16 units of the longest three emoji worth looking at; a family of four with skin tones has 19."""
_ASKED_FOR = ("\ufe0f", *map(chr, range(0x1F3FB, 0x1F400)))
"""The variation selector for emoji style, and the skin tones."""
# Below U+1F000 these few are drawn as emoji without being asked to (Unicode: Emoji_Presentation).
_BMP_EMOJI = frozenset(
    map(
        chr,
        [
            *(0x231A, 0x231B, *range(0x23E9, 0x23ED), 0x23F0, 0x23F3, 0x25FD, 0x25FE, 0x2614, 0x2615),
            *(*range(0x2648, 0x2654), 0x267F, 0x2693, 0x26A1, 0x26AA, 0x26AB, 0x26BD, 0x26BE, 0x26C4, 0x26C5),
            *(0x26CE, 0x26D4, 0x26EA, 0x26F2, 0x26F3, 0x26F5, 0x26FA, 0x26FD, 0x2705, 0x270A, 0x270B, 0x2728),
            *(0x274C, 0x274E, 0x2753, 0x2754, 0x2755, 0x2757, 0x2795, 0x2796, 0x2797, 0x27B0, 0x27BF, 0x2B1B),
            *(0x2B1C, 0x2B50, 0x2B55),
        ],
    )
)


def is_emoji_only(text: str) -> bool:
    """Tell whether a text is one to three emoji and nothing else."""
    stripped = "".join(text.split())
    if not stripped or len(stripped) > _LONGEST:
        return False
    clusters = _graphemes(stripped)
    return len(clusters) <= MOST_EMOJI and all(map(_is_emoji, clusters))


def _is_emoji(cluster: str) -> bool:
    first = cluster[0]
    if 0x1F000 <= ord(first) <= 0x1FAFF or first in _BMP_EMOJI:
        return True
    # A sign, digit or arrow becomes an emoji only when the style or a skin tone is asked for: ❤️, 1️⃣, ☝🏽.
    return any(sign in cluster for sign in _ASKED_FOR) and (
        first == "ℹ" or unicodedata.category(first) in {"So", "Sm", "Po", "Pd", "Nd"}
    )


def _graphemes(text: str) -> list[str]:
    finder = QTextBoundaryFinder(QTextBoundaryFinder.BoundaryType.Grapheme, text)
    units = text.encode("utf-16-le")
    clusters: list[str] = []
    start = 0
    while (end := finder.toNextBoundary()) != -1 and len(clusters) <= MOST_EMOJI:
        cluster = units[2 * start : 2 * end].decode("utf-16-le", "replace")
        if clusters and _is_half_flag(cluster) and _is_half_flag(clusters[-1]):
            # Qt parts the two letters of a flag that follows a joined sequence.
            clusters[-1] += cluster
        else:
            clusters.append(cluster)
        start = end
    return clusters


def _is_half_flag(cluster: str) -> bool:
    return len(cluster) == 1 and 0x1F1E6 <= ord(cluster) <= 0x1F1FF
