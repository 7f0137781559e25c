"""Writes the golden vectors that are missing. Those that exist are never changed: they are the promise.

Run it from the project's root after adding a message and its example: `python -m tests.protocol.write_vectors`.
"""

from datetime import UTC, datetime
from pathlib import Path

from protocol.certificates import Role, create_authority_certificate, issue_certificate
from protocol.identity import UserId
from tests.protocol.strategies import all_messages
from tests.protocol.vector_files import (
    ANN_KEY,
    AUTHORITY,
    CERTIFICATES,
    LOCATOR_KEY,
    VALUES,
    as_hex,
    path_of,
    read_vector,
)

_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def main() -> None:
    """Write what is missing, and say what."""
    if not CERTIFICATES.exists():
        _write_certificates()
    from tests.protocol import examples  # reads the certificates

    for name, content in examples.VALUES.items():
        _write_missing(VALUES / f"{name}.hex", content)
    for registry, number, cls in all_messages():
        _write_missing(path_of(registry, number, cls), examples.encode_example(registry, cls))


def _write_certificates() -> None:
    _write_missing(CERTIFICATES / "authority.hex", create_authority_certificate(AUTHORITY, _NOW))
    authority = read_vector(CERTIFICATES / "authority.hex")
    locator = issue_certificate(AUTHORITY, authority, LOCATOR_KEY.public, Role.LOCATOR, None, _NOW)
    ann = issue_certificate(AUTHORITY, authority, ANN_KEY.public, Role.USER, UserId("ann"), _NOW)
    _write_missing(CERTIFICATES / "locator.hex", locator)
    _write_missing(CERTIFICATES / "ann.hex", ann)


def _write_missing(path: Path, content: bytes) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(as_hex(content), "ascii")
        print(f"written: {path}")


if __name__ == "__main__":
    main()
