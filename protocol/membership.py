"""Who belongs to a group: a pure fold over its membership entries, the same for all who hold the same entries.

The fold walks in causal order (what an author had seen comes first), ties broken by hash, never by a clock. An
exclusion beats everything that the excluded did without having seen it. Where exclusions beat each other, those of
the more senior author count: the creator first, then in the order in which people became members. This is the idea
of strong removal in conflict-free access control (Kleppmann and others); the rules are in SPECIFICATION.md.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from types import MappingProxyType
from typing import NamedTuple

from protocol import limits
from protocol.group_bodies import (
    Added,
    Created,
    DeviceConfirmed,
    Excluded,
    Left,
    ManagerChanged,
    MembershipBody,
    NewMember,
    Renamed,
    Seen,
)
from protocol.identity import DeviceId, EntryHash, FeedId, UserId


class Act(NamedTuple):
    """One membership entry: who wrote it, where it stands, what it says."""

    author: UserId
    feed: FeedId
    number: int
    hash: EntryHash
    body: MembershipBody


@dataclass(frozen=True, slots=True)
class Bounds:
    """What somebody who is no member any more is still given."""

    heard: Mapping[FeedId, int]
    """How far they are given each feed: up to the entry by which they went, and what its author had seen."""
    devices: frozenset[DeviceId]
    withheld: Mapping[FeedId, int]
    """Up to which number of each feed the content was never theirs."""


@dataclass(slots=True)
class Membership:
    """The result of the fold."""

    name: str = ""
    creator: UserId | None = None
    """None: there is no group, because no creation is held."""
    root: FeedId | None = None
    """The feed in which the group begins."""
    members: dict[UserId, set[DeviceId]] = field(default_factory=dict)
    """Who belongs to it now, with the devices that speak for them; in order of seniority."""
    names: dict[UserId, str] = field(default_factory=dict)
    """What people were called by those who added them, current and former members."""
    managers: set[UserId] = field(default_factory=set)
    managed: dict[UserId, Mapping[FeedId, int] | None] = field(default_factory=dict)
    """Who ever was a manager, and up to which number of each feed what they did as one counts; None: all of it."""
    former: dict[UserId, Bounds] = field(default_factory=dict)
    """Who belonged to it."""
    ended: dict[FeedId, int] = field(default_factory=dict)
    """Feeds of people who went: up to which number they count, for good. Who comes back begins new ones."""
    withheld: dict[UserId, dict[FeedId, int]] = field(default_factory=dict)
    """For those added "from now on": up to which number of each feed the content is not given to them."""
    void: frozenset[EntryHash] = frozenset()
    """Membership entries that count for nothing."""
    admitted_at: dict[UserId, tuple[FeedId, int]] = field(default_factory=dict)
    """Where the entry stands (feed, number) that made somebody a member."""
    last_act: dict[FeedId, int] = field(default_factory=dict)
    """Up to which number of each feed there are membership entries: who holds so much can fold the same."""
    folded_from: frozenset[EntryHash] = frozenset()
    """All membership entries that it was folded from."""
    named: dict[UserId, set[DeviceId]] = field(default_factory=dict)
    """All devices that any entry names, void or not, as somebody's: what they say may yet decide what counts."""

    def counts(self, author: UserId, feed: FeedId, number: int) -> bool:
        """Tell whether an entry that is no membership entry counts: its author was a member when writing it."""
        if feed in self.ended:
            return number <= self.ended[feed]
        return feed.device in self.members.get(author, ())

    def manages(self, author: UserId, feed: FeedId, number: int) -> bool:
        """Tell whether an entry counts as a manager's: who is one no more was one as far as was seen at their end."""
        bounds = self.managed.get(author, _NEVER)
        return self.counts(author, feed, number) and (bounds is None or number <= bounds.get(feed, 0))

    def end_of(self, author: UserId, feed: FeedId) -> int | None:
        """Return up to which number a feed counts; None for one that has no end.

        A feed that nobody had seen when its author went counts for nothing while they are away; nor does one of a
        device that was never let in, or by an entry that is void.
        """
        if feed in self.ended or feed.device in self.members.get(author, ()):
            return self.ended.get(feed)
        return 0

    def knows(self, author: UserId, feed: FeedId) -> bool:
        """Tell whether a feed is of a device that somebody named as its author's, rightly or not."""
        return feed.device in self.named.get(author, ())

    def withheld_from(self, user: UserId, feed: FeedId) -> int:
        """Return up to which number of a feed a member, or a former one, is not given the content."""
        bounds = self.former.get(user)
        return (self.withheld.get(user, {}) if bounds is None else bounds.withheld).get(feed, 0)

    def may_confirm(self, author: UserId, user: UserId) -> bool:
        """Tell whether a member may say that a further device is a member's.

        That is the person on another device, a manager, and of the only manager the most senior of the others: who
        alone manages a group and has lost the computer must not be lost to it.
        """
        if not {author, user} <= set(self.members):
            return False
        first = next((each for each in self.members if each != user), None)
        return author == user or author in self.managers or (self.managers <= {user} and author == first)

    def may_have(self, user: UserId, feed: FeedId, number: int) -> bool:
        """Tell whether a member may be given the content of an entry."""
        return user in self.members and number > self.withheld.get(user, {}).get(feed, 0)


