"""Who is where: present users, their leases that expire by themselves, and who wants to hear of whom.

No clock and no socket: the time is an argument, and what is to be told comes back as orders.
"""

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Self

import msgspec

from locator import limits
from locator.figures import Gauges
from locator.orders import Caller, HangUp, Now, Orders, Send, Session, Share
from locator.stores.interface import CoursePresence, Lease, LeaseEnd
from protocol.device_lists import SignedDeviceList
from protocol.identity import UserId, to_builtin
from protocol.limits import ADDRESSES_PER_USER, LEASE_SECONDS
from protocol.locator_messages import Endpoint, Moved, Whereabout

_encode = msgspec.msgpack.Encoder(enc_hook=to_builtin).encode


class Standing(NamedTuple):
    """What the accounts say of a user, for an answer to `where`."""

    known: bool
    device_list: SignedDeviceList | None


@dataclass(slots=True)
class _Presence:
    """One user who is there, or was a moment ago."""

    session: Session
    caller: Caller | None
    """None: at another locator, or lost a moment ago."""
    near_addresses: tuple[str, ...]
    far_addresses: tuple[str, ...]
    listen_port: int
    voice_port: int
    is_hidden: bool = False
    """Whether others are told that the user is not there."""
    is_elsewhere: bool = False
    """Whether another locator has, or had, the session."""
    lost_at: float = 0.0


class Views(NamedTuple):
    """What askers on this machine and askers elsewhere are told of a user."""

    near: Whereabout
    far: Whereabout
    near_encoded: bytes
    far_encoded: bytes

    @classmethod
    def of(cls, near: Whereabout, far: Whereabout) -> Self:
        """Encode both: they are told more often than they change."""
        near_encoded = _encode(near)
        return cls(near, far, near_encoded, near_encoded if far is near else _encode(far))


