"""How a person gets in: finds the locator, opens or makes the account's files, logs in or goes on offline."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple, TypeVar

from peer.account_facts import AccountFacts
from peer.accounts.accounts import AccountFolder, Profile
from peer.accounts.identity_vault import IdentityVault
from peer.accounts.secret_keeper import SecretKeeper
from peer.addresses import parse_locator_address
from peer.calls.voice_port import VoicePort
from peer.errors import Refusal, RefusalCode
from peer.event_stream import EventStream
from peer.events import Warned
from peer.links.listening import LinkPort
from peer.locating.locator_client import log_in_with_password, register_account
from peer.locating.locator_connection import LocatorConnection, connect_to_any
from peer.locating.locator_places import LocatorPlaces
from peer.session import Session
from peer.storage.database import Database
from peer.surroundings import Surroundings
from peer.views import AccountView, SecretPlace
from protocol.identity import Realm, UserId
from protocol.limits import SHORTEST_CHOSEN_PASSWORD
from protocol.locator_messages import Done, Endpoint, LoggedIn, LogOut

log = logging.getLogger(__name__)
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What may be said beside locator, ID and password."""

    new_name: str | None = None
    """Register first, under this display name."""
    listen_port: int = 0
    """0: as the last time. One that is taken is refused."""
    voice_port: int = 0
    """0: as the last time, the first time the one after `listen_port`. When it is taken, the next free one is used."""
    old_password: str | None = None
    """What still opens this profile, when the password was changed elsewhere."""
    set_old_aside: bool = False
    """Begin anew when this profile does not open: it is moved aside, and this becomes a new device."""
    stay_signed_in: bool | None = False
    """None: as it was."""