def fold_membership(acts: Iterable[Act]) -> Membership:
    """Return who belongs to the group, from its membership entries in whatever order they came."""
    acts = list(acts)
    named, reached = _within_reach(acts)
    causes = _Causes(reached)
    decided = _Decided([], set())
    while (walk := _Walk(causes, decided)).open_exclusions:
        walk.decide()
    group = walk.result()
    group.named = named
    group.folded_from = frozenset(act.hash for act in acts)
    group.void |= group.folded_from - {act.hash for act in causes.order}
    return group


def _within_reach(acts: Iterable[Act]) -> tuple[dict[UserId, set[DeviceId]], list[Act]]:
    """Return whose devices are named, beginning with the creation, and all acts that are written on these.

    Others are not passed on, so they must have no say, not even in what came before what.
    """
    on_device: dict[tuple[UserId, DeviceId], list[Act]] = {}
    for act in acts:
        on_device.setdefault((act.author, act.feed.device), []).append(act)
    named: dict[UserId, set[DeviceId]] = {}
    reached: list[Act] = []
    to_read = [act for written in on_device.values() for act in written if isinstance(act.body, Created)]
    while to_read:
        for user, devices in _named_as_members(to_read.pop()):
            for device in set(devices) - named.setdefault(user, set()):
                named[user].add(device)
                to_read += on_device.get((user, device), [])
                reached += on_device.get((user, device), [])
    return named, reached


class _Decided(NamedTuple):
    """Which exclusions count and which do not. What is decided stays, or two decisions could undo each other."""

    effective: list[Act]
    lost: set[EntryHash]


class _Causes:
    """The acts in causal order, and which came before which."""

    def __init__(self, acts: Iterable[Act]) -> None:
        by_hash = {act.hash: act for act in acts}
        self._in_feed: dict[FeedId, list[Act]] = {}
        for act in sorted(by_hash.values(), key=lambda act: act.number):
            self._in_feed.setdefault(act.feed, []).append(act)
        self._seen: dict[EntryHash, dict[FeedId, int]] = {}
        self.order = self._sort(by_hash)

    def saw(self, later: Act, earlier: Act) -> bool:
        """Tell whether the author of one act had seen another."""
        return earlier.number <= self._seen[later.hash].get(earlier.feed, 0)

    def seen_by(self, act: Act) -> Mapping[FeedId, int]:
        """Return how far the author of an act had seen each feed, the own one included."""
        return self._seen[act.hash]

    def last_in_feed(self) -> dict[FeedId, int]:
        """Return the number of the last act of each feed."""
        return {feed: acts[-1].number for feed, acts in self._in_feed.items()}

    def _sort(self, by_hash: Mapping[EntryHash, Act]) -> list[Act]:
        """Return the acts so that causes come first, ties by hash; what claims to be its own cause is left out."""
        waits_for = {act.hash: self._direct_causes(act) for act in by_hash.values()}
        effects: dict[EntryHash, list[EntryHash]] = {}
        for effect, causes in waits_for.items():
            for cause in causes:
                effects.setdefault(cause, []).append(effect)
        missing = {name: len(causes) for name, causes in waits_for.items()}
        ready = [name for name, count in missing.items() if count == 0]
        heapify(ready)
        order: list[Act] = []
        while ready:
            name = heappop(ready)
            order.append(by_hash[name])
            self._seen[name] = self._all_seen(by_hash[name], [by_hash[cause] for cause in waits_for[name]])
            for effect in effects.get(name, ()):
                missing[effect] -= 1
                if missing[effect] == 0:
                    heappush(ready, effect)
        return order

    def _direct_causes(self, act: Act) -> set[EntryHash]:
        """Return the last membership entry that was seen of each feed."""
        causes = set()
        for feed, number in ((act.feed, act.number - 1), *((seen.feed, seen.number) for seen in _named(act))):
            held = self._in_feed.get(feed, [])
            behind = bisect_right(held, number, key=lambda other: other.number)
            if behind:
                causes.add(held[behind - 1].hash)
        return causes

    def _all_seen(self, act: Act, causes: Iterable[Act]) -> dict[FeedId, int]:
        seen: dict[FeedId, int] = {}
        for each in _named(act):
            seen[each.feed] = max(seen.get(each.feed, 0), each.number)
        for cause in causes:
            for feed, number in self._seen[cause.hash].items():
                seen[feed] = max(seen.get(feed, 0), number)
        seen[act.feed] = act.number
        return seen


