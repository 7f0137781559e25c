"""Qt counts the halves of characters beyond U+FFFF, Python whole characters; here the one becomes the other."""


def units(text: str) -> int:
    """Return how long a text is for Qt."""
    return len(text) if _is_plain(text) else len(text.encode("utf-16-le", "surrogatepass")) // 2


def part(text: str, start: int, end: int) -> str:
    """Return what is between two places of Qt's counting; half a character is left out."""
    if _is_plain(text):
        return text[start:end]
    return text.encode("utf-16-le", "surrogatepass")[2 * start : 2 * end].decode("utf-16-le", "ignore")


def _is_plain(text: str) -> bool:
    return text.isascii() or max(text, default="") <= "\uffff"