class SignIn:
    """One attempt. What it opened it closes again if it fails."""

    def __init__(
        self,
        surroundings: Surroundings,
        profile: Profile,
        keeper: SecretKeeper,
        events: EventStream,
        locator: str,
        user: str,
        password: str = "",
    ) -> None:
        """Raise Refusal `bad_address` or `bad_user_id` at once for what cannot be right."""
        self._surroundings = surroundings
        self._profile = profile
        self._keeper = keeper
        self._events = events
        self._address = parse_locator_address(locator)
        place = self._address.place
        self._places = LocatorPlaces(
            self._address, profile.other_places(place), lambda told: profile.remember_others(place, told)
        )
        self._user = parse_user_id(user)
        self._password = password

    async def run(self, wishes: Wishes) -> Session:
        """Sign in, or (with `new_name`) register first; return the running session."""
        if wishes.new_name is not None and len(self._password) < SHORTEST_CHOSEN_PASSWORD:
            raise Refusal(
                RefusalCode.WEAK_PASSWORD, f"Choose a password of at least {SHORTEST_CHOSEN_PASSWORD} characters."
            )
        needs_locator = wishes.new_name is not None or wishes.old_password is not None or wishes.set_old_aside
        async with contextlib.AsyncExitStack() as opened:
            connection, realm = await self._find_locator(may_be_offline=not needs_locator)
            if connection is not None:
                opened.callback(connection.close)
            folder = self._lock_account(realm, opened)
            database = self._database_of(folder, opened)
            how = await self._open(folder, database, realm, connection, wishes)
            ports = await self._open_ports(how.facts, wishes, opened)
            logged_in = None
            if connection is not None:
                logged_in = await self._log_in(connection, how, wishes)
            if how.opened_by is OpenedBy.NOTHING:
                if folder.exists:
                    await self._keeper.forget(folder)
                    log.info("the old profile is now %s", folder.set_aside())
                # The vault comes last: where it is, the account is whole.
                await how.vault.open_database(database)
                await database.write(how.facts.write, own=True)
                await _to_its_end(
                    self._with_password_worker(lambda worker: how.vault.seal_with(self._password, worker))
                )
            session = self._session(folder, how, database, realm, ports)
            opened.pop_all()
        async with _closed_on_failure(session):
            await self._start(session, connection, logged_in)
            await self._stay(folder, how.vault, wishes.stay_signed_in)
        return session

    async def run_without_password(self) -> Session | None:
        """Sign in with what is kept for that; None if nothing is, or if it does not open the profile."""
        realm = self._address.realm or self._profile.pinned_realm(self._address.place)
        if realm is None or not self._profile.account(realm, self._user).exists:
            return None
        async with contextlib.AsyncExitStack() as opened:
            folder = self._lock_account(realm, opened)
            vault = await self._keeper.open(folder, realm, self._user)
            if vault is None:
                return None
            database = self._database_of(folder, opened)
            await vault.open_database(database)
            how = _Opened(vault, await database.read(AccountFacts.read), OpenedBy.KEPT_KEY)
            ports = await self._open_ports(how.facts, Wishes(), opened)
            session = self._session(folder, how, database, realm, ports)
            opened.pop_all()
        async with _closed_on_failure(session):
            await self._start(session, None, None)
            await session.hear_of_locator()
        return session

    def _lock_account(self, realm: Realm, opened: contextlib.AsyncExitStack) -> AccountFolder:
        folder = self._profile.account(realm, self._user)
        folder.lock()
        opened.callback(folder.discard_if_empty)
        opened.callback(folder.unlock)
        return folder

    def _database_of(self, folder: AccountFolder, opened: contextlib.AsyncExitStack) -> Database:
        database = Database(folder.database, *(self._surroundings.worker(name) for name in ("storage", "reading")))
        opened.push_async_callback(database.close)
        return database

    async def _open_ports(
        self, facts: AccountFacts, wishes: Wishes, opened: contextlib.AsyncExitStack
    ) -> tuple[LinkPort, VoicePort]:
        port = LinkPort(self._surroundings.wire)
        opened.push_async_callback(port.close)
        await port.open(wishes.listen_port or facts.listen_port, must_have=bool(wishes.listen_port))
        facts.listen_port = port.port
        voice_port = VoicePort(self._surroundings.wire)
        opened.callback(voice_port.close)
        voice_port.open(wishes.voice_port or facts.voice_port or port.port + 1)
        facts.voice_port = voice_port.number
        return port, voice_port

    def _session(
        self,
        folder: AccountFolder,
        how: "_Opened",
        database: Database,
        realm: Realm,
        ports: tuple[LinkPort, VoicePort],
    ) -> Session:
        return Session(
            self._surroundings,
            folder,
            how.vault,
            database,
            self._places,
            realm,
            self._user,
            how.facts,
            *ports,
            self._events,
        )

    async def _start(self, session: Session, connection: LocatorConnection | None, logged_in: LoggedIn | None) -> None:
        await session.start(connection, logged_in)
        view = session.view()
        account = AccountView(self._user, view.name, view.locator)
        self._profile.remember(self._address.place, session.realm, account)

    async def _stay(self, folder: AccountFolder, vault: IdentityVault, wanted: bool | None) -> None:
        """Keep what opens this profile the next time, or nothing; the person is in already, whatever happens."""
        try:
            if wanted is False:
                await self._keeper.forget(folder)
            elif wanted:
                await self._keep(folder, vault)
        except OSError as error:
            log.warning("who signed in cannot stay signed in: %s", error)
            self._events.tell(
                Warned(RefusalCode.REFUSED, "Hail could not keep you signed in here. Next time, type the password.")
            )

    async def _keep(self, folder: AccountFolder, vault: IdentityVault) -> None:
        announced = await self._keeper.place()
        kept = await self._keeper.keep(folder, vault)
        if announced is SecretPlace.KEYRING and kept is SecretPlace.FILE:
            self._events.tell(
                Warned(
                    RefusalCode.REFUSED,
                    "The system's keyring did not take the key that keeps you signed in; it lies in a file of your "
                    "profile instead. Sign out to remove it.",
                )
            )

    async def _find_locator(self, *, may_be_offline: bool) -> tuple[LocatorConnection | None, Realm]:
        expected = self._address.realm or self._profile.pinned_realm(self._address.place)
        try:
            connection = await connect_to_any(
                self._surroundings.wire, self._places.all(), expected, self._surroundings.now()
            )
        except Refusal as refusal:
            is_down = refusal.code is RefusalCode.LOCATOR_UNREACHABLE
            if is_down and may_be_offline and expected and self._profile.account(expected, self._user).exists:
                log.info("the locator is out of reach; signing in offline")
                return None, expected
            raise
        return connection, connection.realm

    async def _open(
        self,
        folder: AccountFolder,
        database: Database,
        realm: Realm,
        connection: LocatorConnection | None,
        wishes: Wishes,
    ) -> "_Opened":
        if not folder.exists:
            assert connection is not None, "offline only where the account exists"
            folder.clear_leftovers()
            return self._new_device(folder, realm, connection)
        try:
            vault, opened_by = await self._unlock(folder, realm, self._password), OpenedBy.PASSWORD
        except Refusal as refusal:
            if refusal.code is not RefusalCode.VAULT_LOCKED:
                raise
            if connection is None:
                raise Refusal(
                    RefusalCode.WRONG_PASSWORD,
                    "This password does not open the profile here, and the locator is out of reach to ask about it.",
                ) from refusal
            if wishes.old_password is not None:
                vault, opened_by = await self._unlock_with_old(folder, realm, wishes), OpenedBy.OLD_PASSWORD
            elif wishes.set_old_aside:
                return self._new_device(folder, realm, connection)
            else:
                raise await self._why_locked(folder, realm, connection) from refusal
        await vault.open_database(database)
        return _Opened(vault, await database.read(AccountFacts.read), opened_by)

    def _new_device(self, folder: AccountFolder, realm: Realm, connection: LocatorConnection) -> "_Opened":
        facts = AccountFacts(connection.welcome.authority, b"", "", 0, 0, 0)
        return _Opened(IdentityVault.fresh(folder.vault, realm, self._user), facts, OpenedBy.NOTHING)

    async def _unlock(self, folder: AccountFolder, realm: Realm, password: str) -> IdentityVault:
        return await self._with_password_worker(
            lambda worker: IdentityVault.unlock(folder.vault, password, realm, self._user, worker)
        )

    async def _unlock_with_old(self, folder: AccountFolder, realm: Realm, wishes: Wishes) -> IdentityVault:
        try:
            return await self._unlock(folder, realm, wishes.old_password or "")
        except Refusal as refusal:
            if refusal.code is not RefusalCode.VAULT_LOCKED:
                raise
            raise Refusal(
                RefusalCode.VAULT_LOCKED,
                "The former password does not open this profile either. Try another one, or set the profile aside.",
            ) from refusal

    async def _why_locked(self, folder: AccountFolder, realm: Realm, connection: LocatorConnection) -> Refusal:
        """Ask the locator whether the password is wrong, or only newer than this profile."""
        known = IdentityVault.public_key_in(folder.vault)
        key = known or IdentityVault.fresh(folder.vault, realm, self._user).public_key
        try:
            await log_in_with_password(connection, self._user, self._password, key, Endpoint(0, 0))
            await connection.ask(LogOut(connection.next_tag()), Done)
        except Refusal as refusal:
            return refusal
        return Refusal(
            RefusalCode.VAULT_LOCKED,
            "This password is right, but your profile here is still locked with the former one. Give that one too, "
            "or set the profile aside and begin as a new device.",
        )

    async def _with_password_worker(self, work: Callable[[Executor], Awaitable[Result]]) -> Result:
        worker = self._surroundings.worker("password")
        try:
            return await work(worker)
        finally:
            worker.shutdown(wait=False)

    async def _log_in(self, connection: LocatorConnection, how: "_Opened", wishes: Wishes) -> LoggedIn:
        """Log in at the locator; a vault that the former password opened is locked with the new one on the way."""
        if how.opened_by is not OpenedBy.OLD_PASSWORD:
            logged_in = await self._ask_to_log_in(connection, how, wishes)
            how.vault.settle()
        else:
            answers: list[LoggedIn] = []

            async def agree() -> None:
                answers.append(await self._ask_to_log_in(connection, how, wishes))

            await self._with_password_worker(lambda worker: how.vault.change_password(self._password, agree, worker))
            (logged_in,) = answers
        how.facts.certificate = logged_in.certificate or how.facts.certificate
        how.facts.name = logged_in.name
        how.facts.session = logged_in.session
        return logged_in

    async def _ask_to_log_in(self, connection: LocatorConnection, how: "_Opened", wishes: Wishes) -> LoggedIn:
        endpoint = how.facts.endpoint(self._surroundings)
        if wishes.new_name is not None:
            name = wishes.new_name.strip() or str(self._user)
            return await register_account(connection, self._user, self._password, name, how.vault, endpoint)
        try:
            return await log_in_with_password(connection, self._user, self._password, how.vault.public_key, endpoint)
        except Refusal as refusal:
            sentence = _REFUSED_THOUGH.get(how.opened_by)
            if refusal.code is not RefusalCode.WRONG_PASSWORD or sentence is None:
                raise
            raise Refusal(RefusalCode.WRONG_PASSWORD, sentence) from refusal


