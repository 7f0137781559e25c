"""Who stays signed in comes back without a password, wherever the key lies, and whatever became of it."""

import asyncio
import stat
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keyring
import pytest

from locator.accounts import hash_password
from locator.stores.interface import SetPassword
from peer import limits
from peer.accounts.secret_keeper import SecretKeeper
from peer.errors import Refusal, RefusalCode
from peer.node import PeerNode
from peer.surroundings import AbandonableThreads
from peer.views import SecretPlace
from protocol.identity import UserId
from tests.harness.keyrings import BrokenKeyring, HangingKeyring, MemoryKeyring
from tests.harness.world import LOCATOR_HOST, PASSWORD, Person, World

NEW_PASSWORD = "battery staple"


@pytest.fixture
def own_keyring() -> Iterator[None]:
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


@pytest.fixture
def memory_keyring(own_keyring: None) -> MemoryKeyring:
    backend = MemoryKeyring()
    keyring.set_keyring(backend)
    return backend


@pytest.fixture
def _no_keyring(own_keyring: None) -> None:
    from keyring.backends import fail

    keyring.set_keyring(fail.Keyring())


def files_of(world: World, profile: str = "ana") -> set[str]:
    (folder,) = (world.folder / profile / "accounts").iterdir()
    return {file.name for file in folder.iterdir()}


def file_of(world: World, name: str, profile: str = "ana") -> Path:
    (folder,) = (world.folder / profile / "accounts").iterdir()
    return folder / name


async def staying(world: World) -> Person:
    """Ana registers, stays signed in, and her program ends."""
    await world.start_locator()
    ana = world.person("ana")
    await ana.node.register(world.link, "ana", PASSWORD, "Ana", stay_signed_in=True)
    await ana.node.close()
    return ana


async def test_with_a_keyring_the_key_is_there_and_not_in_the_profile(
    world: World, memory_keyring: MemoryKeyring
) -> None:
    ana = await staying(world)
    assert await ana.node.secret_place() is SecretPlace.KEYRING
    ((service, _),) = memory_keyring.kept
    assert service == "hail"
    assert "stay.key" not in files_of(world)
    assert PASSWORD not in str(memory_keyring.kept)
    again = world.person("again", profile="ana", host="ana")
    view = await again.node.sign_in_again()
    assert view is not None
    assert (view.user, view.name, view.connected, view.superseded) == ("ana", "Ana", True, False)


@pytest.mark.usefixtures("_no_keyring")
async def test_without_a_keyring_the_key_is_a_file_for_its_owner_only(world: World) -> None:
    ana = await staying(world)
    assert await ana.node.secret_place() is SecretPlace.FILE
    key = file_of(world, "stay.key")
    if sys.platform != "win32":
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    again = world.person("again", profile="ana", host="ana")
    assert await again.node.sign_in_again() is not None


@pytest.mark.usefixtures("_no_keyring")
async def test_who_did_not_ask_to_stay_does_not(world: World) -> None:
    await world.start_locator()
    await (await world.registered("ana")).node.close()
    assert await world.person("again", profile="ana").node.sign_in_again() is None
    assert await world.person("nobody").node.sign_in_again() is None


async def test_signing_out_forgets_the_key(world: World, memory_keyring: MemoryKeyring) -> None:
    ana = await staying(world)
    assert await ana.node.sign_in_again() is not None
    await ana.node.log_out()
    assert not memory_keyring.kept
    assert not {"stay", "stay.key"} & files_of(world)
    assert await ana.node.sign_in_again() is None


async def test_signing_in_without_the_tick_forgets_it_too_unless_told_to_leave_it(
    world: World, memory_keyring: MemoryKeyring
) -> None:
    ana = await staying(world)
    await ana.node.log_in(world.link, "ana", PASSWORD, stay_signed_in=None)
    await ana.node.close()
    assert memory_keyring.kept
    await ana.node.log_in(world.link, "ana", PASSWORD)
    await ana.node.close()
    assert not memory_keyring.kept
    assert await ana.node.sign_in_again() is None


