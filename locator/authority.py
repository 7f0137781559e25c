"""The locator's own small certificate authority: it says which key speaks for which user of this realm."""

import os
import secrets
import ssl
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from protocol.certificates import (
    Role,
    create_authority_certificate,
    issue_certificate,
    read_certificate,
    realm_of,
    to_pem,
)
from protocol.device_lists import DeviceList, SignedDeviceList, sign_device_list
from protocol.identity import PublicKey, UserId
from protocol.locator_messages import ALPN
from protocol.signatures import SigningKey

FILE_NAME = "authority.pem"
_CERTIFICATE_BEGINS = b"-----BEGIN CERTIFICATE-----"


class Authority:
    """Holds the realm's key; whoever reads its file can speak for everybody, so only its owner may."""

    def __init__(self, key: SigningKey, der: bytes) -> None:
        self._key = key
        self.der = der
        """The authority's self-signed certificate."""
        self.realm = realm_of(der)

    @classmethod
    def open_or_create(cls, path: Path, now: datetime) -> Self:
        """Load an authority's file, or make it at the first start."""
        if not path.exists():
            _create(path, now)
        pem = path.read_bytes()
        key = SigningKey.from_pem(pem)
        return cls(key, ssl.PEM_cert_to_DER_cert(pem[pem.index(_CERTIFICATE_BEGINS) :].decode("ascii")))

    def certify(self, user: UserId, key: PublicKey, now: datetime) -> bytes:
        """Return the DER of a certificate that lets a device speak for a user."""
        return issue_certificate(self._key, self.der, key, Role.USER, user, now)

    def sign(self, devices: DeviceList) -> SignedDeviceList:
        """Sign a user's device list."""
        return sign_device_list(self._key, self.realm, devices)

    def make_own_certificate(self, now: datetime) -> "OwnCertificate":
        """Make a fresh key and certificate with which the locator shows who it is."""
        key = SigningKey(secrets.token_bytes(32))
        der = issue_certificate(self._key, self.der, key.public, Role.LOCATOR, None, now)
        return OwnCertificate(key, der, self.der)


class OwnCertificate:
    """The locator's own key and certificate: made at each start, kept in memory only."""

    def __init__(self, key: SigningKey, der: bytes, authority_der: bytes) -> None:
        self._key = key
        self._authority_der = authority_der
        self._content = read_certificate(der, authority_der)
        self.der = der

    def is_due_for_renewal(self, now: datetime) -> bool:
        """Tell whether a locator that runs for months should make another one."""
        return self._content.is_due_for_renewal(now)

    def load_into(self, context: ssl.SSLContext) -> None:
        """Let a context show this certificate from now on, with the authority's behind it."""
        # Python loads keys from paths only; what lies there for a moment is sealed with a passphrase nobody keeps.
        passphrase = secrets.token_hex(16)
        chain = to_pem(self.der) + to_pem(self._authority_der)
        descriptor, name = tempfile.mkstemp(prefix="hail-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(self._key.pem(passphrase.encode()) + chain.encode())
            context.load_cert_chain(name, password=passphrase)
        finally:
            Path(name).unlink()


def tls_context() -> ssl.SSLContext:
    """Return a context for TLS 1.3 and our protocol only; no tickets, for connections are long-lived."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0
    context.set_alpn_protocols([ALPN])
    return context


def _create(path: Path, now: datetime) -> None:
    """Write a new authority's file in one step: whoever looks finds the whole file or none."""
    key = SigningKey(secrets.token_bytes(32))
    content = key.pem(None) + to_pem(create_authority_certificate(key, now.astimezone(UTC))).encode()
    descriptor, name = tempfile.mkstemp(prefix=".authority-", dir=path.parent)  # mkstemp makes it 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