class Directory:
    """The present users of this locator, by ID."""

    def __init__(self, standing: Callable[[UserId], Standing]) -> None:
        """`standing` tells, at once, what the accounts say of a user."""
        self._standing = standing
        self._present: dict[UserId, _Presence] = {}
        self._lost: set[UserId] = set()
        self._on_course: dict[UserId, tuple[str, float]] = {}
        """Users of the course port: the address of the last login, and when (monotonic). No Hail session is here."""
        self._since: dict[UserId, int] = {}
        self._watchers: dict[UserId, set[Caller]] = {}
        self._views: dict[UserId, Views] = {}
        """Views made once and given to many; for users with an account or a watcher only, so that it is bounded."""
        self.views_by_question: dict[bytes, Views] = {}
        """The same views by the encoded `(user,)`, as it stands in a question; for reading."""

    def about(self, user: UserId, *, is_near: bool) -> Whereabout:
        """Tell where a user is; loopback addresses are for askers on this machine only."""
        views = self._views.get(user) or self._look_at(user)
        return views.near if is_near else views.far

    def encoded_about(self, user: UserId, *, is_near: bool) -> msgspec.Raw:
        """Tell the same in its form on the wire, which is made once."""
        views = self._views.get(user) or self._look_at(user)
        return msgspec.Raw(views.near_encoded if is_near else views.far_encoded)

    def gauges(self) -> Gauges:
        """Return how to read what is so now."""
        return {
            "present_users": lambda: len(self._present),
            "watched_users": lambda: len(self._watchers),
            "course_users": lambda: len(self._on_course),
        }

    def caller_of(self, user: UserId) -> Caller | None:
        """Return the connection on which a user is present."""
        presence = self._present.get(user)
        return None if presence is None else presence.caller

    def callers(self) -> list[Caller]:
        """Return the connections of all who are logged in here."""
        return [presence.caller for presence in self._present.values() if presence.caller is not None]

    def arrive(
        self, caller: Caller, session: Session, endpoint: Endpoint, now: Now, *, is_hidden: bool = False
    ) -> Orders:
        """A caller is logged in: the user is there, on this connection alone; hidden, nobody is told before `show`."""
        user = session.user
        if user not in self._present and not is_hidden:
            self._since[user] = int(now.wall * 1000)
        near = reachable_addresses(caller.seen_address, endpoint.addresses)
        ports = endpoint.listen_port, endpoint.voice_port
        self._present[user] = _Presence(session, caller, near, _for_others(near), *ports, is_hidden=is_hidden)
        self._lost.discard(user)
        return self._told_everywhere(user)

    def show(self, user: UserId, now: Now) -> Orders:
        """Tell of a user who was hidden."""
        presence = self._present.get(user)
        if presence is not None and presence.is_hidden:
            presence.is_hidden = False
            self._since[user] = int(now.wall * 1000)
        return self._told_everywhere(user)

    def arrive_elsewhere(self, lease: Lease) -> Orders:
        """A user is there, at another locator; whoever was the user here has been told."""
        user, far = lease.user, _for_others(lease.addresses)
        # Which machine that loopback is on is not known: it is tried last.
        near = (*far, *(address for address in lease.addresses if is_loopback(address)))
        session, ports = Session(user, lease.device, lease.session), (lease.listen_port, lease.voice_port)
        self._since[user] = lease.since
        self._present[user] = _Presence(session, None, near, far, *ports, is_elsewhere=True)
        self._lost.discard(user)
        return self.tell(user)

    def leave_elsewhere(self, user: UserId, now: Now, *, may_return: bool) -> Orders:
        """A user is at no other locator any more; who is here meanwhile stays."""
        presence = self._present.get(user)
        if presence is None or not presence.is_elsewhere:
            return []
        if not may_return:
            return self.leave(user, now)
        presence.lost_at = now.monotonic
        self._lost.add(user)
        return []

    def lose(self, caller: Caller, now: Now) -> None:
        """A connection broke: its user has a moment to come back before anybody is told."""
        presence = self._presence_on(caller)
        if presence is not None:
            presence.caller = None
            presence.lost_at = now.monotonic
            self._lost.add(presence.session.user)

    def leave(self, user: UserId, now: Now) -> Orders:
        """A user is gone, now."""
        presence = self._present.pop(user, None)
        if presence is None:
            return []
        self._lost.discard(user)
        if not presence.is_hidden:
            self._since[user] = int(now.wall * 1000)
        told = self.tell(user)
        return told if presence.is_elsewhere else [Share(LeaseEnd(user, presence.session.number)), *told]

    def arrive_on_course(self, user: UserId, address: str, now: Now) -> Orders:
        """A user logged in on the course port; the newest address counts."""
        presence = CoursePresence(user, address, now.wall)
        return [Share(presence), *self.move_on_course(presence, now)]

    def leave_course(self, user: UserId, now: Now) -> Orders:
        """A user logged out of the course port, if they were there."""
        if user not in self._on_course:
            return []
        presence = CoursePresence(user, "", now.wall)
        return [Share(presence), *self.move_on_course(presence, now)]

    def move_on_course(self, presence: CoursePresence, now: Now) -> Orders:
        """A user logged in or out on the course port of any locator."""
        user = presence.user
        if not presence.address:
            self._on_course.pop(user, None)
            return self.tell(user)
        if user not in self._on_course and user not in self._present:
            self._since[user] = int(presence.at * 1000)
        self._on_course[user] = presence.address, now.monotonic - max(0.0, now.wall - presence.at)
        return self.tell(user)

    def sweep(self, now: Now) -> Orders:
        """Let go those whose grace or lease is over."""
        orders: Orders = []
        forgotten = now.monotonic - limits.COURSE_LEASE_SECONDS
        for user in [user for user, (_, heard_at) in self._on_course.items() if heard_at < forgotten]:
            orders += self.leave_course(user, now)
        for user in [u for u in self._lost if now.monotonic - self._present[u].lost_at >= limits.GRACE_SECONDS]:
            orders += self.leave(user, now)
        oldest = now.monotonic - LEASE_SECONDS
        silent = [p.caller for p in self._present.values() if p.caller is not None and p.caller.heard_at < oldest]
        for caller in silent:
            if caller.session is not None:
                orders += self.leave(caller.session.user, now)
            caller.session = None
            self.unwatch(caller, caller.watched)
            orders.append(HangUp(caller, f"silent for {LEASE_SECONDS:.0f} s"))
        return orders

    def watch(self, caller: Caller, users: Iterable[UserId]) -> None:
        """Tell a caller of these users' changes from now on."""
        for user in users:
            caller.watched.add(user)
            self._watchers.setdefault(user, set()).add(caller)
            if user not in self._views:
                self._keep(user, self._view(user))

    def unwatch(self, caller: Caller, users: Iterable[UserId]) -> None:
        """Tell a caller no more of these users."""
        for user in tuple(users):
            caller.watched.discard(user)
            watchers = self._watchers.get(user)
            if watchers is not None:
                watchers.discard(caller)
                if not watchers:
                    del self._watchers[user]
                    self._forget(user)

    def tell(self, user: UserId) -> Orders:
        """Tell the watchers of a user what changed for them since they last heard; nothing if nothing did."""
        before = self._forget(user)
        watchers = self._watchers.get(user, ())
        if not watchers or before is None:
            return []
        after = self._view(user)
        self._keep(user, after)
        for_near = _moved(before.near, after.near)
        for_far = _moved(before.far, after.far)
        told = [(watcher, for_near if watcher.is_near else for_far) for watcher in watchers]
        return [Send(watcher, moved) for watcher, moved in told if moved is not None]

    def _told_everywhere(self, user: UserId) -> Orders:
        """Tell the other locators, and the watchers here, of a user who is here."""
        presence = self._present.get(user)
        if presence is None or presence.is_hidden or presence.is_elsewhere:
            return self.tell(user)
        lease = Lease(
            user,
            presence.session.number,
            presence.session.device,
            presence.near_addresses,
            presence.listen_port,
            presence.voice_port,
            self._since.get(user, 0),
        )
        return [Share(lease), *self.tell(user)]

    def _presence_on(self, caller: Caller) -> _Presence | None:
        presence = None if caller.session is None else self._present.get(caller.session.user)
        return presence if presence is not None and presence.caller is caller else None

    def _look_at(self, user: UserId) -> Views:
        views = self._view(user)
        if views.far.known:
            self._keep(user, views)
        return views

    def _keep(self, user: UserId, views: Views) -> None:
        self._views[user] = self.views_by_question[_encode((user,))] = views

    def _forget(self, user: UserId) -> Views | None:
        self.views_by_question.pop(_encode((user,)), None)
        return self._views.pop(user, None)

    def _view(self, user: UserId) -> Views:
        known, device_list = self._standing(user)
        presence, since = self._present.get(user), self._since.get(user, 0)
        if presence is not None and presence.is_hidden:
            presence = None
        if presence is None and user in self._on_course:
            return self._course_view(user, Whereabout(user, True, (), 0, 0, device_list, since, known))
        if presence is None:
            gone = Whereabout(user, online=False, device_list=device_list, since=since, known=known)
            return Views.of(gone, gone)
        near, far = (
            Whereabout(
                user=user,
                online=True,
                addresses=addresses,
                listen_port=presence.listen_port,
                voice_port=presence.voice_port,
                device_list=device_list,
                since=since,
                known=known,
            )
            for addresses in (presence.near_addresses, presence.far_addresses)
        )
        return Views.of(near, far)

    def _course_view(self, user: UserId, about: Whereabout) -> Views:
        """Port 0 marks who is on the course port: nothing of Hail's can be dialled there."""
        address, _ = self._on_course[user]
        near = msgspec.structs.replace(about, addresses=(address,))
        return Views.of(near, about if is_loopback(address) else near)


