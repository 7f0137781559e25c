"""The certificates of a realm: an authority that signs, and a role that says what a key may speak for."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from protocol import limits
from protocol.errors import RemoteProtocolError
from protocol.identity import DeviceId, PublicKey, Realm, UserId
from protocol.signatures import SigningKey

_LOCATOR_URI = "hail:locator"
_USER_URI = "hail:user/"
_ENDING = bytes.fromhex("300506032b6570 034100")
"""DER of what follows the signed part: the algorithm Ed25519 (RFC 8410), then a bit string of 64 whole bytes."""
_CLOCK_LENIENCE = timedelta(hours=1)
_SKIP_DATE_CHECKS = 0x200000
VERIFY_FLAGS_WITHOUT_DATES = _SKIP_DATE_CHECKS
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL: `Certificate.is_in_date` judges dates, with a clock that is handed in."""


class Role(StrEnum):
    """What the holder of a certified key speaks for."""

    LOCATOR = "locator"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says, once the authority's signature on it was checked."""

    role: Role
    user: UserId | None
    key: PublicKey
    not_before: datetime
    not_after: datetime
    der: bytes

    @property
    def device(self) -> DeviceId:
        """The device whose key is certified."""
        return DeviceId.of_key(self.key)

    def is_in_date(self, now: datetime) -> bool:
        """Tell whether `now` (aware) lies in the certificate's dates, an hour of clock error forgiven."""
        return self.not_before - _CLOCK_LENIENCE <= now <= self.not_after + _CLOCK_LENIENCE

    def is_due_for_renewal(self, now: datetime) -> bool:
        """Tell whether a login should ask for a fresh one."""
        return now - self.not_before > timedelta(days=limits.CERTIFICATE_RENEWAL_DAYS) or not self.is_in_date(now)


def create_authority_certificate(key: SigningKey, now: datetime) -> bytes:
    """Return the DER of the self-signed certificate of a new authority, good for 30 years."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Hail locator authority")])
    builder = _builder(name, name, key.public, now, timedelta(days=30 * 365))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=True), critical=True)
    return builder.sign(key.crypto_key, None).public_bytes(Encoding.DER)


def issue_certificate(
    authority: SigningKey, authority_der: bytes, subject: PublicKey, role: Role, user: UserId | None, now: datetime
) -> bytes:
    """Return the DER of a certificate that says: this key speaks for this role (and user) in the realm."""
    if (role is Role.USER) != (user is not None):
        raise ValueError("a user's certificate names the user, a locator's names nobody")
    uri = _LOCATOR_URI if user is None else _USER_URI + user
    issuer = x509.load_der_x509_certificate(authority_der).subject
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, user or "Hail locator")])
    lifetime = timedelta(days=limits.CERTIFICATE_DAYS)
    builder = _builder(name, issuer, subject, now, lifetime)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=False), critical=True)
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    return builder.sign(authority.crypto_key, None).public_bytes(Encoding.DER)


def realm_of(authority_der: bytes) -> Realm:
    """Return the fingerprint of an authority: SHA-256 of its public key (SPKI). It does not trust it yet."""
    key = _key_of(_load(authority_der))
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Realm(hashlib.sha256(spki).digest())


def read_certificate(der: bytes, authority_der: bytes) -> Certificate:
    """Return what a certificate says, after checking the authority's signature; dates are judged elsewhere.

    Raises RemoteProtocolError for anything that this authority did not sign, or a role we do not know.
    """
    certificate = _load(der)
    authority_key = _key_of(_load(authority_der))
    key = _key_of(certificate)
    # What stands beside the signed part may have one form only, or one certificate could come in many.
    if not der.endswith(_ENDING + certificate.signature):
        raise RemoteProtocolError("a certificate with a signature that is not Ed25519")
    try:
        authority_key.verify(certificate.signature, certificate.tbs_certificate_bytes)
    except InvalidSignature:
        raise RemoteProtocolError("a certificate that this realm's authority did not sign") from None
    role, user = _role_of(certificate)
    return Certificate(
        role=role,
        user=user,
        key=PublicKey(key.public_bytes(Encoding.Raw, PublicFormat.Raw)),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        der=der,
    )


def public_key_of_authority(authority_der: bytes) -> PublicKey:
    """Return the raw key of an authority, to check what it signed besides certificates (device lists)."""
    key = _key_of(_load(authority_der))
    return PublicKey(key.public_bytes(Encoding.Raw, PublicFormat.Raw))


def to_pem(der: bytes) -> str:
    """Return a certificate in the form that `ssl.SSLContext` reads."""
    return _load(der).public_bytes(Encoding.PEM).decode("ascii")


def _load(der: bytes) -> x509.Certificate:
    if len(der) > limits.CERTIFICATE_BYTES:
        raise RemoteProtocolError(f"a certificate of {len(der)} bytes; at most {limits.CERTIFICATE_BYTES} are taken")
    try:
        return x509.load_der_x509_certificate(der)
    except (ValueError, x509.InvalidVersion) as error:
        raise RemoteProtocolError("malformed certificate") from error


def _key_of(certificate: x509.Certificate) -> Ed25519PublicKey:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise RemoteProtocolError("a certificate with an unreadable key") from error
    if not isinstance(key, Ed25519PublicKey):
        raise RemoteProtocolError("a certificate with a key that is not Ed25519")
    return key


def _role_of(certificate: x509.Certificate) -> tuple[Role, UserId | None]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
        (uri,) = uris
        if uri == _LOCATOR_URI:
            return Role.LOCATOR, None
        if uri.startswith(_USER_URI):
            return Role.USER, UserId(uri.removeprefix(_USER_URI))
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError) as error:
        raise RemoteProtocolError("a certificate without a readable role") from error
    raise RemoteProtocolError("a certificate with an unknown role")


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PublicKey, now: datetime, lifetime: timedelta
) -> x509.CertificateBuilder:
    start = now.astimezone(UTC) - timedelta(minutes=5)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(Ed25519PublicKey.from_public_bytes(key))
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + lifetime)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