class _Walk:
    """One walk through the acts in causal order, in which no exclusion has an effect but those decided before."""

    def __init__(self, causes: _Causes, decided: _Decided) -> None:
        self._causes = causes
        self._decided = decided
        self._effective = {act.hash for act in decided.effective}
        self._beaten_by: dict[UserId, list[Act]] = {}
        for act in decided.effective:
            self._beaten_by.setdefault(_excluded_by(act), []).append(act)
        self._group = Membership()
        self._void: set[EntryHash] = set()
        self.seniority: dict[UserId, int] = {}
        """In which order people first became members; the creator is 0."""
        self._admission: dict[UserId | DeviceId, Act] = {}
        """What made somebody a member, and what let a device speak."""
        self._promotion: dict[UserId, Act] = {}
        """What made somebody a manager."""
        self.open_exclusions: list[Act] = []
        """Those that their authors might utter, and that are not decided yet."""
        for act in causes.order:
            if self._is_permitted(act):
                self._apply(act)
            else:
                self._void.add(act.hash)

    def result(self) -> Membership:
        """Return the group after the walk."""
        group = self._group
        group.members = dict(sorted(group.members.items(), key=lambda item: self.seniority[item[0]]))
        admitted = ((user, self._admission[user]) for user in group.members)
        group.admitted_at = {user: (act.feed, act.number) for user, act in admitted}
        group.last_act = self._causes.last_in_feed()
        group.void = frozenset(self._void)
        return group

    def decide(self) -> None:
        """Let count what nothing open beats; where some beat each other in a circle, its most senior author wins."""
        by_author: dict[UserId, list[Act]] = {}
        for act in self.open_exclusions:
            by_author.setdefault(act.author, []).append(act)
        against: dict[UserId, list[Act]] = {author: [] for author in by_author}
        for act in self.open_exclusions:
            target = _excluded_by(act)
            if any(self._are_apart(act, other) for other in by_author.get(target, ())):
                against[target].append(act)
        winners = [author for author, acts in against.items() if not acts]
        if not winners:
            winners = [self._first_in_circle({a: {act.author for act in acts} for a, acts in against.items()})]
            self._decided.lost.update(act.hash for act in against[winners[0]])
        self._decided.effective.extend(act for author in winners for act in by_author[author])

    def _first_in_circle(self, attackers: Mapping[UserId, set[UserId]]) -> UserId:
        """Return the most senior of some who beat each other, and whom nobody else beats."""
        behind = {author: _reached(author, attackers) for author in attackers}
        # Who is reached from everybody that reaches them is in a circle that nothing outside beats.
        circle = [author for author, reached in behind.items() if all(author in behind[other] for other in reached)]
        return min(circle, key=self.seniority.__getitem__)

    def _is_permitted(self, act: Act) -> bool:
        group, body = self._group, act.body
        if act.hash in self._decided.lost or act.number > group.ended.get(act.feed, act.number):
            return False
        if isinstance(body, Excluded) and act.hash in self._effective:
            return body.user in group.members
        if isinstance(body, Created):
            mine = next((member.devices for member in body.members if member.user == act.author), ())
            return group.creator is None and act.number == 1 and act.feed.device in mine
        if not self._speaks_as_member(act) or self._is_beaten(act):
            return False
        match body:
            case Added():
                return body.member.user in group.members or len(group.members) < limits.GROUP_MEMBERS
            case Excluded() | ManagerChanged():
                return self._speaks_as_manager(act) and body.user in group.members and body.user != act.author
            case DeviceConfirmed():
                devices = group.members.get(body.user, set())
                return self._may_confirm(act, body.user) and bool(devices) and len(devices) < limits.DEVICES_PER_USER
            case _:
                return True

    def _speaks_as_member(self, act: Act) -> bool:
        """Tell whether the author was a member by what they had seen, and this device theirs."""
        devices = self._group.members.get(act.author, ())
        return act.feed.device in devices and all(
            self._causes.saw(act, self._admission[name]) for name in (act.author, act.feed.device)
        )

    def _speaks_as_manager(self, act: Act) -> bool:
        return act.author in self._group.managers and self._causes.saw(act, self._promotion[act.author])

    def _may_confirm(self, act: Act, user: UserId) -> bool:
        """See `Membership.may_confirm`; here by what the author had seen."""
        if user == act.author or self._speaks_as_manager(act):
            return True
        others = [each for each in self._group.members if each != user]
        return self._group.managers <= {user} and act.author == min(others, key=self.seniority.__getitem__)

    def _is_beaten(self, act: Act) -> bool:
        """Tell whether the author was excluded meanwhile."""
        return any(self._are_apart(act, exclusion) for exclusion in self._beaten_by.get(act.author, ()))

    def _are_apart(self, one: Act, other: Act) -> bool:
        """Tell whether neither author had seen the other's word."""
        return not self._causes.saw(one, other) and not self._causes.saw(other, one)

    def _apply(self, act: Act) -> None:
        group, body = self._group, act.body
        match body:
            case Created():
                group.name, group.creator, group.managers = body.name, act.author, {act.author}
                group.managed[act.author] = None
                group.root = act.feed
                self._promotion[act.author] = act
                self.seniority[act.author] = 0
                for member in body.members:
                    self._admit(act, member)
            case Added():
                self._admit(act, body.member, withheld=self._causes.seen_by(act) if body.from_now_on else {})
            case Excluded() if act.hash in self._effective:
                self._dismiss(act, body.user, {seen.feed: seen.number for seen in body.last})
            case Excluded():
                self.open_exclusions.append(act)
            case Left():
                self._dismiss(act, act.author, self._causes.seen_by(act))
            case Renamed():
                group.name = body.name
            case ManagerChanged():
                self._promote(act, body)
            case DeviceConfirmed():
                group.members[body.user].add(body.device)
                self._admission.setdefault(body.device, act)

    def _promote(self, act: Act, body: ManagerChanged) -> None:
        if body.is_manager:
            self._group.managers.add(body.user)
            self._group.managed[body.user] = None
            self._promotion.setdefault(body.user, act)
        elif body.user in self._group.managers:
            self._group.managers.discard(body.user)
            self._group.managed[body.user] = self._causes.seen_by(act)
            self._promotion.pop(body.user, None)
            self._succeed(act)

    def _succeed(self, act: Act) -> None:
        """Let the most senior member take over, where an act leaves nobody who may exclude."""
        group = self._group
        if group.members and not group.managers:
            heir = min(group.members, key=self.seniority.__getitem__)
            group.managers.add(heir)
            group.managed[heir] = None
            self._promotion[heir] = act

    def _admit(self, act: Act, member: NewMember, withheld: Mapping[FeedId, int] = MappingProxyType({})) -> None:
        group = self._group
        if member.user in group.members:
            # Devices of a member are confirmed by that member or a manager, never slipped in by adding them again.
            return
        self.seniority.setdefault(member.user, len(self.seniority))
        group.members[member.user] = set(member.devices)
        group.names[member.user] = member.name
        self._admission[member.user] = act
        self._admission.update(dict.fromkeys(member.devices, act))
        group.former.pop(member.user, None)
        if withheld:
            group.withheld[member.user] = dict(withheld)

    def _dismiss(self, act: Act, user: UserId, last: Mapping[FeedId, int]) -> None:
        group = self._group
        devices = group.members.pop(user, set())
        withheld = group.withheld.pop(user, {})
        if user in group.managers:
            # Who comes back does so as no manager; what they wrote as one stands in feeds that have ended.
            group.managers.discard(user)
            group.managed[user] = dict(last)
        self._promotion.pop(user, None)
        for feed, number in last.items():
            if feed.device in devices:
                group.ended.setdefault(feed, number)
        group.former[user] = Bounds(self._causes.seen_by(act), frozenset(devices), withheld)
        self._succeed(act)


_NEVER: Mapping[FeedId, int] = MappingProxyType({})


def _named(act: Act) -> tuple[Seen, ...]:
    """Return all that an act says its author had seen."""
    return act.body.seen + act.body.last if isinstance(act.body, Excluded) else act.body.seen


def _named_as_members(act: Act) -> list[tuple[UserId, Iterable[DeviceId]]]:
    """Return whose devices an act would let speak."""
    match act.body:
        case Created(members=members):
            return [(member.user, member.devices) for member in members]
        case Added(member=member):
            return [(member.user, member.devices)]
        case DeviceConfirmed(user=user, device=device):
            return [(user, (device,))]
        case _:
            return []


def _excluded_by(act: Act) -> UserId:
    assert isinstance(act.body, Excluded)
    return act.body.user


def _reached(start: UserId, arrows: Mapping[UserId, set[UserId]]) -> set[UserId]:
    """Return everybody to whom arrows lead, one after the other."""
    reached: set[UserId] = set()
    to_follow = [start]
    while to_follow:
        for name in arrows[to_follow.pop()] - reached:
            reached.add(name)
            to_follow.append(name)
    return reached