def _for_others(addresses: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(address for address in addresses if not is_loopback(address))


def reachable_addresses(seen: str, declared: Iterable[str]) -> tuple[str, ...]:
    """Return where a peer may be dialled: the address it was seen at, then those it declared that make sense."""
    clean = (clean_address(address) for address in (seen, *declared))
    return tuple(dict.fromkeys(address for address in clean if address is not None))[:ADDRESSES_PER_USER]


@lru_cache(maxsize=limits.ADDRESSES_REMEMBERED)
def clean_address(text: str) -> str | None:
    """Return an address in its one canonical form, or None for junk and for what nobody elsewhere can dial."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif address.scope_id is not None:
            return None
    if address.is_link_local or address.is_multicast or address.is_unspecified or address == _BROADCAST:
        return None
    return str(address)


def is_ipv4(address: str) -> bool:
    """Tell whether an address, in canonical form, is an IPv4 one."""
    return ":" not in address


@lru_cache(maxsize=limits.ADDRESSES_REMEMBERED)
def is_loopback(address: str) -> bool:
    """Tell whether an address, in canonical form, means this very machine."""
    return ipaddress.ip_address(address).is_loopback


_BROADCAST = ipaddress.IPv4Address("255.255.255.255")


def _moved(before: Whereabout, after: Whereabout) -> Moved | None:
    # Coming and going changes `online`; a reconnect alone is no news.
    return None if msgspec.structs.replace(before, since=after.since) == after else Moved(after)
