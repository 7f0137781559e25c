"""Says what a file really is, by its first bytes: the name of a file is only what somebody called it."""

from enum import StrEnum

from peer.errors import Refusal, RefusalCode

HEAD_BYTES = 512
"""So much of a file's beginning is looked at."""


class PictureFormat(StrEnum):
    """The kinds of picture that are shown; the values are Pillow's names."""

    JPEG = "JPEG"
    PNG = "PNG"
    GIF = "GIF"
    WEBP = "WEBP"

    @property
    def suffix(self) -> str:
        """How the name of such a file ends."""
        return ".jpg" if self is PictureFormat.JPEG else f".{self.value.lower()}"


def sniff(head: bytes) -> PictureFormat | None:
    """Return the kind of picture that begins with these bytes, or None."""
    if head.startswith(b"\xff\xd8\xff"):
        return PictureFormat.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PictureFormat.PNG
    if head.startswith((b"GIF87a", b"GIF89a")):
        return PictureFormat.GIF
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return PictureFormat.WEBP
    return None


def need_picture(head: bytes, name: str) -> PictureFormat:
    """Return the kind of picture; raise Refusal `unsupported_picture`, which says what it is instead."""
    known = sniff(head)
    if known is None:
        raise Refusal(
            RefusalCode.UNSUPPORTED_PICTURE,
            f"“{name}” is {_described(head)}. Only JPEG, PNG, GIF and WebP pictures are shown.",
        )
    return known


_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"BM", "a BMP picture"),
    (b"\x00\x00\x01\x00", "an icon"),
    (b"8BPS", "a Photoshop picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (b"%PDF-", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a program"),
)
_BRANDS = {b"heic": "HEIC", b"heix": "HEIC", b"mif1": "HEIC", b"msf1": "HEIC", b"avif": "AVIF", b"avis": "AVIF"}
"""Of ISO media files (ISO/IEC 14496-12, `ftyp`), those that are pictures."""


def _described(head: bytes) -> str:
    if not head:
        return "empty"
    for start, what in _OTHERS:
        if head.startswith(start):
            return what
    if head[4:8] == b"ftyp":
        brand = _BRANDS.get(head[8:12])
        return f"a picture of the kind {brand}" if brand else "a video"
    if b"<svg" in head[:HEAD_BYTES].lower():
        return "an SVG drawing"
    return "no picture"
