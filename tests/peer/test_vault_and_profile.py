"""The vault opens with its password alone; the profile folder keeps accounts apart."""

import shutil
import ssl
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.accounts.accounts import Profile
from peer.accounts.identity_vault import IdentityVault
from peer.addresses import parse_locator_address
from peer.command_line.json_rpc import METHODS, NOUNS
from peer.command_line.rpc import LineSplitter
from peer.errors import Refusal, RefusalCode
from peer.events import EVENT_TYPES
from peer.views import AccountView
from protocol.certificates import Role, create_authority_certificate, issue_certificate
from protocol.identity import Realm, UserId
from protocol.signatures import SigningKey
from tests.harness.virtual_time import InlineExecutor

REALM, ANA = Realm(b"r" * 32), UserId("ana")


async def _sealed(path: Path, password: str = "correct horse") -> IdentityVault:
    vault = IdentityVault.fresh(path, REALM, ANA)
    await vault.seal_with(password, InlineExecutor())
    return vault


async def _refused(path: Path, password: str, realm: Realm = REALM, user: UserId = ANA) -> RefusalCode:
    with pytest.raises(Refusal) as refusal:
        await IdentityVault.unlock(path, password, realm, user, InlineExecutor())
    return refusal.value.code


async def test_the_vault_opens_with_its_password_only(tmp_path: Path) -> None:
    vault = await _sealed(tmp_path / "vault")
    again = await IdentityVault.unlock(tmp_path / "vault", "correct horse", REALM, ANA, InlineExecutor())
    assert again.device == vault.device
    assert await _refused(tmp_path / "vault", "wrong horse") is RefusalCode.VAULT_LOCKED
    assert await _refused(tmp_path / "vault", "correct horse", user=UserId("bo")) is RefusalCode.VAULT_LOCKED
    assert await _refused(tmp_path / "vault", "correct horse", realm=Realm(b"s" * 32)) is RefusalCode.VAULT_LOCKED


async def test_a_new_password_takes_the_place_of_the_old(tmp_path: Path) -> None:
    vault = await _sealed(tmp_path / "vault")
    await vault.seal_with("battery staple", InlineExecutor())
    assert await _refused(tmp_path / "vault", "correct horse") is RefusalCode.VAULT_LOCKED
    again = await IdentityVault.unlock(tmp_path / "vault", "battery staple", REALM, ANA, InlineExecutor())
    assert again.device == vault.device
    assert [file.name for file in tmp_path.iterdir()] == ["vault"], "no half-written file is left"


@pytest.mark.parametrize("answer", ["agreed", "refused", "lost", "died"])
async def test_at_every_moment_of_a_change_one_password_opens_the_vault(tmp_path: Path, answer: str) -> None:
    vault = await _sealed(tmp_path / "vault")

    async def agree() -> None:
        match answer:
            case "refused":
                raise Refusal(RefusalCode.WRONG_PASSWORD, "no")
            case "lost":
                raise Refusal(RefusalCode.LOCATOR_UNREACHABLE, "perhaps")
            case "died":
                raise KeyboardInterrupt

    try:
        await vault.change_password("battery staple", agree, InlineExecutor())
    except (Refusal, KeyboardInterrupt):
        assert answer != "agreed"
    opens = []
    for password in ("correct horse", "battery staple"):
        try:
            await IdentityVault.unlock(tmp_path / "vault", password, REALM, ANA, InlineExecutor())
            opens.append(password)
        except Refusal as refusal:
            assert refusal.code is RefusalCode.VAULT_LOCKED
    both = ["correct horse", "battery staple"]
    assert opens == {"agreed": both[1:], "refused": both[:1], "lost": both, "died": both}[answer]
    # Whichever the locator then takes is the only one that opens.
    for password in opens:
        shutil.copytree(tmp_path, tmp_path.with_name(f"{tmp_path.name}-{password}"))
        there = tmp_path.with_name(f"{tmp_path.name}-{password}") / "vault"
        (await IdentityVault.unlock(there, password, REALM, ANA, InlineExecutor())).settle()
        (other,) = set(both) - {password}
        assert await _refused(there, other) is RefusalCode.VAULT_LOCKED


async def test_the_vault_is_readable_by_its_owner_only_and_says_nothing(tmp_path: Path) -> None:
    vault = await _sealed(tmp_path / "vault")
    if sys.platform != "win32":
        assert stat.S_IMODE((tmp_path / "vault").stat().st_mode) == 0o600
    assert vault._secrets.seed not in (tmp_path / "vault").read_bytes()


async def test_a_damaged_vault_is_told_apart_from_a_wrong_password(tmp_path: Path) -> None:
    (tmp_path / "vault").write_bytes(b"not a vault at all")
    assert await _refused(tmp_path / "vault", "correct horse") is RefusalCode.DAMAGED_DATABASE


