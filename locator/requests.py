"""What the locator answers: one table of handlers, without clock, socket or disk.

`answer(request, caller, now)` returns orders (`orders.py`) for the driver to carry out.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar, cast

from locator.authority import Authority
from locator.course_desk import CourseDesk
from locator.directory import Directory, Standing
from locator.figures import Gauges
from locator.logins import Logins, must_change_password, not_signed_in, refuse
from locator.orders import Caller, Now, Orders, Send, Session
from locator.stores.interface import Account, Arrived, CoursePresence, Lease, Left, News, Store
from protocol.errors import RefusalCode, RemoteProtocolError
from protocol.framing import Frame, encode_frame
from protocol.identity import UserId
from protocol.limits import LOCATORS_AS_ONE, USERS_PER_QUESTION
from protocol.locator_messages import (
    LOCATOR,
    ChangePassword,
    Done,
    KeepAlive,
    LogIn,
    LogInByKey,
    LogOut,
    Register,
    Unwatch,
    Watch,
    Welcome,
    Where,
    Whereabout,
    Whereabouts,
)
from protocol.registry import Message

M = TypeVar("M", bound=Message)
Handler = Callable[[Message, Caller, Now], Orders]
ForUsers = LogOut | Where | Watch | Unwatch | KeepAlive | ChangePassword
_WHERE, _WHEREABOUTS = LOCATOR.number_of(Where), LOCATOR.number_of(Whereabouts)
_AFTER_TAG = {bytes((0x92, tag)): 2 for tag in range(0x80)} | {b"\x92\xcc": 3, b"\x92\xcd": 4, b"\x92\xce": 6}
"""Where, in the body of `Where`, the users begin, by its first two bytes: an array of two, and how a tag is written."""


class Requests:
    """The deciding part of the locator: every request, loss and passing of time goes through here."""

    def __init__(self, store: Store, authority: Authority, *, registration_open: bool) -> None:
        self._store = store
        self._authority = authority
        self._directory = Directory(self._standing)
        self._known = self._directory.views_by_question
        self._logins = Logins(store, self._directory, authority, registration_open=registration_open)
        self.course = CourseDesk(store, self._directory)
        """What the course port answers."""
        self._for_anybody: dict[type[Message], Handler] = dict(
            [
                _takes(Register, self._logins.register),
                _takes(LogIn, self._logins.log_in),
                _takes(LogInByKey, self._logins.log_in_by_key),
            ]
        )
        self._for_users: dict[type[Message], Handler] = dict(
            [
                _takes(Where, self._where),
                _takes(Watch, self._watch),
                _takes(Unwatch, self._unwatch),
                _takes(KeepAlive, self._keep_alive),
                _takes(LogOut, self._log_out),
                _takes(ChangePassword, self._logins.change_password),
            ]
        )

    def gauges(self) -> Gauges:
        """Return how to read what is so now."""
        return self._directory.gauges()

    def open_registration(self, *, is_open: bool) -> None:
        """Let people make accounts themselves from now on, or no more."""
        self._logins.registration_open = is_open

    def welcome(self, caller: Caller) -> Orders:
        """Greet a new connection."""
        return [Send(caller, Welcome(self._authority.der, caller.nonce, self._logins.registration_open))]

    def answer(self, request: Message, caller: Caller, now: Now) -> Orders:
        """Answer one request; raise RemoteProtocolError for a message that is none."""
        caller.heard_at = now.monotonic
        handler = self._for_users.get(type(request))
        if handler is not None:
            if caller.session is None:
                return not_signed_in(caller, cast("ForUsers", request).tag)
            if caller.must_change_password and not isinstance(request, ChangePassword | KeepAlive | LogOut):
                return must_change_password(caller, cast("ForUsers", request).tag)
            return handler(request, caller, now)
        handler = self._for_anybody.get(type(request))
        if handler is None:
            raise RemoteProtocolError(f"{type(request).__name__} is no request")
        return handler(request, caller, now)

    def look_up(self, question: Frame, caller: Caller, moment: float) -> bytes | None:
        """Return the whole answer to what is asked most, a `Where` of one user; None: decode it, and `answer`.

        The question is recognised by its bytes, and nothing is decoded or encoded. Up to the user, `[tag, [`, question
        and answer are written alike; how the users are written, and their whereabouts, the directory keeps at hand.
        `moment` is monotonic.
        """
        body = question.body
        end = _AFTER_TAG.get(body[:2])
        if question.kind != _WHERE or end is None or caller.session is None or caller.must_change_password:
            return None
        views = self._known.get(body[end:])
        if views is None:
            return None
        caller.heard_at = moment
        about = views.near_encoded if caller.is_near else views.far_encoded
        return encode_frame(_WHEREABOUTS, body[: end + 1] + about)

    def connection_lost(self, caller: Caller, now: Now) -> Orders:
        """A connection is gone, whoever ended it."""
        self._directory.unwatch(caller, caller.watched)
        self._directory.lose(caller, now)
        caller.session = None
        return []

    def sweep(self, now: Now) -> Orders:
        """Let time pass: leases and graces run out."""
        return self._directory.sweep(now)

    def news_came(self, news: News, now: Now) -> Orders:
        """An operator, or another locator, changed what is shared: end what is over here, and tell the watchers."""
        orders = self._accounts_changed(news.accounts, now)
        if news.locators is not None:
            self._logins.locators = news.locators[:LOCATORS_AS_ONE]
            for caller in self._directory.callers():
                orders += self._logins.tell_locators(caller)
        for movement in news.movements:
            match movement:
                case Arrived(lease):
                    orders += self._arrived_elsewhere(lease)
                case Left(user, may_return):
                    orders += self._directory.leave_elsewhere(user, now, may_return=may_return)
                case CoursePresence():
                    orders += self._directory.move_on_course(movement, now)
        return orders

    def _accounts_changed(self, users: Iterable[UserId], now: Now) -> Orders:
        orders: Orders = []
        for user in users:
            account = self._store.find(user)
            orders += self._logins.end_session_if_shut_out(user, account, now)
            if account is None or account.is_disabled:
                orders += self._directory.leave_course(user, now)
            else:
                orders += self._begun_elsewhere(account, now)
            orders += self._directory.tell(user)
        return orders

    def _begun_elsewhere(self, account: Account, now: Now) -> Orders:
        """End a session here if a newer one began at another locator."""
        caller, device = self._directory.caller_of(account.user), account.session_device
        if caller is None or caller.session is None or device is None or caller.session.number == account.session:
            return []
        self._directory.lose(caller, now)  # the user is about to arrive there: nobody is told of a gap
        return self._logins.end_older_session(caller, Session(account.user, device, account.session))

    def _arrived_elsewhere(self, lease: Lease) -> Orders:
        caller, orders = self._directory.caller_of(lease.user), []
        if caller is not None and caller.session is not None:
            if caller.session.number > lease.session:
                return []  # the other locator is about to hear of the newer session here
            orders = self._logins.end_older_session(caller, Session(lease.user, lease.device, lease.session))
        return [*orders, *self._directory.arrive_elsewhere(lease)]

    # --- the handlers of those who are logged in -----------------------------------------------

    def _where(self, request: Where, caller: Caller, now: Now) -> Orders:  # noqa: ARG002 - one form of handler
        encoded, is_near = self._directory.encoded_about, caller.is_near
        answers = tuple([encoded(user, is_near=is_near) for user in request.users])
        # What is encoded already goes into the answer as it is.
        return [Send(caller, Whereabouts(request.tag, cast("tuple[Whereabout, ...]", answers)))]

    def _watch(self, request: Watch, caller: Caller, now: Now) -> Orders:
        if len(caller.watched.union(request.users)) > USERS_PER_QUESTION:
            sentence = f"A session watches at most {USERS_PER_QUESTION} users. Stop watching some first."
            return refuse(caller, request.tag, RefusalCode.TOO_MANY, sentence)
        self._directory.watch(caller, request.users)
        return self._where(Where(request.tag, request.users), caller, now)

    def _unwatch(self, request: Unwatch, caller: Caller, now: Now) -> Orders:  # noqa: ARG002
        self._directory.unwatch(caller, request.users)
        return [Send(caller, Done(request.tag))]

    def _keep_alive(self, request: KeepAlive, caller: Caller, now: Now) -> Orders:  # noqa: ARG002
        return [Send(caller, Done(request.tag))]

    def _log_out(self, request: LogOut, caller: Caller, now: Now) -> Orders:
        assert caller.session is not None
        self._directory.unwatch(caller, caller.watched)
        orders = self._directory.leave(caller.session.user, now)
        caller.session = None
        return [Send(caller, Done(request.tag)), *orders]

    def _standing(self, user: UserId) -> Standing:
        account = self._store.find(user)
        if account is None:
            return Standing(known=False, device_list=None)
        # A list that was emptied is told, too: it shuts out the devices that were on it.
        device_list = self._logins.signed_devices(account) if account.list_number else None
        return Standing(known=True, device_list=device_list)


def _takes(kind: type[M], handler: Callable[[M, Caller, Now], Orders]) -> tuple[type[Message], Handler]:
    """Pair a message with the handler that takes it: the one place where the table's types meet."""
    return kind, cast("Handler", handler)
