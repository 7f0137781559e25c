import pytest

from locator import limits
from locator.limits import Rate
from locator.login_limits import LoginLimits
from locator.rate_limits import RateLimit, network_of
from protocol.identity import UserId

ANA, BO = UserId("ana"), UserId("bo")
HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"


def takes(bucket: RateLimit, key: object, now: float) -> int:
    """Take as many as there are; return how many there were."""
    taken = 0
    while not bucket.wait(key, now):
        bucket.take(key, now)
        taken += 1
    return taken


# --- buckets -------------------------------------------------------------------------------------


def test_a_bucket_gives_what_it_holds_and_then_one_at_a_time():
    bucket = RateLimit(Rate(3, 10.0))
    assert takes(bucket, "a", 0.0) == 3
    assert bucket.wait("a", 4.0) == 6.0
    assert takes(bucket, "a", 10.0) == 1
    assert takes(bucket, "a", 1_000.0) == 3


def test_each_key_has_its_own():
    bucket = RateLimit(Rate(3, 10.0))
    assert (takes(bucket, "a", 0.0), takes(bucket, "b", 0.0)) == (3, 3)


def test_what_is_given_back_is_there_again():
    bucket = RateLimit(Rate(3, 10.0))
    takes(bucket, "a", 0.0)
    bucket.give_back("a")
    assert takes(bucket, "a", 0.0) == 1


def test_giving_back_what_was_forgotten_gives_nothing():
    bucket = RateLimit(Rate(3, 10.0))
    bucket.give_back("a")
    assert takes(bucket, "a", 0.0) == 3


def test_a_million_addresses_do_not_grow_it():
    bucket = RateLimit(Rate(3, 1e9), most_kept=1_000)
    for number in range(1_000_000):
        bucket.take(number, 0.0)
        assert len(bucket) <= 1_000
    assert takes(bucket, 999_999, 0.0) == 2


def test_full_buckets_are_not_kept():
    bucket = RateLimit(Rate(3, 1.0))
    for now in range(10_000):
        bucket.take(now, float(now))
    assert len(bucket) <= 2


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:0:0:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("127.0.0.1", "127.0.0.2", False),
        ("127.0.0.1", "::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("a path", "a path", True),
    ],
)
def test_an_ipv6_address_counts_by_its_64_an_ipv4_one_by_itself(one, other, is_same):
    assert (network_of(one) == network_of(other)) is is_same


# --- logins --------------------------------------------------------------------------------------


def guesses(tries: LoginLimits, user: UserId, address: str, now: float, most: int = 10_000) -> int:
    """Try wrong passwords until told to wait; return how many were taken."""
    for taken in range(most):
        if tries.try_password(user, address, now) is not None:
            return taken
    return most


def test_wrong_passwords_for_one_id_from_one_address_are_slowed():
    tries = LoginLimits()
    rate = limits.WRONG_PASSWORDS_PER_ACCOUNT_AND_ADDRESS
    assert guesses(tries, ANA, ELSEWHERE, 0.0) == rate.at_once
    told = tries.try_password(ANA, ELSEWHERE, 30.0)
    assert told is not None
    assert told.retry_after == rate.seconds_each - 30
    assert told.sentence.endswith("Try again in 90 s.")
    assert guesses(tries, ANA, ELSEWHERE, 30.0 + told.retry_after) == 1


def test_right_passwords_cost_nothing():
    tries = LoginLimits()
    for _ in range(1_000):
        assert tries.try_password(ANA, HOME, 0.0) is None
        tries.was_right(ANA, HOME)


def test_a_class_of_300_behind_one_address_logs_in_within_a_minute_with_three_mistakes_each():
    tries = LoginLimits()
    for attempt in range(4):
        for student in range(300):
            assert tries.try_password(UserId(f"student-{student}"), HOME, attempt * 15.0) is None


def test_a_class_of_300_behind_one_address_registers_each_hour_with_an_id_that_is_taken_first():
    tries = LoginLimits()
    assert all(tries.register(HOME, 0.0) is None for _ in range(600))
    assert tries.register(HOME, 1.0) is not None
    assert all(tries.register(HOME, 3_600.0) is None for _ in range(300))


def test_one_address_cannot_try_the_same_password_with_everybody_s_id():
    tries = LoginLimits()
    taken = sum(tries.try_password(UserId(f"u{number}"), HOME, 0.0) is None for number in range(5_000))
    assert taken == limits.PASSWORDS_PER_ADDRESS.at_once


def test_no_single_stranger_locks_the_owner_out():
    tries, now = LoginLimits(), 0.0
    for _ in range(24 * 60):
        guesses(tries, ANA, ELSEWHERE, now)
        now += 60.0
    assert tries.try_password(ANA, HOME, now) is None


def test_many_machines_share_one_budget_of_guesses_for_an_id():
    tries = LoginLimits()
    taken = sum(guesses(tries, ANA, f"198.51.{number // 250}.{number % 250}", 0.0) for number in range(5_000))
    assert taken == limits.WRONG_PASSWORDS_PER_ACCOUNT.at_once
    assert tries.try_password(BO, "198.51.0.1", 0.0) is None, "other people are not slowed by it"


def test_who_was_let_in_from_an_address_is_not_slowed_there_by_any_number_of_others():
    tries = LoginLimits()
    tries.let_in(ANA, HOME)
    for number in range(200):
        guesses(tries, ANA, f"198.51.100.{number}", 0.0)
        guesses(tries, UserId(f"someone-{number}"), HOME, 0.0)
    assert tries.try_password(ANA, "203.0.113.1", 0.0) is not None
    assert tries.try_password(UserId("a-neighbour"), HOME, 0.0) is not None
    assert guesses(tries, ANA, HOME, 0.0) == limits.WRONG_PASSWORDS_PER_ACCOUNT_AND_ADDRESS.at_once
    assert tries.queue_of(ANA, HOME) != tries.queue_of(BO, HOME)


def test_the_addresses_of_a_user_that_are_remembered_are_the_newest_few():
    tries = LoginLimits()
    for number in range(20):
        tries.let_in(ANA, f"192.0.2.{number}")
    own = [tries.queue_of(ANA, f"192.0.2.{number}") != f"192.0.2.{number}" for number in range(20)]
    assert own == [False] * 12 + [True] * limits.HOMES_PER_USER
