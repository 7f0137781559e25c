"""Who belongs to a group: whoever holds the same entries comes to the same answer, and nobody can act their way in."""

import hashlib
import itertools
import random
import time

import pytest

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
from protocol.identity import DeviceId, EntryHash, EntryId, FeedId, UserId
from protocol.membership import Act, Membership, fold_membership

SALT = bytes(16)


def device_of(user: str, number: int = 0) -> DeviceId:
    return DeviceId(hashlib.sha256(f"{user} {number}".encode()).digest())


def feed_of(user: str, number: int = 0) -> FeedId:
    return FeedId.of(device_of(user, number), bytes(16))


class Replica:
    """One member's copy of a group's entries: some are theirs, others came from others."""

    def __init__(self, user: str, device: int = 0) -> None:
        self.user = UserId(user)
        self.feed = feed_of(user, device)
        self.held: dict[EntryHash, Act] = {}
        self.written = 0
        """Entries of every kind; those that say nothing of membership only count."""

    def say(self, kind: type[MembershipBody], *what: object, seen: tuple[Seen, ...] | None = None) -> Act:
        self.written += 1
        body = kind(EntryId(bytes(16)), SALT, self.seen() if seen is None else seen, *what)
        name = hashlib.sha256(repr((self.feed, self.written, body)).encode()).digest()
        act = Act(self.user, self.feed, self.written, EntryHash(name), body)
        self.held[act.hash] = act
        return act

    def talk(self, count: int = 1) -> None:
        """Write messages, which the fold does not see."""
        self.written += count

    def seen(self) -> tuple[Seen, ...]:
        last: dict[FeedId, Act] = {}
        for act in self.held.values():
            if act.feed != self.feed and (act.feed not in last or last[act.feed].number < act.number):
                last[act.feed] = act
        return tuple(Seen(act.feed, act.number, act.hash) for act in last.values())

    def hear(self, *others: "Replica") -> None:
        for other in others:
            self.held |= other.held

    def add(self, user: str, *, from_now_on: bool = False) -> Act:
        return self.say(Added, member(user), from_now_on)

    def exclude(self, user: str, *, last: tuple[Seen, ...] | None = None) -> Act:
        theirs = tuple(seen for seen in self.seen() if seen.feed.device == device_of(user))
        return self.say(Excluded, UserId(user), theirs if last is None else last)

    def group(self) -> Membership:
        return fold_membership(self.held.values())


def member(user: str) -> NewMember:
    return NewMember(UserId(user), user.title(), (device_of(user),))


def new_group(*users: str) -> list[Replica]:
    """Let the first create a group with the others; all have heard of it."""
    replicas = [Replica(user) for user in users]
    replicas[0].say(Created, "Lab 3", tuple(member(user) for user in users))
    for other in replicas[1:]:
        other.hear(replicas[0])
    return replicas


def members_of(*replicas: Replica) -> list[str]:
    together = Replica("nobody")
    together.hear(*replicas)
    return list(together.group().members)


def test_the_creator_and_the_named_are_members_and_the_creator_manages() -> None:
    ana, bo, chen = new_group("ana", "bo", "chen")
    for replica in (ana, bo, chen):
        group = replica.group()
        assert (group.name, group.creator, group.managers) == ("Lab 3", "ana", {"ana"})
        assert list(group.members) == ["ana", "bo", "chen"]


def test_without_a_creation_there_is_no_group() -> None:
    bo = Replica("bo")
    bo.add("dan")
    group = bo.group()
    assert (group.creator, group.members, group.void) == (None, {}, frozenset(bo.held))


def test_any_member_adds_and_renames_and_only_managers_exclude() -> None:
    ana, bo, chen = new_group("ana", "bo", "chen")
    bo.add("dan")
    bo.say(Renamed, "Lab 4")
    void = bo.exclude("chen")
    chen.hear(bo)
    group = chen.group()
    assert list(group.members) == ["ana", "bo", "chen", "dan"]
    assert group.name == "Lab 4"
    assert group.void == {void.hash}
    ana.say(ManagerChanged, UserId("bo"), True)
    bo.hear(ana)
    bo.exclude("chen")
    assert members_of(ana, bo, chen) == ["ana", "bo", "dan"]


def test_a_stranger_changes_nothing() -> None:
    ana, bo = new_group("ana", "bo")
    eve = Replica("eve")
    eve.hear(ana)
    eve.add("eve")
    eve.exclude("bo")
    eve.say(ManagerChanged, UserId("eve"), True)
    eve.say(Created, "Mine now", (member("eve"),))
    assert members_of(ana, bo, eve) == ["ana", "bo"]