@pytest.mark.parametrize("lost", ["gone", "other", "garbage"])
async def test_a_key_that_is_gone_or_wrong_is_forgotten_and_the_password_still_opens(
    world: World, memory_keyring: MemoryKeyring, lost: str
) -> None:
    ana = await staying(world)
    (place,) = memory_keyring.kept
    if lost == "gone":
        memory_keyring.kept.clear()
    else:
        memory_keyring.kept[place] = {"other": "ab" * 32, "garbage": "no hex"}[lost]
    assert await ana.node.sign_in_again() is None
    assert not {"stay", "stay.key"} & files_of(world)
    assert (await ana.node.log_in(world.link, "ana", PASSWORD)).connected


@pytest.mark.usefixtures("_no_keyring")
@pytest.mark.parametrize("name", ["stay", "stay.key"])
@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00", b"ab" * 32, b"\x83" * 1000, "cut", "changed"], ids=str)
async def test_a_damaged_file_is_forgotten_and_the_password_still_opens(
    world: World, name: str, content: bytes | str | None
) -> None:
    ana = await staying(world)
    file = file_of(world, name)
    whole = file.read_bytes()
    if content is None:
        file.unlink()
    else:
        file.write_bytes({"cut": whole[:-1], "changed": whole[:-1] + bytes([whole[-1] ^ 1])}.get(content, content))
    assert await ana.node.sign_in_again() is None
    assert not {"stay", "stay.key"} & files_of(world)
    assert (await ana.node.log_in(world.link, "ana", PASSWORD)).connected


async def test_a_broken_keyring_costs_a_warning_and_the_key_goes_to_a_file(world: World, own_keyring: None) -> None:
    keyring.set_keyring(BrokenKeyring())
    ana = await staying(world)
    (warning,) = ana.told("warning")
    assert "keyring" in warning.message
    assert "stay.key" in files_of(world)
    assert await ana.node.sign_in_again() is not None


async def test_a_keyring_that_is_locked_later_is_asked_again_another_time(
    world: World, memory_keyring: MemoryKeyring
) -> None:
    ana = await staying(world)
    keyring.set_keyring(BrokenKeyring())
    assert await ana.node.sign_in_again() is None
    keyring.set_keyring(memory_keyring)
    assert await ana.node.sign_in_again() is not None


def test_a_hanging_keyring_delays_by_its_deadline_once_and_blocks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_keyring: None
) -> None:
    backend = HangingKeyring()
    keyring.set_keyring(backend)
    monkeypatch.setattr(limits, "KEYRING_SECONDS", 0.2)
    from peer.accounts.accounts import Profile
    from peer.accounts.identity_vault import IdentityVault
    from protocol.identity import Realm

    realm, ana = Realm(b"r" * 32), UserId("ana")
    folder = Profile(tmp_path).account(realm, ana)
    folder.path.mkdir(parents=True)
    vault = IdentityVault.fresh(folder.vault, realm, ana)

    async def use() -> None:
        keeper = SecretKeeper(AbandonableThreads)
        assert await keeper.keep(folder, vault) is SecretPlace.FILE
        start = time.monotonic()
        assert await keeper.place() is SecretPlace.FILE, "while it hangs it is not asked again"
        assert time.monotonic() - start < 0.1
        opened = await keeper.open(folder, realm, ana)
        assert opened is not None
        assert opened.device == vault.device
        await keeper.forget(folder)
        assert list(folder.path.iterdir()) == []

    start = time.monotonic()
    asyncio.run(use())
    assert time.monotonic() - start < 5
    backend.let_go.set()


@pytest.mark.usefixtures("_no_keyring")
async def test_changing_the_password_leaves_the_kept_key_good(world: World) -> None:
    ana = await staying(world)
    await ana.node.log_in(world.link, "ana", PASSWORD, stay_signed_in=True)
    await ana.node.change_password(PASSWORD, NEW_PASSWORD)
    await ana.node.close()
    view = await ana.node.sign_in_again()
    assert view is not None
    assert view.connected


@pytest.mark.usefixtures("_no_keyring")
async def test_without_the_locator_it_opens_offline_and_connects_later(world: World) -> None:
    ana = await staying(world)
    world.stop_locator()
    view = await ana.node.sign_in_again()
    assert view is not None
    assert not view.connected


