"""Only what this realm's authority signed counts, for the role and the user it names."""

import ssl
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from protocol import limits
from protocol.certificates import (
    VERIFY_FLAGS_WITHOUT_DATES,
    Role,
    issue_certificate,
    public_key_of_authority,
    read_certificate,
    realm_of,
    to_pem,
)
from protocol.errors import RemoteProtocolError
from protocol.identity import DeviceId, UserId
from tests.protocol.realms import (
    ANN,
    ANN_DER,
    ANN_KEY,
    AUTHORITY,
    AUTHORITY_DER,
    LOCATOR_DER,
    NOW,
    OTHER_AUTHORITY,
    OTHER_AUTHORITY_DER,
    OTHER_REALM,
    REALM,
)

# Some changed bytes only make the library warn (a serial number below one, say).
pytestmark = pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")


def with_names(names: list[x509.GeneralName] | None, key: ec.EllipticCurvePrivateKey | None = None) -> bytes:
    """Return what the authority signed with unusual names, or for an unusual key."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "odd")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(7)
    builder = builder.not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    builder = builder.public_key(key.public_key() if key else ANN_KEY.crypto_key.public_key())
    if names is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(AUTHORITY.crypto_key, None).public_bytes(Encoding.DER)


def test_a_users_certificate_says_whose_device_it_is() -> None:
    certificate = read_certificate(ANN_DER, AUTHORITY_DER)
    assert (certificate.role, certificate.user, certificate.key) == (Role.USER, ANN, ANN_KEY.public)
    assert certificate.device == DeviceId.of_key(ANN_KEY.public)
    assert certificate.der == ANN_DER


def test_a_locators_certificate_names_no_user() -> None:
    certificate = read_certificate(LOCATOR_DER, AUTHORITY_DER)
    assert (certificate.role, certificate.user) == (Role.LOCATOR, None)


def test_a_certificate_of_another_authority_is_refused() -> None:
    forged = issue_certificate(OTHER_AUTHORITY, AUTHORITY_DER, ANN_KEY.public, Role.USER, ANN, NOW)
    for der, authority in ((forged, AUTHORITY_DER), (ANN_DER, OTHER_AUTHORITY_DER)):
        with pytest.raises(RemoteProtocolError, match="did not sign"):
            read_certificate(der, authority)


def test_a_user_cannot_sign_certificates() -> None:
    forged = issue_certificate(ANN_KEY, AUTHORITY_DER, ANN_KEY.public, Role.LOCATOR, None, NOW)
    with pytest.raises(RemoteProtocolError, match="did not sign"):
        read_certificate(forged, AUTHORITY_DER)


def test_the_authoritys_own_certificate_has_no_role() -> None:
    with pytest.raises(RemoteProtocolError, match="role"):
        read_certificate(AUTHORITY_DER, AUTHORITY_DER)


@pytest.mark.parametrize(
    "names",
    [
        None,
        [x509.DNSName("hail")],
        [x509.UniformResourceIdentifier("hail:admin")],
        [x509.UniformResourceIdentifier("hail:user/")],
        [x509.UniformResourceIdentifier("hail:user/Ann")],
        [x509.UniformResourceIdentifier("hail:user/ann/bob")],
        [x509.UniformResourceIdentifier("hail:locator"), x509.UniformResourceIdentifier("hail:user/ann")],
    ],
)
def test_a_role_that_is_missing_unknown_or_double_is_refused(names: list[x509.GeneralName] | None) -> None:
    with pytest.raises(RemoteProtocolError, match="role"):
        read_certificate(with_names(names), AUTHORITY_DER)


def test_a_key_of_another_kind_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="not Ed25519"):
        read_certificate(with_names(None, ec.generate_private_key(ec.SECP256R1())), AUTHORITY_DER)


def test_an_authority_with_a_key_of_another_kind_is_none() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "odd")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    der = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    for read in (realm_of, public_key_of_authority, lambda odd: read_certificate(ANN_DER, odd)):
        with pytest.raises(RemoteProtocolError, match="not Ed25519"):
            read(der)


@pytest.mark.parametrize(("role", "user"), [(Role.USER, None), (Role.LOCATOR, ANN)])
def test_a_certificate_that_names_the_wrong_one_is_not_made(role: Role, user: UserId | None) -> None:
    with pytest.raises(ValueError, match="names"):
        issue_certificate(AUTHORITY, AUTHORITY_DER, ANN_KEY.public, role, user, NOW)


def test_dates_are_judged_by_the_clock_that_is_handed_in() -> None:
    certificate = read_certificate(ANN_DER, AUTHORITY_DER)
    year = timedelta(days=limits.CERTIFICATE_DAYS)
    assert certificate.is_in_date(NOW)
    assert certificate.is_in_date(NOW + year)
    assert not certificate.is_in_date(NOW + year + timedelta(hours=2))
    assert not certificate.is_in_date(NOW - timedelta(hours=2))


def test_an_hour_of_clock_error_is_forgiven() -> None:
    certificate = read_certificate(ANN_DER, AUTHORITY_DER)
    assert certificate.is_in_date(certificate.not_before - timedelta(minutes=59))
    assert not certificate.is_in_date(certificate.not_before - timedelta(minutes=61))
    assert certificate.is_in_date(certificate.not_after + timedelta(minutes=59))
    assert not certificate.is_in_date(certificate.not_after + timedelta(minutes=61))


def test_a_certificate_is_renewed_after_a_month_or_when_out_of_date() -> None:
    certificate = read_certificate(ANN_DER, AUTHORITY_DER)
    assert not certificate.is_due_for_renewal(NOW + timedelta(days=29))
    assert certificate.is_due_for_renewal(NOW + timedelta(days=31))
    assert certificate.is_due_for_renewal(NOW - timedelta(days=1))


def test_a_realm_is_named_by_its_authoritys_key() -> None:
    assert REALM != OTHER_REALM
    assert public_key_of_authority(AUTHORITY_DER) == AUTHORITY.public


def test_a_certificate_has_the_form_that_ssl_reads() -> None:
    assert ssl.PEM_cert_to_DER_cert(to_pem(ANN_DER)) == ANN_DER


def test_openssl_knows_the_flag_that_leaves_dates_to_us() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= VERIFY_FLAGS_WITHOUT_DATES
    assert context.verify_flags & VERIFY_FLAGS_WITHOUT_DATES


def test_a_certificate_of_many_bytes_is_not_even_parsed() -> None:
    with pytest.raises(RemoteProtocolError, match="at most"):
        read_certificate(bytes(limits.CERTIFICATE_BYTES + 1), AUTHORITY_DER)


def test_our_certificates_stay_far_below_the_limit() -> None:
    longest = issue_certificate(AUTHORITY, AUTHORITY_DER, ANN_KEY.public, Role.USER, UserId("x" * 32), NOW)
    assert len(longest) < limits.CERTIFICATE_BYTES / 4


READERS = [lambda der: read_certificate(der, AUTHORITY_DER), lambda der: read_certificate(ANN_DER, der), realm_of]


@given(st.binary(max_size=400), st.sampled_from(READERS))
def test_garbage_is_refused(garbage: bytes, read: object) -> None:
    with pytest.raises(RemoteProtocolError):
        read(garbage)  # type: ignore[operator]


def test_unused_bits_beside_the_signature_do_not_make_a_second_form() -> None:
    genuine = ANN_DER
    while genuine[-1] & 1:  # a signature whose last bit may count as unused
        genuine = issue_certificate(AUTHORITY, AUTHORITY_DER, ANN_KEY.public, Role.USER, ANN, NOW)
    with_unused_bit = genuine[:-65] + b"\x01" + genuine[-64:]
    assert read_certificate(genuine, AUTHORITY_DER).user == ANN
    with pytest.raises(RemoteProtocolError):
        read_certificate(with_unused_bit, AUTHORITY_DER)


@pytest.mark.parametrize("value", [0x00, 0x01, 0x02, 0x30, 0x6E, 0xFF])
def test_no_changed_byte_makes_another_certificate_or_another_error(value: int) -> None:
    genuine = read_certificate(ANN_DER, AUTHORITY_DER)
    for place in range(len(ANN_DER)):
        changed = bytearray(ANN_DER)
        changed[place] = value
        try:
            read = read_certificate(bytes(changed), AUTHORITY_DER)
        except RemoteProtocolError:
            continue
        assert bytes(changed) == ANN_DER
        assert read == genuine


@pytest.mark.parametrize("value", [0x00, 0x02, 0x30, 0x6E, 0xFF])
def test_an_authority_with_a_changed_byte_is_another_one_or_a_protocol_error(value: int) -> None:
    for place in range(len(AUTHORITY_DER)):
        changed = bytearray(AUTHORITY_DER)
        changed[place] = value
        for read in (realm_of, public_key_of_authority):
            try:
                read(bytes(changed))
            except RemoteProtocolError:
                continue