def test_a_device_that_nobody_confirmed_speaks_for_nobody() -> None:
    ana, bo = new_group("ana", "bo")
    minted = Replica("bo", device=1)
    minted.hear(ana)
    minted.add("eve")
    minted.say(DeviceConfirmed, UserId("bo"), device_of("bo", 1))
    assert members_of(ana, bo, minted) == ["ana", "bo"]
    bo.say(DeviceConfirmed, UserId("bo"), device_of("bo", 1))
    minted.hear(bo)
    minted.add("dan")
    assert members_of(ana, bo, minted) == ["ana", "bo", "dan"]


def test_adding_a_member_again_slips_in_no_device() -> None:
    ana, bo, chen = new_group("ana", "bo", "chen")
    chen.say(Added, NewMember(UserId("bo"), "Bo", (device_of("bo", 9),)), False)
    minted = Replica("bo", device=9)
    minted.hear(chen)
    minted.add("eve")
    assert members_of(ana, bo, chen, minted) == ["ana", "bo", "chen"]


def test_an_exclusion_beats_what_the_excluded_did_meanwhile() -> None:
    ana, bo, chen = new_group("ana", "bo", "chen")
    ana.exclude("bo")
    bo.add("eve")
    bo.say(Renamed, "Bo's")
    eve = Replica("eve")
    eve.hear(bo)
    eve.add("mallory")
    group = fold_membership((ana.held | bo.held | chen.held | eve.held).values())
    assert list(group.members) == ["ana", "chen"]
    assert group.name == "Lab 3"


def test_what_was_done_before_the_exclusion_stays() -> None:
    ana, bo, chen = new_group("ana", "bo", "chen")
    bo.add("dan")
    ana.hear(bo)
    ana.exclude("bo")
    assert members_of(ana, bo, chen) == ["ana", "chen", "dan"]


def test_the_words_of_the_excluded_count_as_far_as_they_were_seen() -> None:
    ana, bo = new_group("ana", "bo")
    bo.talk(4)
    bo.say(Renamed, "Lab 4")
    ana.hear(bo)
    bo.talk(10)
    ana.exclude("bo")
    group = fold_membership((ana.held | bo.held).values())
    assert [group.counts(UserId("bo"), bo.feed, number) for number in (1, 5, 6)] == [True, True, False]
    assert not group.counts(UserId("bo"), feed_of("bo", 1), 1), "a feed that was not named does not count at all"
    assert group.counts(UserId("ana"), ana.feed, 999)
    assert not group.may_have(UserId("bo"), ana.feed, 1)


def test_who_leaves_is_heard_up_to_then() -> None:
    ana, bo = new_group("ana", "bo")
    bo.talk(2)
    bo.say(Left)
    bo.talk(1)
    bo.add("eve")
    group = fold_membership((ana.held | bo.held).values())
    assert list(group.members) == ["ana"]
    assert group.counts(UserId("bo"), bo.feed, 3)
    assert not group.counts(UserId("bo"), bo.feed, 4)


@pytest.mark.parametrize("creator", ["ana", "bo"])
def test_of_two_who_exclude_each_other_the_creator_stays(creator: str) -> None:
    users = sorted(["ana", "bo"], key=lambda user: user != creator)
    first, second = new_group(*users)
    first.say(ManagerChanged, second.user, True)
    second.hear(first)
    first.exclude(second.user)
    second.exclude(first.user)
    assert members_of(first, second) == [creator]


def test_everyone_excluding_everyone_leaves_the_creator() -> None:
    users = [f"user{number}" for number in range(12)]
    replicas = new_group(*users)
    for user in users[1:]:
        replicas[0].say(ManagerChanged, UserId(user), True)
    for replica in replicas[1:]:
        replica.hear(replicas[0])
    for replica in replicas:
        for user in users:
            if user != replica.user:
                replica.exclude(user)
    assert members_of(*replicas) == ["user0"]


def test_in_a_circle_of_exclusions_the_most_senior_decides() -> None:
    ana, bo, chen, dan = new_group("ana", "bo", "chen", "dan")
    for user in ("bo", "chen", "dan"):
        ana.say(ManagerChanged, UserId(user), True)
    for replica in (bo, chen, dan):
        replica.hear(ana)
    bo.exclude("chen")
    chen.exclude("dan")
    dan.exclude("bo")
    assert members_of(ana, bo, chen, dan) == ["ana", "bo", "dan"]


def test_who_was_excluded_can_be_added_again() -> None:
    ana, bo = new_group("ana", "bo")
    ana.exclude("bo")
    ana.add("bo", from_now_on=True)
    bo.hear(ana)
    bo.add("dan")
    assert members_of(ana, bo) == ["ana", "bo", "dan"]


def test_feeds_of_who_went_end_for_good_and_who_comes_back_begins_new_ones() -> None:
    ana, bo = new_group("ana", "bo")
    bo.talk(2)
    bo.say(Renamed, "Lab 4")
    ana.hear(bo)
    bo.talk(2)
    ana.exclude("bo")
    ana.add("bo")
    bo.hear(ana)
    bo.say(Renamed, "from the old feed")
    group = fold_membership((ana.held | bo.held).values())
    assert list(group.members) == ["ana", "bo"]
    assert group.name == "Lab 4"
    assert [group.counts(UserId("bo"), bo.feed, number) for number in (3, 4, 9)] == [True, False, False]
    assert group.end_of(UserId("bo"), bo.feed) == 3
    fresh = FeedId.of(device_of("bo"), bytes(range(16)))
    assert group.counts(UserId("bo"), fresh, 1)
    assert group.end_of(UserId("bo"), fresh) is None
    assert group.end_of(UserId("eve"), feed_of("eve")) == 0
    assert [group.knows(UserId(name), feed_of(name)) for name in ("bo", "eve")] == [True, False]


def test_what_was_withheld_stays_withheld_from_who_went() -> None:
    ana, _ = new_group("ana", "bo")
    ana.talk(4)
    ana.add("chen", from_now_on=True)
    group = fold_membership(ana.held.values())
    assert group.withheld_from(UserId("chen"), ana.feed) == 6
    assert group.withheld_from(UserId("bo"), ana.feed) == 0
    ana.exclude("chen")
    group = fold_membership(ana.held.values())
    assert group.withheld_from(UserId("chen"), ana.feed) == 6
    ana.add("chen")
    assert fold_membership(ana.held.values()).withheld_from(UserId("chen"), ana.feed) == 0


def test_from_now_on_withholds_what_was_seen_then() -> None:
    ana, bo = new_group("ana", "bo")
    bo.talk(6)
    bo.say(Renamed, "Lab 4")
    ana.hear(bo)
    added = ana.add("dan", from_now_on=True)
    group = ana.group()
    assert [group.may_have(UserId("dan"), bo.feed, number) for number in (8, 7, 9)] == [True, False, True]
    assert not group.may_have(UserId("dan"), ana.feed, added.number)
    assert group.may_have(UserId("dan"), ana.feed, added.number + 1)
    assert group.may_have(UserId("bo"), ana.feed, 1)


def test_a_group_without_a_manager_is_managed_by_its_most_senior_member() -> None:
    ana, bo, chen = new_group("ana", "bo", "chen")
    ana.say(Left)
    assert fold_membership((ana.held | bo.held | chen.held).values()).managers == {"bo"}


def test_a_group_has_so_many_members_at_most() -> None:
    ana, *_ = new_group("ana")
    for number in range(limits.GROUP_MEMBERS + 5):
        ana.add(f"user{number}")
    assert len(ana.group().members) == limits.GROUP_MEMBERS


def test_who_alone_manages_is_vouched_for_by_the_most_senior_other() -> None:
    ana, bo, chen = new_group("ana", "bo", "chen")
    chen.say(DeviceConfirmed, UserId("ana"), device_of("ana", 1))
    bo.say(DeviceConfirmed, UserId("ana"), device_of("ana", 2))
    group = fold_membership((ana.held | bo.held | chen.held).values())
    assert group.members[UserId("ana")] == {device_of("ana"), device_of("ana", 2)}
    assert group.may_confirm(UserId("bo"), UserId("ana"))
    assert not group.may_confirm(UserId("chen"), UserId("ana"))
    assert not group.may_confirm(UserId("bo"), UserId("chen"))
    assert group.may_confirm(UserId("ana"), UserId("chen"))
    assert not group.may_confirm(UserId("ana"), UserId("eve"))
    ana.say(ManagerChanged, UserId("chen"), True)
    bo.hear(ana)
    bo.say(DeviceConfirmed, UserId("ana"), device_of("ana", 3))
    group = fold_membership((ana.held | bo.held).values())
    assert device_of("ana", 3) not in group.members[UserId("ana")], "there is another manager now"
    assert not group.may_confirm(UserId("bo"), UserId("ana"))


def test_a_member_has_so_many_devices_at_most() -> None:
    ana, *_ = new_group("ana")
    for number in range(1, 20):
        ana.say(DeviceConfirmed, UserId("ana"), device_of("ana", number))
    assert len(ana.group().members[UserId("ana")]) == limits.DEVICES_PER_USER