@pytest.mark.usefixtures("_no_keyring")
async def test_when_another_device_is_active_it_stays_quiet(world: World) -> None:
    ana = await staying(world)
    laptop = await world.returns("ana", profile="laptop", host="laptop")
    view = await ana.node.sign_in_again()
    assert view is not None
    assert (view.superseded, view.connected) == (True, False)
    assert (await laptop.node.session()).connected  # type: ignore[union-attr]
    assert (await ana.node.resume()).superseded is False
    await world.until(lambda: bool(laptop.told("superseded")))


@pytest.mark.usefixtures("_no_keyring")
async def test_after_the_password_was_reset_the_device_must_sign_in(world: World) -> None:
    ana = await staying(world)
    await reset_password(world)
    view = await ana.node.sign_in_again()
    assert view is not None
    assert (view.must_sign_in, view.connected) == (True, False)


# --- a password that was changed elsewhere ---------------------------------------------------


async def reset_password(world: World, password: str = NEW_PASSWORD, *, must_change: bool = False) -> None:
    """The operator sets another password."""
    await world.server._store.make(
        SetPassword(UserId("ana"), hash_password(password), must_change_password=must_change)
    )


async def refusal_of(node: PeerNode, world: World, password: str, **wishes: object) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        await node.log_in(world.link, "ana", password, **wishes)  # type: ignore[arg-type]
    return refusal.value


async def history(world: World) -> tuple[Person, Person, object]:
    ana, bo, conversation = await world.linked_peers()
    await ana.node.send_text(conversation, "before")
    await world.shows(bo, conversation, ["before"])
    await ana.node.log_out()
    return ana, bo, conversation


async def test_a_password_given_out_by_the_operator_is_changed_first_and_then_friends_link(world: World) -> None:
    ana, bo, conversation = await history(world)
    await reset_password(world, must_change=True)
    view = await ana.node.log_in(world.link, "ana", NEW_PASSWORD, old_password=PASSWORD)
    assert (view.connected, view.must_change_password) == (True, True)
    with pytest.raises(Refusal) as refusal:
        await ana.node.where(["bo"])
    assert refusal.value.code is RefusalCode.MUST_CHANGE_PASSWORD
    await ana.node.send_text(conversation, "written meanwhile")
    await asyncio.sleep(60)
    assert await bo.texts(conversation) == ["before"]
    await ana.node.change_password(NEW_PASSWORD, "my very own")
    assert not ana.told("connected")[-1].session.must_change_password
    await world.shows(bo, conversation, ["before", "written meanwhile"])
    await bo.node.send_text(conversation, "welcome")
    await world.shows(ana, conversation, ["before", "written meanwhile", "welcome"])


async def test_after_a_lost_connection_the_change_is_still_wanted(world: World) -> None:
    await world.start_locator()
    ana = await world.registered("ana")
    await ana.node.log_out()
    await reset_password(world, must_change=True)
    await ana.node.log_in(world.link, "ana", NEW_PASSWORD, old_password=PASSWORD)
    world.network.hang_up(LOCATOR_HOST)
    await world.until(lambda: len(ana.told("connected")) > 1 and ana.told("connected")[-1].session.connected)
    assert ana.told("connected")[-1].session.must_change_password


async def test_the_new_password_alone_does_not_open_the_profile_and_the_sentence_says_why(world: World) -> None:
    ana, _, _ = await history(world)
    await reset_password(world)
    refusal = await refusal_of(ana.node, world, NEW_PASSWORD)
    assert refusal.code is RefusalCode.VAULT_LOCKED
    assert "former" in refusal.message
    assert (await refusal_of(ana.node, world, "neither")).code is RefusalCode.WRONG_PASSWORD
    for _ in range(3):
        await refusal_of(ana.node, world, NEW_PASSWORD)
    account = world.server._store.find(UserId("ana"))
    assert account is not None
    assert len(account.devices) == 1, "asking again and again names this very device, no other"


