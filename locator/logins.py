"""How a caller becomes somebody: registering, logging in with the password or by key, and one session a person."""

from datetime import UTC, datetime

from locator import limits
from locator.authority import Authority
from locator.directory import Directory
from locator.login_limits import LoginLimits, TooOften
from locator.orders import Caller, HangUp, HashPassword, MakeChange, Now, Orders, Send, Session, VerifyPassword
from locator.stores.interface import (
    Account,
    AddAccount,
    BeginSessionByKey,
    BeginSessionByPassword,
    ReplacePassword,
    Store,
    first_list_number,
)
from protocol.device_lists import DeviceList, SignedDeviceList
from protocol.errors import RefusalCode
from protocol.identity import DeviceId, UserId, clean_display_name
from protocol.limits import LEASE_SECONDS, SHORTEST_CHOSEN_PASSWORD
from protocol.locator_messages import (
    ChangePassword,
    Locators,
    LoggedIn,
    LogIn,
    LogInByKey,
    PasswordChanged,
    Refused,
    Register,
    Superseded,
    login_challenge,
)
from protocol.signatures import Purpose, is_signed_by

_TOO_SHORT = f"Choose a password of at least {SHORTEST_CHOSEN_PASSWORD} characters."


class Logins:
    """Decides who may log in, and sees to it that each person has one session."""

    def __init__(self, store: Store, directory: Directory, authority: Authority, *, registration_open: bool) -> None:
        self._store = store
        self._directory = directory
        self._authority = authority
        self.registration_open = registration_open
        self.locators: tuple[str, ...] = ()
        """HOST:PORT of every locator that shares our accounts; none: there is only this one."""
        self._limits = LoginLimits()
        self._signed: dict[UserId, tuple[DeviceList, SignedDeviceList]] = {}

    def signed_devices(self, account: Account) -> SignedDeviceList:
        """Return an account's device list under the authority's signature; each list is signed once."""
        devices = DeviceList(account.user, account.list_number, account.devices)
        kept = self._signed.get(account.user)
        if kept is None or kept[0] != devices:
            kept = self._signed[account.user] = devices, self._authority.sign(devices)
        return kept[1]

    def end_older_session(self, older: Caller | None, newer: Session) -> Orders:
        """Tell the connection on which a user was until now, if any, that it is over."""
        if older is None or older.session is None:
            return []
        was_another_device = older.session.device != newer.device
        older.session = None
        self._directory.unwatch(older, older.watched)
        if was_another_device:
            return [Send(older, Superseded(newer.number)), HangUp(older, "superseded by another device")]
        return [HangUp(older, "replaced by a newer connection of the same device")]

    def end_session_if_shut_out(self, user: UserId, account: Account | None, now: Now) -> Orders:
        """Hang up on a user whose device is not valid any more."""
        caller = self._directory.caller_of(user)
        session = None if caller is None else caller.session
        if caller is None or session is None or (account is not None and session.device in account.devices):
            return []
        orders = self._directory.leave(user, now)
        self._directory.unwatch(caller, caller.watched)
        caller.session = None
        return [*orders, HangUp(caller, "its device is not valid any more")]

    def tell_locators(self, caller: Caller) -> Orders:
        """Tell somebody which locators are one with this one, if it is not alone."""
        return [Send(caller, Locators(self.locators))] if self.locators else []

    # --- the requests ------------------------------------------------------------------------

    def register(self, request: Register, caller: Caller, now: Now) -> Orders:
        """Make an account and log in; with the password of an existing one, log in."""
        if refusal := self._cannot_begin(caller, request.tag):
            return refusal
        if not self.registration_open:
            sentence = "This locator takes no registrations. Ask whoever runs it for an account."
            return refuse(caller, request.tag, RefusalCode.REGISTRATION_CLOSED, sentence)
        if len(request.password) < SHORTEST_CHOSEN_PASSWORD:
            return refuse(caller, request.tag, RefusalCode.WEAK_PASSWORD, _TOO_SHORT)
        try:
            name = clean_display_name(request.name)
        except ValueError as error:
            return refuse(caller, request.tag, RefusalCode.BAD_NAME, f"Choose another name: {error}.")
        if too_often := self._limits.register(caller.seen_address, now.monotonic):
            return _too_often(caller, request.tag, too_often)
        if self._store.find(request.user) is not None:
            return self._register_again(request, caller, now)

        def hashed(password_hash: str, now: Now) -> Orders:
            device, number = DeviceId.of_key(request.device_key), first_list_number(now.wall)
            change = AddAccount(request.user, name, password_hash, device, list_number=number)
            return [MakeChange(caller, request.tag, change, added)]

        def added(account: Account | None, now: Now) -> Orders:
            if account is None:  # somebody was faster
                return self._register_again(request, caller, now)
            return self._sign_in(request, caller, account, renew_certificate=True, now=now)

        queue = self._limits.queue_of(request.user, caller.seen_address)
        return [HashPassword(caller, request.tag, request.password, queue, hashed)]

    def log_in(self, request: LogIn, caller: Caller, now: Now) -> Orders:
        """A person logs in with the password."""
        if refusal := self._cannot_begin(caller, request.tag):
            return refusal
        return self._by_password(request, caller, _wrong_password(caller, request.tag), now)

    def log_in_by_key(self, request: LogInByKey, caller: Caller, now: Now) -> Orders:
        """A valid device logs in: it resumes its session, or a person takes over with it."""
        if caller.session is not None:
            return _already_signed_in(caller, request.tag)
        nonce, caller.nonce = caller.nonce, b""
        if not nonce:
            sentence = "This connection's nonce was used already. Connect again."
            return refuse(caller, request.tag, RefusalCode.BAD_REQUEST, sentence)
        challenge = login_challenge(nonce, caller.certificate, request.user)
        is_genuine = is_signed_by(
            request.device_key, Purpose.LOGIN, self._authority.realm, challenge, request.signature
        )
        device, account = DeviceId.of_key(request.device_key), self._store.find(request.user)
        if not is_genuine or account is None or device not in account.devices:
            # The account or the device may be newer than what is known here; nobody is turned away for good by that.
            return (_unknown_device if self._store.is_current else out_of_touch)(caller, request.tag)
        renew = request.renew_certificate
        if request.resume == account.session and device == account.session_device:
            return self._sign_in(request, caller, account, renew_certificate=renew, now=now)
        if 0 < request.resume <= account.session:
            return _superseded(caller, request.tag)

        # Resuming a session we do not know of yet happens after a restored backup: it counts as a new one.
        def begun(account: Account | None, now: Now) -> Orders:
            if account is None:
                return _unknown_device(caller, request.tag)
            return self._sign_in(request, caller, account, renew_certificate=renew, now=now)

        return [MakeChange(caller, request.tag, BeginSessionByKey(request.user, device), begun)]

    def change_password(self, request: ChangePassword, caller: Caller, now: Now) -> Orders:
        """Set a new password; no other device stays valid."""
        session = caller.session
        account = None if session is None else self._store.find(session.user)
        if session is None or account is None:
            return not_signed_in(caller, request.tag)
        if sentence := _unsuitable(request, account):
            return refuse(caller, request.tag, RefusalCode.WEAK_PASSWORD, sentence)
        old_hash = account.password_hash

        def verified(is_right: bool, _: Now) -> Orders:
            if not is_right:
                return _wrong_password(caller, request.tag)
            queue = self._limits.queue_of(session.user, caller.seen_address)
            return [HashPassword(caller, request.tag, request.new, queue, hashed)]

        def hashed(new_hash: str, _: Now) -> Orders:
            if caller.session != session:  # taken over meanwhile
                return not_signed_in(caller, request.tag)
            change = ReplacePassword(session.user, session.device, old_hash, new_hash)
            return [MakeChange(caller, request.tag, change, replaced)]

        def replaced(account: Account | None, now: Now) -> Orders:
            if account is None:
                return _wrong_password(caller, request.tag)
            caller.must_change_password = False
            answer = Send(caller, PasswordChanged(request.tag, self.signed_devices(account)))
            # Another device may have taken over with the old password while the new one was being written.
            ended = self.end_session_if_shut_out(account.user, account, now)
            return [answer, *ended, *self._directory.show(account.user, now)]

        order = VerifyPassword(caller, request.tag, request.old, old_hash, verified)
        return self._unless_too_often(session.user, order, now)

    # --- the steps ---------------------------------------------------------------------------

    def _unless_too_often(self, user: UserId, order: VerifyPassword, now: Now) -> Orders:
        """Have a password checked, unless too many wrong ones were tried."""
        address = order.caller.seen_address
        if too_often := self._limits.try_password(user, address, now.monotonic):
            return _too_often(order.caller, order.tag, too_often)

        def verified(is_right: bool, now: Now) -> Orders:
            if is_right:
                self._limits.was_right(user, address)
            return order.then(is_right, now)

        return [order._replace(then=verified, queue=self._limits.queue_of(user, address))]

    def _cannot_begin(self, caller: Caller, tag: int) -> Orders:
        """Refuse what begins a new session where that cannot be now; nothing to refuse: no orders."""
        if caller.session is not None:
            return _already_signed_in(caller, tag)
        return [] if self._store.is_current else out_of_touch(caller, tag)

    def _register_again(self, request: Register, caller: Caller, now: Now) -> Orders:
        """The ID has an account: it may be the asker's own, if the first answer was lost."""
        sentence = "Somebody has this ID already. Choose another one, or log in if it is yours."
        return self._by_password(request, caller, refuse(caller, request.tag, RefusalCode.NAME_TAKEN, sentence), now)

    def _by_password(self, request: Register | LogIn, caller: Caller, if_wrong: Orders, now: Now) -> Orders:
        """Check the password, then begin a session. An unknown ID takes the same steps and the same time."""
        account = self._store.find(request.user)
        checked_hash = None if account is None else account.password_hash

        def verified(is_right: bool, _: Now) -> Orders:
            if not is_right or checked_hash is None:
                return if_wrong
            if account is not None and account.is_disabled:
                # Only who knows the password learns it.
                sentence = "This account is disabled. Ask whoever runs this locator."
                return refuse(caller, request.tag, RefusalCode.ACCOUNT_DISABLED, sentence)
            change = BeginSessionByPassword(request.user, DeviceId.of_key(request.device_key), checked_hash)
            return [MakeChange(caller, request.tag, change, begun)]

        def begun(account: Account | None, now: Now) -> Orders:
            if account is None:  # the password was changed between the check and now
                return if_wrong
            return self._sign_in(request, caller, account, renew_certificate=True, now=now)

        order = VerifyPassword(caller, request.tag, request.password, checked_hash, verified)
        return self._unless_too_often(request.user, order, now)

    def _sign_in(
        self,
        request: Register | LogIn | LogInByKey,
        caller: Caller,
        account: Account,
        *,
        renew_certificate: bool,
        now: Now,
    ) -> Orders:
        """The session is this caller's: end the older one, answer, and tell the watchers."""
        newest = self._store.find(account.user)
        device = DeviceId.of_key(request.device_key)
        if newest is None or newest.session != account.session:
            return _superseded(caller, request.tag)
        if device not in newest.devices:
            return _unknown_device(caller, request.tag)
        session = Session(account.user, device, account.session)
        farewell = self.end_older_session(self._directory.caller_of(account.user), session)
        caller.session = session
        caller.must_change_password = must_change = newest.must_change_password
        moved = self._directory.arrive(caller, session, request.endpoint, now, is_hidden=must_change)
        self._limits.let_in(account.user, caller.seen_address)
        certificate = b""
        if renew_certificate:
            certificate = self._authority.certify(
                account.user, request.device_key, datetime.fromtimestamp(now.wall, UTC)
            )
        logged_in = LoggedIn(
            tag=request.tag,
            user=account.user,
            name=account.name,
            session=session.number,
            certificate=certificate,
            device_list=self.signed_devices(newest),
            lease_seconds=LEASE_SECONDS,
            seen_address=caller.seen_address,
            must_change_password=must_change,
        )
        return [*farewell, Send(caller, logged_in), *self.tell_locators(caller), *moved]


