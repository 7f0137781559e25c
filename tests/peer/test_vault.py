"""A vault's file, damaged in every way: opened, or refused in words; and never a half-written one."""

import os
import ssl
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from peer import limits
from peer.accounts import identity_vault
from peer.accounts.identity_vault import IdentityVault
from peer.errors import Refusal, RefusalCode
from protocol.certificates import Role, create_authority_certificate, issue_certificate
from protocol.identity import Realm, UserId
from protocol.signatures import SigningKey
from tests.harness.virtual_time import InlineExecutor

REALM, ANA = Realm(b"r" * 32), UserId("ana")
AUTHORITY, NOW = SigningKey(b"a" * 32), datetime(2026, 11, 3, tzinfo=UTC)
AUTHORITY_DER = create_authority_certificate(AUTHORITY, NOW)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "VAULT_MEMORY_KIB", 8)
    monkeypatch.setattr(limits, "VAULT_ROUNDS", 1)


async def _seal(path: Path, password: str = "correct horse") -> IdentityVault:
    vault = IdentityVault.fresh(path, REALM, ANA)
    await vault.seal_with(password, InlineExecutor())
    return vault


async def _unlock(path: Path, password: str = "correct horse") -> IdentityVault:
    return await IdentityVault.unlock(path, password, REALM, ANA, InlineExecutor())


async def test_one_changed_byte_anywhere_is_never_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "vault"
    device = (await _seal(path)).device
    whole = path.read_bytes()
    codes = set()
    for place in range(len(whole)):
        for changed in (whole[place] ^ 0x01, whole[place] ^ 0x80):
            path.write_bytes(whole[:place] + bytes([changed]) + whole[place + 1 :])
            try:
                # Only the version is neither sealed nor needed: a change there may pass, but with the very same keys.
                assert (await _unlock(path)).device == device
            except Refusal as refusal:
                codes.add(refusal.code)
    assert codes == {RefusalCode.DAMAGED_DATABASE, RefusalCode.VAULT_LOCKED}


@pytest.mark.parametrize(
    "changes",
    [
        {"memory_kib": 0},
        {"memory_kib": -1},
        {"memory_kib": 2**31},
        {"memory_kib": 2**40},
        {"rounds": 0},
        {"rounds": 2**31},
        {"salt": b""},
        {"nonce": b""},
        {"nonce": b"n" * 200},
        {"sealed": "text"},
    ],
    ids=str,
)
async def test_numbers_that_no_vault_has_are_damage(tmp_path: Path, changes: dict[str, object]) -> None:
    path = tmp_path / "vault"
    await _seal(path)
    path.write_bytes(msgspec.msgpack.encode(msgspec.msgpack.decode(path.read_bytes()) | changes))
    with pytest.raises(Refusal) as refusal:
        await _unlock(path)
    assert refusal.value.code is RefusalCode.DAMAGED_DATABASE


@pytest.mark.parametrize("kept", [0, 1, 20, -1])
async def test_a_vault_cut_short_is_damage(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "vault"
    await _seal(path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(Refusal) as refusal:
        await _unlock(path)
    assert refusal.value.code is RefusalCode.DAMAGED_DATABASE


async def test_a_new_password_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = await _seal(tmp_path / "vault")

    def disk_full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(os, "fsync", disk_full)
        with pytest.raises(OSError, match="No space"):
            await vault.seal_with("battery staple", InlineExecutor())
    assert (await _unlock(tmp_path / "vault")).device == vault.device
    assert [file.name for file in tmp_path.iterdir()] == ["vault"], "no half-written file is left"


async def test_two_vaults_with_one_password_share_nothing_on_the_disk(tmp_path: Path) -> None:
    await _seal(tmp_path / "one")
    await _seal(tmp_path / "other")
    one, other = (
        msgspec.msgpack.decode((tmp_path / name).read_bytes(), type=identity_vault._SealedVault)
        for name in ("one", "other")
    )
    assert one.salt != other.salt
    assert one.nonce != other.nonce
    assert one.sealed != other.sealed


def _handshake(client: ssl.SSLContext, server: ssl.SSLContext) -> str | None:
    """Shake hands through memory; return the version agreed on."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(to_client, to_server), server.wrap_bio(to_server, to_client, server_side=True)]
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return ends[1].version()


def _contexts(vault: IdentityVault) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    certificate = issue_certificate(AUTHORITY, AUTHORITY_DER, vault.public_key, Role.USER, ANA, NOW)
    client, server = (
        vault.link_context(certificate=certificate, authority=AUTHORITY_DER, is_server=is_server)
        for is_server in (False, True)
    )
    return client, server


async def test_links_speak_tls_1_3_and_nothing_older(tmp_path: Path) -> None:
    client, server = _contexts(IdentityVault.fresh(tmp_path / "vault", REALM, ANA))
    assert _handshake(client, server) == "TLSv1.3"
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname = False
    old.verify_mode = ssl.CERT_NONE
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError, match=r"(?i)version|protocol"):
        _handshake(old, server)


async def test_a_caller_without_a_certificate_of_the_realm_is_refused(tmp_path: Path) -> None:
    _, server = _contexts(IdentityVault.fresh(tmp_path / "vault", REALM, ANA))
    nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    nobody.check_hostname = False
    nobody.verify_mode = ssl.CERT_NONE
    with pytest.raises(ssl.SSLError, match="PEER_DID_NOT_RETURN_A_CERTIFICATE"):
        _handshake(nobody, server)


async def test_an_authority_of_another_realm_vouches_for_nobody(tmp_path: Path) -> None:
    _, server = _contexts(IdentityVault.fresh(tmp_path / "vault", REALM, ANA))
    stranger = SigningKey(b"other".ljust(32, b"."))
    stranger_der = create_authority_certificate(stranger, NOW)
    eve = IdentityVault.fresh(tmp_path / "eve", REALM, UserId("eve"))
    forged = issue_certificate(stranger, stranger_der, eve.public_key, Role.USER, ANA, NOW)
    client = eve.link_context(certificate=forged, authority=AUTHORITY_DER, is_server=False)
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(client, server)