async def test_the_old_password_opens_it_and_from_then_on_the_new_one_does(world: World) -> None:
    ana, _, conversation = await history(world)
    await reset_password(world)
    wrong = await refusal_of(ana.node, world, NEW_PASSWORD, old_password="not that")
    assert wrong.code is RefusalCode.VAULT_LOCKED
    view = await ana.node.log_in(world.link, "ana", NEW_PASSWORD, old_password=PASSWORD)
    assert view.connected
    assert await ana.texts(conversation) == ["before"]  # type: ignore[arg-type]
    await ana.node.log_out()
    assert (await ana.node.log_in(world.link, "ana", NEW_PASSWORD)).device == view.device
    await ana.node.log_out()
    assert (await refusal_of(ana.node, world, PASSWORD)).code is RefusalCode.WRONG_PASSWORD


async def test_with_the_old_password_but_a_wrong_new_one_nothing_changes(world: World) -> None:
    ana, _, _ = await history(world)
    await reset_password(world)
    refusal = await refusal_of(ana.node, world, "guessed", old_password=PASSWORD)
    assert refusal.code is RefusalCode.WRONG_PASSWORD
    assert "vault.new" not in files_of(world)
    assert (await ana.node.log_in(world.link, "ana", NEW_PASSWORD, old_password=PASSWORD)).connected


async def test_the_old_password_typed_alone_is_told_from_a_mistyped_one(world: World) -> None:
    ana, _, _ = await history(world)
    await reset_password(world)
    old, mistyped = [await refusal_of(ana.node, world, password) for password in (PASSWORD, "mistyped")]
    assert old.code is mistyped.code is RefusalCode.WRONG_PASSWORD
    assert "locator takes another" in old.message
    assert old.message != mistyped.message


async def test_out_of_the_locators_reach_a_wrong_password_says_what_is_not_known(world: World) -> None:
    ana, _, _ = await history(world)
    world.stop_locator()
    refusal = await refusal_of(ana.node, world, NEW_PASSWORD)
    assert (refusal.code, "out of reach" in refusal.message) == (RefusalCode.WRONG_PASSWORD, True)
    assert (await refusal_of(ana.node, world, NEW_PASSWORD, set_old_aside=True)).code is RefusalCode.LOCATOR_UNREACHABLE


async def test_set_aside_it_is_a_new_device_whose_history_comes_back_from_a_friend(
    world: World, expected_log: list[str]
) -> None:
    expected_log.append("never seen|not taken|refused")
    ana, bo, _ = await history(world)
    before = {folder.name for folder in (world.folder / "ana" / "accounts").iterdir()}
    await reset_password(world)
    assert (await refusal_of(ana.node, world, "wrong one", set_old_aside=True)).code is RefusalCode.WRONG_PASSWORD
    assert {folder.name for folder in (world.folder / "ana" / "accounts").iterdir()} == before
    ana.events.clear()
    assert (await ana.node.log_in(world.link, "ana", NEW_PASSWORD, set_old_aside=True)).connected
    (name,) = before
    assert {folder.name for folder in (world.folder / "ana" / "accounts").iterdir()} == {name, f"{name}.old-1"}
    await world.until(lambda: any(event.contact.new_device for event in bo.told("contact_changed")))
    await bo.node.confirm_device("ana")
    await world.until(lambda: bool(ana.told("contact_asked")))
    await ana.node.accept("bo")
    conversation = (await ana.node.open_conversation("bo")).conversation
    await world.shows(ana, conversation, ["before"])


async def test_a_profile_that_opens_is_never_set_aside(world: World) -> None:
    ana, _, conversation = await history(world)
    await ana.node.log_in(world.link, "ana", PASSWORD, set_old_aside=True, old_password="whatever")
    assert await ana.texts(conversation) == ["before"]  # type: ignore[arg-type]
    assert len(list((world.folder / "ana" / "accounts").iterdir())) == 1


def test_two_questions_at_once_are_both_answered() -> None:
    """The tick box asks where the key would go while the sign-in keeps it: a slow keyring is none that fails."""

    def slowly(answer: int) -> int:
        time.sleep(0.2)
        return answer

    async def ask_both() -> list[int]:
        keeper = SecretKeeper(lambda _: ThreadPoolExecutor(1))
        return await asyncio.gather(*(keeper._ask(lambda n=n: slowly(n)) for n in range(3)))

    assert asyncio.run(ask_both()) == [0, 1, 2]