def refuse(caller: Caller, tag: int, code: RefusalCode, sentence: str, retry_after: float = 0.0) -> Orders:
    """Answer that what was asked was not done."""
    return [Send(caller, Refused(tag, code.value, sentence, retry_after))]


def not_signed_in(caller: Caller, tag: int) -> Orders:
    """Answer a request that only somebody may make."""
    return refuse(caller, tag, RefusalCode.NOT_SIGNED_IN, "Log in first.")


def must_change_password(caller: Caller, tag: int) -> Orders:
    """Answer a request that has to wait for a password of the person's own."""
    sentence = "Change your password first: the one you have was given out by whoever runs this locator."
    return refuse(caller, tag, RefusalCode.MUST_CHANGE_PASSWORD, sentence)


def out_of_touch(caller: Caller, tag: int) -> Orders:
    """Answer what cannot be done before the shared accounts are in reach again."""
    seconds = limits.OUT_OF_TOUCH_SECONDS
    sentence = f"This locator cannot reach its accounts right now. Try again in {seconds:.0f} s."
    return refuse(caller, tag, RefusalCode.REFUSED, sentence, seconds)


def _already_signed_in(caller: Caller, tag: int) -> Orders:
    return refuse(caller, tag, RefusalCode.ALREADY_SIGNED_IN, "This connection is logged in already. Log out first.")


def _wrong_password(caller: Caller, tag: int) -> Orders:
    sentence = "The ID or the password is wrong. Check both, and the locator's address."
    return refuse(caller, tag, RefusalCode.WRONG_PASSWORD, sentence)


def _too_often(caller: Caller, tag: int, too_often: TooOften) -> Orders:
    return refuse(caller, tag, RefusalCode.RATE_LIMITED, too_often.sentence, too_often.retry_after)


def _unsuitable(request: ChangePassword, account: Account) -> str | None:
    """Return why a new password will not do, if so."""
    if len(request.new) < SHORTEST_CHOSEN_PASSWORD:
        return _TOO_SHORT
    if account.must_change_password and request.new == request.old:
        return "Choose another password than the one you were given."
    return None


def _unknown_device(caller: Caller, tag: int) -> Orders:
    sentence = "This device may not log in by itself any more. Log in with the password."
    return refuse(caller, tag, RefusalCode.UNKNOWN_DEVICE, sentence)


def _superseded(caller: Caller, tag: int) -> Orders:
    return refuse(caller, tag, RefusalCode.SUPERSEDED, "You signed in on another device. Connect here to take over.")
