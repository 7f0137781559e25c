"""A realm to test with, the same in every run: its keys come from seeds, its certificates are the kept ones."""

from datetime import UTC, datetime

from protocol.certificates import create_authority_certificate, realm_of
from protocol.identity import UserId
from protocol.signatures import SigningKey
from tests.protocol.vector_files import ANN_KEY, AUTHORITY, BOB_KEY, CERTIFICATES, read_vector

__all__ = ["ANN_KEY", "AUTHORITY", "BOB_KEY"]

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ANN, BOB = UserId("ann"), UserId("bob")
AUTHORITY_DER, LOCATOR_DER, ANN_DER = (
    read_vector(CERTIFICATES / f"{name}.hex") for name in ("authority", "locator", "ann")
)
REALM = realm_of(AUTHORITY_DER)
OTHER_AUTHORITY = SigningKey(b"other authority".ljust(32, b"."))
OTHER_AUTHORITY_DER = create_authority_certificate(OTHER_AUTHORITY, NOW)
OTHER_REALM = realm_of(OTHER_AUTHORITY_DER)