async def test_links_are_mutual_tls_1_3_and_leave_no_key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    vault = await _sealed(tmp_path / "vault")
    authority, now = SigningKey(b"a" * 32), datetime.now(UTC)
    der = create_authority_certificate(authority, now)
    certificate = issue_certificate(authority, der, vault.public_key, Role.USER, ANA, now)
    for is_server in (True, False):
        context = vault.link_context(certificate=certificate, authority=der, is_server=is_server)
        assert context.minimum_version is ssl.TLSVersion.TLSv1_3
        assert context.verify_mode is ssl.CERT_REQUIRED
    assert [file.name for file in tmp_path.iterdir()] == ["vault"]


def test_an_account_opens_once(tmp_path: Path) -> None:
    first, second = (Profile(tmp_path).account(REALM, ANA) for _ in range(2))
    first.lock()
    with pytest.raises(Refusal) as refusal:
        second.lock()
    assert refusal.value.code is RefusalCode.PROFILE_IN_USE
    first.unlock()
    second.lock()
    second.unlock()


def test_the_profile_remembers_whom_it_trusts_and_who_was_here(tmp_path: Path) -> None:
    account = AccountView(ANA, "Ana 陈", "hail://h:1#" + REALM.hex())
    Profile(tmp_path / "new").remember("h:1", REALM, account)
    again = Profile(tmp_path / "new")
    assert again.last_account() == account
    assert again.pinned_realm("h:1") == REALM
    assert again.pinned_realm("other:1") is None


def test_a_damaged_profile_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "profile.json").write_bytes(b"\xff{")
    with pytest.raises(Refusal) as refusal:
        Profile(tmp_path).last_account()
    assert refusal.value.code is RefusalCode.DAMAGED_DATABASE


def test_a_copied_account_is_recognised(tmp_path: Path) -> None:
    account = Profile(tmp_path).account(REALM, ANA)
    account.path.mkdir(parents=True)
    account.database.write_bytes(b"x")
    mark = account.home_mark()
    assert account.home_mark() == mark
    shutil.copytree(tmp_path / "accounts", tmp_path / "elsewhere" / "accounts")
    assert Profile(tmp_path / "elsewhere").account(REALM, ANA).home_mark() != mark
    kept = account.database.read_bytes()
    account.database.rename(tmp_path / "old")
    account.database.write_bytes(kept)
    assert account.home_mark() != mark


@pytest.mark.parametrize(
    ("typed", "host", "port", "has_realm"),
    [
        ("chat.example.org", "chat.example.org", 7400, False),
        ("127.0.0.1:7401", "127.0.0.1", 7401, False),
        (" Chat.Example.org:1 ", "chat.example.org", 1, False),
        ("[::1]:7400", "::1", 7400, False),
        ("hail://h:7400#" + "ab" * 32, "h", 7400, True),
        ("HAIL://h:7400/#" + "AB" * 32, "h", 7400, True),
    ],
)
def test_addresses_are_read_as_people_write_them(typed: str, host: str, port: int, has_realm: bool) -> None:
    address = parse_locator_address(typed)
    assert (address.host, address.port, address.realm is not None) == (host, port, has_realm)


@pytest.mark.parametrize(
    "typed",
    ["", ":", "h:0", "h:65536", "h:x", "h:1#", "h:1#ab", "hail://", "a b", "h:1#" + "zz" * 32, "x" * 10_000, "h/../x"],
)
def test_what_is_no_address_is_told_kindly(typed: str) -> None:
    with pytest.raises(Refusal) as refusal:
        parse_locator_address(typed)
    assert refusal.value.code is RefusalCode.BAD_ADDRESS


@given(st.text())
def test_any_text_is_an_address_or_refused(typed: str) -> None:
    try:
        address = parse_locator_address(typed)
    except Refusal as refusal:
        assert refusal.code is RefusalCode.BAD_ADDRESS
    else:
        assert 0 < address.port < 65536


@given(st.lists(st.binary(max_size=30)), st.integers(1, 40))
def test_any_cut_of_the_input_gives_the_same_lines(lines: list[bytes], cut: int) -> None:
    whole = [line.replace(b"\n", b"") for line in lines]
    stream = b"".join(line + b"\n" for line in whole)
    splitter = LineSplitter(20)
    got = [line for at in range(0, len(stream), cut) for line in splitter.add(stream[at : at + cut])]
    assert got == [line if len(line) <= 20 else None for line in whole]


def test_every_event_has_a_noun_and_every_method_its_parameters() -> None:
    assert set(NOUNS) == set(EVENT_TYPES)
    assert {"session.login", "where", "contacts.ask", "messages.send", "messages.list"} <= set(METHODS)