class OpenedBy(Enum):
    """What opened the vault of an account."""

    PASSWORD = auto()
    OLD_PASSWORD = auto()
    KEPT_KEY = auto()
    NOTHING = auto()
    """It is a new one."""


_REFUSED_THOUGH = {
    OpenedBy.PASSWORD: "This password opens your profile here, but the locator takes another one now. Sign in with the "
    "new one, and give this one as the former.",
    OpenedBy.OLD_PASSWORD: "The former password opens your profile here, but the locator does not take the new one.",
}
"""What `wrong_password` means where more is known: only who could open the profile is told so."""


class _Opened(NamedTuple):
    """An account's secrets and facts, and how they were got at."""

    vault: IdentityVault
    facts: AccountFacts
    opened_by: OpenedBy


@contextlib.asynccontextmanager
async def _closed_on_failure(session: Session) -> AsyncIterator[None]:
    try:
        yield
    except BaseException:
        await session.close()
        raise


def parse_user_id(typed: str) -> UserId:
    """Read an ID that a person typed; raise Refusal `bad_user_id`."""
    try:
        return UserId.parse(typed)
    except ValueError as error:
        raise Refusal(
            RefusalCode.BAD_USER_ID,
            "An ID has 1 to 32 characters: a-z, 0-9, dot, dash and underscore, and begins with a letter or digit.",
        ) from error


async def _to_its_end(work: Awaitable[None]) -> None:
    """Wait for work that a thread does whether or not we are cancelled: what follows must not run beside it."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise
