"""Where golden vectors are kept, and how: hex, 32 bytes a line."""

import hashlib
from pathlib import Path

from protocol.registry import Message, Registry
from protocol.signatures import SigningKey

FOLDER = Path(__file__).parent / "vectors"
VALUES, CERTIFICATES, EARLIER = FOLDER / "values", FOLDER / "certificates", FOLDER / "earlier"
_BYTES_PER_LINE = 32


def path_of(registry: Registry, number: int, cls: type[Message]) -> Path:
    """Return where the vector of a message is kept."""
    return FOLDER / registry.name.replace(" ", "_") / f"0x{number:04X}_{cls.__name__}.hex"


def read_vector(path: Path) -> bytes:
    """Return the bytes of a vector."""
    return bytes.fromhex(path.read_text("ascii"))


def as_hex(content: bytes) -> str:
    """Return the form in which vectors are kept and quoted."""
    starts = range(0, len(content), _BYTES_PER_LINE)
    return "".join(content[start : start + _BYTES_PER_LINE].hex() + "\n" for start in starts)


def seeded(name: str, length: int) -> bytes:
    """Return bytes that look random and are always the same."""
    return hashlib.shake_256(name.encode()).digest(length)


AUTHORITY, LOCATOR_KEY, ANN_KEY, BOB_KEY = (
    SigningKey(seeded(name, 32)) for name in ("authority", "locator", "ann's device", "bob's device")
)
