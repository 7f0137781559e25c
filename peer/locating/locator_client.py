"""Stays logged in at the locator: asks, watches, keeps the lease, and comes back by itself after a loss."""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime
from typing import Any, Protocol

from peer import limits as node_limits
from peer.accounts.identity_vault import IdentityVault
from peer.addresses import LocatorAddress
from peer.errors import Refusal, RefusalCode
from peer.links.wire import Wire
from peer.locating.locator_connection import LocatorConnection, connect_to_locator
from peer.locating.locator_places import LocatorPlaces
from protocol import limits
from protocol.identity import PublicKey, Realm, UserId
from protocol.locator_messages import (
    ChangePassword,
    Done,
    Endpoint,
    KeepAlive,
    LoggedIn,
    LogIn,
    LogInByKey,
    LogOut,
    Moved,
    PasswordChanged,
    Register,
    Superseded,
    Unwatch,
    Watch,
    Where,
    Whereabout,
    Whereabouts,
    login_challenge,
)
from protocol.signatures import Purpose

log = logging.getLogger(__name__)

FINAL = frozenset({RefusalCode.SUPERSEDED, RefusalCode.UNKNOWN_DEVICE, RefusalCode.ACCOUNT_DISABLED})
"""Refusals of an automatic reconnect that trying again cannot cure: a person must act."""


class LocatorListener(Protocol):
    """Hears what the locator tells."""

    def locator_connected(self, logged_in: LoggedIn) -> None:
        """The session is there (again)."""

    def locator_lost(self, refusal: Refusal) -> None:
        """The locator is out of reach; the client tries on, unless the code is final."""

    def superseded(self) -> None:
        """This person logged in elsewhere; the client waits for `take_over`."""

    def somebody_moved(self, about: Whereabout) -> None:
        """A watched user came, went, or changed devices."""