def test_entries_that_claim_each_other_as_cause_count_for_nothing_and_harm_nobody() -> None:
    ana, bo = new_group("ana", "bo")
    later = Seen(bo.feed, 2, EntryHash(bytes(32)))
    bo.say(Renamed, "one", seen=(Seen(feed_of("bo", 1), 1, EntryHash(bytes(32))),))
    other = Replica("bo", device=1)
    other.say(Renamed, "two", seen=(later, Seen(bo.feed, 1, EntryHash(bytes(32)))))
    group = fold_membership((ana.held | bo.held | other.held).values())
    assert group.name == "Lab 3"
    assert list(group.members) == ["ana", "bo"]


def some_history(seed: int, users: int = 6, steps: int = 60) -> list[Act]:
    """Let people, some of them strangers, say whatever comes to their mind, hearing of each other now and then."""
    chance = random.Random(seed)
    names = [f"user{number}" for number in range(users)]
    replicas = new_group(*names[: users // 2]) + [Replica(name) for name in names[users // 2 :]]
    for _ in range(steps):
        one, other = chance.sample(replicas, 2)
        match chance.randrange(9):
            case 0 | 1 | 2:
                one.hear(other)
            case 3:
                one.add(chance.choice(names), from_now_on=chance.random() < 0.5)
            case 4 | 5:
                one.exclude(other.user)
            case 6:
                one.say(ManagerChanged, other.user, chance.random() < 0.8)
            case 7:
                one.talk()
            case 8 if chance.random() < 0.3:
                one.say(Left)
            case _:
                one.say(Renamed, f"name {chance.randrange(100)}")
    return list({act.hash: act for replica in replicas for act in replica.held.values()}.values())


@pytest.mark.parametrize("seed", range(150))
def test_the_order_in_which_entries_come_is_nothing(seed: int) -> None:
    acts = some_history(seed)
    chance = random.Random(seed)
    wanted = fold_membership(acts)
    for _ in range(3):
        chance.shuffle(acts)
        group = fold_membership(acts)
        assert group == wanted
        assert list(group.members) == list(wanted.members), "the order of seniority too"
        assert group.managers <= set(group.members)
        assert not set(group.members) & set(group.former)


@pytest.mark.parametrize("seed", range(40))
def test_words_of_people_who_never_were_members_change_nothing(seed: int) -> None:
    acts = some_history(seed)
    ever = set(fold_membership(acts).members) | set(fold_membership(acts).former)
    without = [act for act in acts if act.author in ever]
    theirs = {act.hash for act in acts} - {act.hash for act in without}
    group, same = fold_membership(acts), fold_membership(without)
    assert (group.members, group.name, group.managers) == (same.members, same.name, same.managers)
    assert theirs <= group.void


def test_a_large_group_where_all_exclude_all_is_folded_soon() -> None:
    users = [f"user{number}" for number in range(60)]
    replicas = new_group(*users)
    for user in users[1:]:
        replicas[0].say(ManagerChanged, UserId(user), True)
    for replica in replicas[1:]:
        replica.hear(replicas[0])
    for replica, user in itertools.product(replicas, users):
        if user != replica.user:
            replica.exclude(user, last=())
    acts = list({act.hash: act for replica in replicas for act in replica.held.values()}.values())
    assert len(acts) == 60 + 60 * 59
    began = time.process_time()
    assert list(fold_membership(acts).members) == ["user0"]
    assert time.process_time() - began < 5


def test_who_takes_over_from_the_last_manager_may_exclude_and_name_managers() -> None:
    ana, bo, chen, dan = new_group("ana", "bo", "chen", "dan")
    ana.say(Left)
    bo.hear(ana)
    assert bo.group().managers == {"bo"}
    bo.exclude("dan")
    assert members_of(bo) == ["bo", "chen"]
    bo.say(ManagerChanged, UserId("chen"), True)
    bo.say(Left)
    chen.hear(bo)
    dan.hear(bo)
    assert chen.group().managers == {"chen"}
    assert chen.group() == dan.group()


def test_nobody_takes_over_before_they_have_seen_that_the_last_manager_went() -> None:
    ana, bo, _, dan = new_group("ana", "bo", "chen", "dan")
    excluded = bo.exclude("dan")
    ana.say(Left)
    dan.hear(ana, bo)
    assert excluded.hash in dan.group().void
    assert "dan" in dan.group().members


def test_a_manager_who_is_one_no_more_is_followed_by_the_most_senior() -> None:
    ana, bo, chen = new_group("ana", "bo", "chen")
    ana.say(ManagerChanged, UserId("chen"), True)
    chen.hear(ana)
    chen.say(ManagerChanged, UserId("ana"), False)
    chen.say(Left)
    ana.hear(chen)
    bo.hear(chen)
    assert ana.group().managers == bo.group().managers == {"ana"}
    ana.exclude("bo")
    assert members_of(ana, bo) == ["ana"]
