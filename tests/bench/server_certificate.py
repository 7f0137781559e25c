"""A certificate for a reference server, made on the spot: of the locator's kind, so that TLS costs the same."""

from datetime import UTC, datetime
from pathlib import Path

from protocol.certificates import Role, create_authority_certificate, issue_certificate, to_pem
from protocol.signatures import SigningKey


def write_certificate(folder: Path) -> None:
    """Write `key.pem`, `cert.pem` and `ca.pem`."""
    authority, key = SigningKey(b"a" * 32), SigningKey(b"k" * 32)
    now = datetime.now(UTC)
    authority_der = create_authority_certificate(authority, now)
    certificate = issue_certificate(authority, authority_der, key.public, Role.LOCATOR, None, now)
    (folder / "key.pem").write_bytes(key.pem(None))
    (folder / "cert.pem").write_text(to_pem(certificate))
    (folder / "ca.pem").write_text(to_pem(authority_der))