class LocatorClient:
    """One account's session with its locator."""

    def __init__(
        self,
        wire: Wire,
        places: LocatorPlaces,
        realm: Realm,
        user: UserId,
        vault: IdentityVault,
        endpoint: Endpoint,
        listener: LocatorListener,
        *,
        now: Callable[[], datetime],
        chance: random.Random,
        session: int,
        certificate_is_due: bool,
    ) -> None:
        """`session` is the number of the last session, to be resumed; 0 takes over."""
        self._wire = wire
        self._places = places
        self._realm = realm
        self._user = user
        self._vault = vault
        self._endpoint = endpoint
        self._listener = listener
        self._now = now
        self._chance = chance
        self._session = session
        self._renew = certificate_is_due
        self._connection: LocatorConnection | None = None
        self._last_place: str | None = None
        """Where the last session was: after a loss it is tried last."""
        self._watched: set[UserId] = set()
        self.must_change_password = False
        """Whether the locator refuses everything but a change of the password: then nobody can be watched yet."""
        self._task: asyncio.Task[None] | None = None
        self._try_now = asyncio.Event()
        self._beside: set[asyncio.Task[object]] = set()

    @property
    def is_connected(self) -> bool:
        """Whether the locator knows us now."""
        return self._connection is not None

    def start(self, connection: LocatorConnection | None, logged_in: LoggedIn | None) -> None:
        """Go on with a connection that is logged in already, or begin to try."""
        self._connection = connection
        self.must_change_password = logged_in is not None and logged_in.must_change_password
        self._task = asyncio.create_task(self._stay(connection, logged_in), name="locator client")

    async def where(self, users: Iterable[UserId]) -> tuple[Whereabout, ...]:
        """Ask where users are; raise Refusal `locator_unreachable` while it is."""
        connection = self._need_connection()
        return (await connection.ask(Where(connection.next_tag(), tuple(users)), Whereabouts)).about

    def watch(self, users: Iterable[UserId]) -> None:
        """Hear of these users from now on, now and after every reconnect."""
        fresh = set(users) - self._watched
        self._watched |= fresh
        if fresh and self._connection is not None and not self.must_change_password:
            self._ask_beside(self._watch_again(self._connection, fresh))

    def unwatch(self, user: UserId) -> None:
        """Hear no more of a user."""
        self._watched.discard(user)
        if self._connection is not None and not self.must_change_password:
            connection = self._connection
            self._ask_beside(connection.ask(Unwatch(connection.next_tag(), (user,)), Done))

    async def change_password(self, old: str, new: str) -> PasswordChanged:
        """Have the locator take a new password."""
        connection = self._need_connection()
        changed = await connection.ask(ChangePassword(connection.next_tag(), old, new), PasswordChanged)
        if self.must_change_password:
            self.must_change_password = False
            self._ask_beside(self._watch_again(connection, set(self._watched)))
        return changed

    def take_over(self) -> None:
        """A person clicked: be the active device again."""
        if self.is_connected:
            return
        self._session = 0
        if self._task is None or self._task.done():
            self.start(None, None)
        self._try_now.set()

    async def close(self) -> None:
        """Log out, so that friends know at once, and stop."""
        if self._connection is not None:
            connection = self._connection
            try:
                async with asyncio.timeout(node_limits.CLOSING_SECONDS):
                    await connection.ask(LogOut(connection.next_tag()), Done)
            except (Refusal, TimeoutError) as error:
                log.info("logged out without the locator's answer: %s", str(error) or "time-out")
            connection.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # --- inside ------------------------------------------------------------------------------

    def _need_connection(self) -> LocatorConnection:
        if self._connection is None:
            raise Refusal(RefusalCode.LOCATOR_UNREACHABLE, "The locator is out of reach. It is tried again by itself.")
        return self._connection

    async def _stay(self, connection: LocatorConnection | None, logged_in: LoggedIn | None) -> None:
        wait = node_limits.LOCATOR_FIRST_RETRY_SECONDS
        while True:
            try:
                if connection is None or logged_in is None:
                    connection, logged_in = await self._log_in_anywhere()
                wait = node_limits.LOCATOR_FIRST_RETRY_SECONDS
                await self._serve(connection, logged_in)
                refusal = Refusal(RefusalCode.LOCATOR_UNREACHABLE, "The locator is out of reach.")
            except Refusal as error:
                refusal = error
            except Exception:
                log.exception("the session with the locator failed; it is tried again")
                refusal = Refusal(RefusalCode.LOCATOR_UNREACHABLE, "The locator is out of reach.")
            finally:
                self._connection = None
                if connection is not None:
                    connection.close()
            connection = logged_in = None
            self._tell_lost(refusal)
            if refusal.code in FINAL:
                return
            await self._pause(wait, at_least=refusal.retry_after)
            wait = min(wait * 2, node_limits.LOCATOR_LAST_RETRY_SECONDS)

    def _tell_lost(self, refusal: Refusal) -> None:
        try:
            if refusal.code is RefusalCode.SUPERSEDED:
                self._listener.superseded()
            else:
                self._listener.locator_lost(refusal)
        except Exception:
            # Whoever listens stumbled; that must not end the reconnecting.
            log.exception("the loss of the locator could not be told")

    async def _serve(self, connection: LocatorConnection, logged_in: LoggedIn) -> None:
        """Keep the lease until the connection is lost; raise Refusal `superseded` when another device took over."""
        was_superseded = False

        def push(message: Moved | Superseded) -> None:
            nonlocal was_superseded
            if isinstance(message, Superseded):
                was_superseded = True
            else:
                self._listener.somebody_moved(message.about)

        connection.on_push = push
        connection.on_places = self._places.learn
        if connection.places:
            self._places.learn(connection.places)
        self._connection = connection
        self._last_place = connection.place
        self._session = logged_in.session
        self._renew = self._renew and not logged_in.certificate
        self.must_change_password = logged_in.must_change_password
        self._listener.locator_connected(logged_in)
        async with asyncio.TaskGroup() as group:
            if self._watched and not self.must_change_password:
                group.create_task(self._watch_again(connection, set(self._watched)))
            keeping = group.create_task(self._keep_lease(connection))
            await asyncio.shield(connection.lost)
            keeping.cancel()
        if was_superseded:
            raise Refusal(RefusalCode.SUPERSEDED, "You signed in on another device.")

    async def _keep_lease(self, connection: LocatorConnection) -> None:
        while True:
            await asyncio.sleep(limits.KEEP_ALIVE_SECONDS)
            try:
                await connection.ask(KeepAlive(connection.next_tag()), Done, self._patience())
            except Refusal as error:
                log.info("the lease was not renewed: %s", error)
                connection.close()
                return

    def _patience(self) -> float:
        return limits.REQUEST_SECONDS if len(self._places.all()) == 1 else node_limits.LOCATOR_SILENT_SECONDS

    async def _watch_again(self, connection: LocatorConnection, users: set[UserId]) -> None:
        ordered = sorted(users)
        try:
            for start in range(0, len(ordered), limits.USERS_PER_QUESTION):
                some = tuple(ordered[start : start + limits.USERS_PER_QUESTION])
                answer = await connection.ask(Watch(connection.next_tag(), some), Whereabouts)
                for about in answer.about:
                    self._listener.somebody_moved(about)
        except Refusal as error:
            log.info("friends are not watched: %s", error)

    async def _log_in_anywhere(self) -> tuple[LocatorConnection, LoggedIn]:
        """Log in at the first locator that lets us in; raise Refusal if none does, at once if it is final."""
        refusals: list[Refusal] = []
        addresses = self._places.after(self._last_place)
        for address in addresses:
            try:
                return await self._log_in_by_key(address, is_last=address is addresses[-1])
            except Refusal as refusal:
                if refusal.code in FINAL:
                    raise
                refusals.append(refusal)
        raise max(refusals, key=lambda refusal: refusal.retry_after)

    async def _log_in_by_key(self, address: LocatorAddress, *, is_last: bool) -> tuple[LocatorConnection, LoggedIn]:
        connection = await connect_to_locator(self._wire, address, self._realm, self._now(), is_last=is_last)
        challenge = login_challenge(connection.welcome.nonce, connection.certificate, self._user)
        request = LogInByKey(
            tag=connection.next_tag(),
            user=self._user,
            device_key=self._vault.public_key,
            signature=self._vault.signing_key.sign(Purpose.LOGIN, self._realm, challenge),
            resume=self._session,
            renew_certificate=self._renew,
            endpoint=self._endpoint,
        )
        try:
            return connection, await connection.ask(request, LoggedIn)
        except BaseException:
            connection.close()
            raise

    async def _pause(self, seconds: float, at_least: float) -> None:
        """Wait with jitter, so that a class does not come back in one moment; never less than the locator asked for."""
        self._try_now.clear()
        try:
            async with asyncio.timeout(at_least + seconds * self._chance.uniform(0.5, 1.0)):
                await self._try_now.wait()
        except TimeoutError:
            return

    def _ask_beside(self, work: Coroutine[Any, Any, object]) -> None:
        """Run a question whose answer nobody waits for; it ends with its connection."""

        def done(task: asyncio.Task[object]) -> None:
            self._beside.discard(task)
            if not task.cancelled() and (error := task.exception()) is not None:
                log.info("the locator did not take a question: %s", error)

        task = asyncio.create_task(work)
        self._beside.add(task)
        task.add_done_callback(done)


async def log_in_with_password(
    connection: LocatorConnection, user: UserId, password: str, device_key: PublicKey, endpoint: Endpoint
) -> LoggedIn:
    """Log in as a person: the device becomes valid, the session is a new one."""
    request = LogIn(connection.next_tag(), user, password, device_key, endpoint)
    return await connection.ask(request, LoggedIn)


async def register_account(
    connection: LocatorConnection, user: UserId, password: str, name: str, vault: IdentityVault, endpoint: Endpoint
) -> LoggedIn:
    """Make an account; the same ID and password again is a login."""
    request = Register(connection.next_tag(), user, password, name, vault.public_key, endpoint)
    return await connection.ask(request, LoggedIn)
