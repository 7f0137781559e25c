import asyncio
import threading

import pytest

from locator import limits
from locator.accounts import NobodyWaitsError, PasswordPool, TooManyPasswordsError, hash_password, is_password


def run(work):
    with asyncio.Runner() as runner:
        return runner.run(work)


def wanted():
    return True


def test_a_hash_is_argon2id_with_the_agreed_cost():
    assert hash_password("secret").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_only_the_right_password_is_right():
    kept = hash_password("secret")
    assert is_password("secret", kept)
    assert not is_password("Secret", kept)
    assert not is_password("secret", "no hash at all")


def test_a_password_typed_on_another_system_is_the_same():
    assert is_password("e\u0301te\u0301", hash_password("\u00e9t\u00e9"))


def test_the_pool_verifies_and_hashes():
    async def scene():
        pool = PasswordPool(threads=1)
        kept = await pool.hash("secret", "queue", wanted)
        assert await pool.verify("secret", kept, "queue", wanted)
        assert not await pool.verify("wrong", kept, "queue", wanted)
        assert not await pool.verify("secret", None, "queue", wanted)
        pool.close()

    run(scene())


@pytest.mark.parametrize("kept", [None, "none", ""], ids=["no account", "the course's only", "no password"])
def test_an_account_without_a_password_takes_a_hash_as_well(monkeypatch, kept):
    checked = []
    monkeypatch.setattr("locator.accounts.is_password", lambda _, kept: checked.append(kept) or True)

    async def scene():
        pool = PasswordPool(threads=1)
        assert not await pool.verify("secret", kept, "queue", wanted)
        pool.close()

    run(scene())
    assert checked[0].startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_full_queue_says_when_to_try_again(monkeypatch):
    go_on = threading.Event()
    monkeypatch.setattr("locator.accounts.is_password", lambda *_: go_on.wait(5))

    async def scene():
        pool = PasswordPool(threads=1, longest_wait=2.5 * limits.HASH_SECONDS_AT_FIRST)
        waiting = [asyncio.create_task(pool.verify("secret", "$argon2id$ of it", "queue", wanted)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyPasswordsError) as caught:
            await pool.verify("secret", "$argon2id$ of it", "queue", wanted)
        assert caught.value.retry_after >= 1
        go_on.set()
        assert await asyncio.gather(*waiting) == [True, True, True]
        assert await pool.verify("secret", "$argon2id$ of it", "queue", wanted)
        pool.close()

    run(scene())


def test_nobody_s_password_is_not_hashed():
    async def scene():
        pool = PasswordPool(threads=1)
        with pytest.raises(NobodyWaitsError):
            await pool.hash("secret", "queue", lambda: False)
        pool.close()

    run(scene())


def test_who_fills_a_queue_delays_nobody_in_another(monkeypatch):
    checked, begun, go_on = [], threading.Event(), threading.Event()

    def check(password, _):
        begun.set()
        checked.append(password)
        return go_on.wait(5)

    monkeypatch.setattr("locator.accounts.is_password", check)

    async def scene():
        pool = PasswordPool(threads=1, longest_wait=10.5 * limits.HASH_SECONDS_AT_FIRST)

        def asks(name, queue):
            return asyncio.create_task(pool.verify(name, "$argon2id$ of it", queue, wanted))

        flood = [asks("flood", "enemy") for _ in range(20)]
        await asyncio.to_thread(begun.wait, 5)
        others = [asks(name, name) for name in ("ana", "bo")]
        await asyncio.sleep(0)
        go_on.set()
        refused = [task for task in await asyncio.gather(*flood, return_exceptions=True) if task is not True]
        assert await asyncio.gather(*others) == [True, True]
        assert len(refused) >= 9
        assert all(isinstance(error, TooManyPasswordsError) for error in refused)
        pool.close()

    run(scene())
    assert checked.index("ana") <= 2
    assert checked.index("bo") <= 3


def test_short_checks_are_handed_over_before_the_thread_stands_idle():
    go_on = threading.Event()

    async def scene():
        pool = PasswordPool(threads=1)
        waiting = [asyncio.create_task(pool.check(lambda: go_on.wait(5), "queue")) for _ in range(5)]
        await asyncio.sleep(0)
        assert pool.gauges()["passwords_running"]() == 5
        go_on.set()
        assert await asyncio.gather(*waiting) == [True] * 5
        pool.close()

    run(scene())


def test_a_thousand_of_the_course_are_taken_at_once_before_any_was_measured():
    async def scene():
        pool = PasswordPool(threads=1)
        assert await asyncio.gather(*(pool.check(lambda: True, "queue") for _ in range(1_000))) == [True] * 1_000
        pool.close()

    run(scene())


def test_closing_the_pool_drops_what_waits():
    begun, go_on = threading.Event(), threading.Event()

    def check():
        begun.set()
        return go_on.wait(5)

    async def scene():
        pool = PasswordPool(threads=1)
        works = [asyncio.create_task(pool.check(check, "queue"))]
        works += [asyncio.create_task(pool.hash("secret", "queue", wanted)) for _ in range(3)]
        await asyncio.to_thread(begun.wait, 5)
        pool.close()
        go_on.set()
        return await asyncio.gather(*works, return_exceptions=True)

    first, *others = run(scene())
    assert first is True
    assert all(isinstance(other, asyncio.CancelledError) for other in others)


def test_a_check_that_fails_spoils_no_other_of_its_batch():
    def fails():
        raise ValueError("no hash")

    async def scene():
        pool = PasswordPool(threads=1)
        works = [lambda: True, fails, lambda: False]
        results = await asyncio.gather(*(pool.check(work, "queue") for work in works), return_exceptions=True)
        pool.close()
        return results

    right, failed, wrong = run(scene())
    assert (right, wrong) == (True, False)
    assert isinstance(failed, ValueError)


def test_the_course_s_short_checks_take_turns_with_long_ones(monkeypatch):
    order, begun, go_on = [], threading.Event(), threading.Event()

    def check(password, _):
        begun.set()
        order.append(password)
        return go_on.wait(5)

    monkeypatch.setattr("locator.accounts.is_password", check)

    async def scene():
        pool = PasswordPool(threads=1)
        own = [asyncio.create_task(pool.verify("own", "$argon2id$ of it", "queue", wanted)) for _ in range(50)]
        await asyncio.to_thread(begun.wait, 5)
        course = [asyncio.create_task(pool.check(lambda: not order.append("course"), "queue")) for _ in range(15)]
        await asyncio.sleep(0)
        go_on.set()
        assert await asyncio.gather(*own, *course) == [True] * 65
        pool.close()

    run(scene())
    assert order.index("course") <= 3
    assert order[-1] == "own"
