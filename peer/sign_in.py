"""How a person gets in: finds the locator, opens or makes the account's files, logs in or goes on offline."""

import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import TypeVar

from peer.accounts import AccountFolder, Profile
from peer.addresses import LocatorAddress, parse_locator_address
from peer.errors import Refusal, RefusalCode
from peer.event_stream import EventStream
from peer.identity_vault import IdentityVault
from peer.links.listening import LinkPort
from peer.locator_client import log_in_with_password, register_account
from peer.locator_connection import LocatorConnection, connect_to_locator
from peer.session import AccountFacts, Session
from peer.storage.database import Database
from peer.surroundings import Surroundings
from peer.views import AccountView
from protocol.identity import Realm, UserId
from protocol.limits import SHORTEST_CHOSEN_PASSWORD
from protocol.locator_messages import LoggedIn

log = logging.getLogger(__name__)
Result = TypeVar("Result")


class SignIn:
    """One attempt. What it opened it closes again if it fails."""

    def __init__(
        self, surroundings: Surroundings, profile: Profile, events: EventStream, locator: str, user: str, password: str
    ) -> None:
        """Raise Refusal `bad_address` or `bad_user_id` at once for what cannot be right."""
        self._surroundings = surroundings
        self._profile = profile
        self._events = events
        self._address = parse_locator_address(locator)
        self._user = parse_user_id(user)
        self._password = password

    async def run(self, *, new_name: str | None, listen_port: int, voice_port: int) -> Session:
        """Sign in, or (with `new_name`) register first; return the running session."""
        if new_name is not None and len(self._password) < SHORTEST_CHOSEN_PASSWORD:
            raise Refusal(
                RefusalCode.WEAK_PASSWORD, f"Choose a password of at least {SHORTEST_CHOSEN_PASSWORD} characters."
            )
        async with contextlib.AsyncExitStack() as opened:
            connection, realm = await self._find_locator(may_be_offline=new_name is None)
            if connection is not None:
                opened.callback(connection.close)
            folder = self._profile.account(realm, self._user)
            folder.lock()
            opened.callback(folder.discard_if_empty)
            opened.callback(folder.unlock)
            database = Database(folder.database, *(self._surroundings.worker(name) for name in ("storage", "reading")))
            opened.push_async_callback(database.close)
            vault, facts = await self._open(folder, database, realm, connection)
            port = LinkPort(self._surroundings.wire)
            opened.push_async_callback(port.close)
            await port.open(listen_port or facts.listen_port, must_have=bool(listen_port))
            facts.listen_port = port.port
            facts.voice_port = voice_port or facts.voice_port or _free_voice_port()
            logged_in = None
            if connection is not None:
                logged_in = await self._log_in(connection, vault, facts, new_name)
                vault.settle()
            if not folder.exists:
                # The vault comes last: where it is, the account is whole.
                await vault.open_database(database)
                await database.write(facts.write, own=True)
                await self._with_password_worker(lambda worker: vault.seal_with(self._password, worker))
            address = LocatorAddress(self._address.host, self._address.port, realm)
            session = Session(
                self._surroundings, folder, vault, database, address, realm, self._user, facts, port, self._events
            )
            opened.pop_all()
        try:
            await session.start(connection, logged_in)
        except BaseException:
            await session.close()
            raise
        account = AccountView(self._user, facts.name or str(self._user), address.link(realm))
        self._profile.remember(address.place, realm, account)
        return session

    async def _find_locator(self, *, may_be_offline: bool) -> tuple[LocatorConnection | None, Realm]:
        expected = self._address.realm or self._profile.pinned_realm(self._address.place)
        try:
            connection = await connect_to_locator(
                self._surroundings.wire, self._address, expected, self._surroundings.now()
            )
        except Refusal as refusal:
            is_down = refusal.code is RefusalCode.LOCATOR_UNREACHABLE
            if is_down and may_be_offline and expected and self._profile.account(expected, self._user).exists:
                log.info("the locator is out of reach; signing in offline")
                return None, expected
            raise
        return connection, connection.realm

    async def _open(
        self, folder: AccountFolder, database: Database, realm: Realm, connection: LocatorConnection | None
    ) -> tuple[IdentityVault, AccountFacts]:
        if not folder.exists:
            assert connection is not None, "offline only where the account exists"
            folder.clear_leftovers()
            facts = AccountFacts(connection.welcome.authority, b"", "", 0, 0, 0)
            return IdentityVault.fresh(folder.vault, realm, self._user), facts
        try:
            vault = await self._with_password_worker(
                lambda worker: IdentityVault.unlock(folder.vault, self._password, realm, self._user, worker)
            )
        except Refusal as refusal:
            if refusal.code is RefusalCode.VAULT_LOCKED:
                raise Refusal(RefusalCode.WRONG_PASSWORD, "Wrong ID or password.") from refusal
            raise
        await vault.open_database(database)
        return vault, await database.read(AccountFacts.read)

    async def _with_password_worker(self, work: Callable[[Executor], Awaitable[Result]]) -> Result:
        worker = self._surroundings.worker("password")
        try:
            return await work(worker)
        finally:
            worker.shutdown(wait=False)

    async def _log_in(
        self, connection: LocatorConnection, vault: IdentityVault, facts: AccountFacts, new_name: str | None
    ) -> LoggedIn:
        endpoint = facts.endpoint(self._surroundings)
        if new_name is not None:
            name = new_name.strip() or str(self._user)
            logged_in = await register_account(connection, self._user, self._password, name, vault, endpoint)
        else:
            logged_in = await log_in_with_password(connection, self._user, self._password, vault, endpoint)
        facts.certificate = logged_in.certificate or facts.certificate
        facts.name = logged_in.name
        facts.session = logged_in.session
        return logged_in


def parse_user_id(typed: str) -> UserId:
    """Read an ID that a person typed; raise Refusal `bad_user_id`."""
    try:
        return UserId.parse(typed)
    except ValueError as error:
        raise Refusal(
            RefusalCode.BAD_USER_ID,
            "An ID has 1 to 32 characters: a-z, 0-9, dot, dash and underscore, and begins with a letter or digit.",
        ) from error


def _free_voice_port() -> int:
    """Return a UDP port that nobody uses now, to be kept for calls."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("", 0))
        port: int = probe.getsockname()[1]
        return port
