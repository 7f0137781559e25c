"""The profile folder, used by two programs, damaged, or copied."""

import subprocess
import sys
from pathlib import Path

import pytest

from peer.accounts.accounts import Profile
from peer.errors import Refusal, RefusalCode
from peer.views import AccountView
from protocol.identity import Realm, UserId

REALM, ANA, BO = Realm(b"r" * 32), UserId("ana"), UserId("bo")
_LOCK_AND_WAIT = """
import sys
from pathlib import Path
from peer.accounts.accounts import AccountFolder
account = AccountFolder(Path(sys.argv[1]))
account.lock()
print("locked", flush=True)
sys.stdin.read()
"""


def test_another_program_that_has_the_account_open_keeps_us_out_until_it_dies(tmp_path: Path) -> None:
    account = Profile(tmp_path).account(REALM, ANA)
    with subprocess.Popen(
        [sys.executable, "-c", _LOCK_AND_WAIT, str(account.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        with pytest.raises(Refusal) as refusal:
            account.lock()
        assert refusal.value.code is RefusalCode.PROFILE_IN_USE
        other.kill()
        other.wait(10)
    account.lock()
    account.unlock()


def test_two_accounts_of_one_profile_open_side_by_side(tmp_path: Path) -> None:
    accounts = [Profile(tmp_path).account(realm, user) for realm in (REALM, Realm(b"s" * 32)) for user in (ANA, BO)]
    for account in accounts:
        account.lock()
    assert len({account.path for account in accounts}) == 4
    for account in accounts:
        account.unlock()


def test_a_lock_that_was_refused_does_not_end_the_first_one(tmp_path: Path) -> None:
    first, second = (Profile(tmp_path).account(REALM, ANA) for _ in range(2))
    first.lock()
    for _ in range(2):
        with pytest.raises(Refusal):
            second.lock()
        second.unlock()
    first.unlock()


def test_a_sign_in_that_was_refused_leaves_no_trace(tmp_path: Path) -> None:
    account = Profile(tmp_path).account(REALM, ANA)
    account.lock()
    account.database.write_bytes(b"begun")
    account.unlock()
    account.discard_if_empty()
    assert not account.path.exists()


def test_an_account_that_is_whole_is_never_discarded(tmp_path: Path) -> None:
    account = Profile(tmp_path).account(REALM, ANA)
    account.lock()
    account.vault.write_bytes(b"sealed")
    account.database.write_bytes(b"history")
    account.unlock()
    account.discard_if_empty()
    assert account.database.read_bytes() == b"history"


def test_each_address_keeps_the_authority_first_seen_there(tmp_path: Path) -> None:
    profile, other = Profile(tmp_path), Realm(b"s" * 32)
    profile.remember("h:1", REALM, AccountView(ANA, "Ana", "hail://h:1#" + REALM.hex()))
    profile.remember("[::1]:2", other, AccountView(BO, "Bo", "hail://[::1]:2#" + other.hex()))
    again = Profile(tmp_path)
    assert [again.pinned_realm(place) for place in ("h:1", "[::1]:2", "h:2")] == [REALM, other, None]
    last = again.last_account()
    assert last is not None
    assert (last.user, type(last.user)) == (BO, UserId)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"\xff\xfe",
        b'{"pinned": {"h:1": "abcd"}}',
        b'{"pinned": {"h:1": "not hex"}}',
        b'{"pinned": {"\xff": "ab"}}',
        b'{"pinned": []}',
        b'{"last": {"user": "NO ID", "name": "", "locator": ""}}',
        b'{"last": {}}',
        b'{"later": ' + b"[" * 100_000,
    ],
    ids=lambda content: repr(content[:40]),
)
def test_a_damaged_profile_is_one_sentence_whatever_is_asked(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "profile.json").write_bytes(content)
    codes, messages = set(), []
    for ask in (Profile(tmp_path).last_account, lambda: Profile(tmp_path).pinned_realm("h:1")):
        try:
            assert ask() is None
        except Refusal as refusal:
            codes.add(refusal.code)
            messages.append(refusal.message)
    assert codes == {RefusalCode.DAMAGED_DATABASE}
    assert all("profile.json" in message and "\n" not in message for message in messages)


def test_fields_of_a_later_version_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "profile.json").write_text(f'{{"pinned": {{"h:1": "{REALM.hex()}"}}, "theme": "dark"}}')
    assert Profile(tmp_path).pinned_realm("h:1") == REALM
