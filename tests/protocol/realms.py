"""A realm to test with: an authority, and devices it certified. Keys come from fixed seeds."""

from datetime import UTC, datetime

from protocol.certificates import Role, create_authority_certificate, issue_certificate, realm_of
from protocol.identity import UserId
from protocol.signatures import SigningKey

NOW = datetime(2026, 1, 1, tzinfo=UTC)
AUTHORITY = SigningKey(b"authority".ljust(32, b"."))
AUTHORITY_DER = create_authority_certificate(AUTHORITY, NOW)
REALM = realm_of(AUTHORITY_DER)
OTHER_AUTHORITY = SigningKey(b"other authority".ljust(32, b"."))
OTHER_AUTHORITY_DER = create_authority_certificate(OTHER_AUTHORITY, NOW)
OTHER_REALM = realm_of(OTHER_AUTHORITY_DER)
ANN, BOB = UserId("ann"), UserId("bob")
ANN_KEY = SigningKey(b"ann's device".ljust(32, b"."))
BOB_KEY = SigningKey(b"bob's device".ljust(32, b"."))
ANN_DER = issue_certificate(AUTHORITY, AUTHORITY_DER, ANN_KEY.public, Role.USER, ANN, NOW)
BOB_DER = issue_certificate(AUTHORITY, AUTHORITY_DER, BOB_KEY.public, Role.USER, BOB, NOW)
LOCATOR_DER = issue_certificate(AUTHORITY, AUTHORITY_DER, BOB_KEY.public, Role.LOCATOR, None, NOW)
