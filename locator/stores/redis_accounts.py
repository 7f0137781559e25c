"""Accounts in Redis: changed by whoever decides first, by the same rules as everywhere.

What a change makes of an account is decided here, from the account as known; Redis writes the outcome only if that is
still the account it has. Else it answers with the account it has, and the change is decided again.
"""

import asyncio
from collections import defaultdict

from locator import limits
from locator.stores.changes import changed
from locator.stores.interface import Account, Change, RemoveAccount, StoreFailedError
from locator.stores.mirror import Mirror
from locator.stores.redis_address import RedisAddress
from locator.stores.redis_link import RedisLink
from locator.stores.redis_rows import NO_NODE, AccountRow
from protocol.errors import RefusalCode
from protocol.identity import UserId


async def make_changes(link: RedisLink, mirror: Mirror, changes: list[Change]) -> list[Account | None]:
    """Make changes, those of one account in their order; see `Store.make`."""
    made: list[Account | None] = [None] * len(changes)
    waiting: dict[UserId, list[int]] = defaultdict(list)
    for place, change in enumerate(changes):
        waiting[change.user].append(place)
    for _ in range(limits.REDIS_CONFLICTS):
        if not waiting:
            return made
        decided = {user: _decide(mirror.account_row(user), changes, places, made) for user, places in waiting.items()}
        for user, answer in await _settle(link, mirror, decided):
            if answer is None:
                del waiting[user]
            else:
                # One that was removed has no number any more: it is gone if nothing newer was heard meanwhile.
                there = answer._replace(number=answer.number or decided[user].number)
                mirror.take_account(user, there, is_news=True)
    raise StoreFailedError(RefusalCode.REFUSED, "Too many change this account at the same time. Try again.")


async def _settle(
    link: RedisLink, mirror: Mirror, decided: dict[UserId, AccountRow]
) -> list[tuple[UserId, AccountRow | None]]:
    """Have what was decided written; tell for each user that it is done, or the row on which to decide again."""
    wanted = [(user, row) for user, row in decided.items() if row.account is not mirror.find(user)]
    left_alone = [user for user, row in decided.items() if row.account is mirror.find(user)]
    answers = await link.change_accounts(wanted) if wanted else []
    settled: list[tuple[UserId, AccountRow | None]] = []
    for (user, row), answer in zip(wanted, answers, strict=True):
        if isinstance(answer, int):
            mirror.take_account(user, AccountRow(answer, row.account), is_news=False)
        settled.append((user, None if isinstance(answer, int) else answer))
    # That nothing is to be done must be as true of the account in Redis.
    for user, there in await link.read_accounts(left_alone):
        settled.append((user, None if there.number == decided[user].number else there))
    return settled


def _decide(known: AccountRow, changes: list[Change], places: list[int], made: list[Account | None]) -> AccountRow:
    """Put into `made` what each of an account's changes gives; return what becomes of it, under the known number."""
    account = known.account
    for place in places:
        change = changes[place]
        after = made[place] = changed(account, change)
        if after is not None:
            account = None if isinstance(change, RemoveAccount) else after
    return AccountRow(known.number, account)


class AccountsInRedis:
    """What the commands use, beside the locators that run: the same face as `AccountsFile`."""

    def __init__(self, address: RedisAddress) -> None:
        """Connect; raise StoreFailedError if no locator ever served from there."""
        self._runner = asyncio.Runner()
        self._link = RedisLink(address, NO_NODE)
        self._mirror = Mirror(NO_NODE)
        try:
            self._runner.run(self._open(address))
        except BaseException:
            self.close()
            raise

    def read_all(self) -> dict[UserId, Account]:
        """Return every account, by ID."""
        return self._runner.run(self._read_all())

    def make(self, changes: list[Change]) -> list[Account | None]:
        """Make changes; each gives the account after it, or None if its condition did not hold."""
        return self._runner.run(self._make(changes))

    def copy(self, accounts: list[Account]) -> list[Account]:
        """Write accounts as they are, sessions and devices too, where there is none of that ID; return which."""
        rows = [(account.user, AccountRow(0, account)) for account in accounts]
        answers = self._runner.run(self._link.change_accounts(rows))
        return [account for account, answer in zip(accounts, answers, strict=True) if isinstance(answer, int)]

    def close(self) -> None:
        """Hang up."""
        self._runner.run(self._link.close())
        self._runner.close()

    async def _open(self, address: RedisAddress) -> None:
        mark = await self._link.mark()
        if not mark:
            sentence = f"The {address} holds no accounts yet. Start a locator on it first: hail-locator serve --store …"
            raise StoreFailedError(RefusalCode.REFUSED, sentence)
        self._link.expect(mark)
        await self._link.load_scripts()

    async def _make(self, changes: list[Change]) -> list[Account | None]:
        for user, row in await self._link.read_accounts(sorted({change.user for change in changes})):
            self._mirror.take_account(user, row, is_news=False)
        return await make_changes(self._link, self._mirror, changes)

    async def _read_all(self) -> dict[UserId, Account]:
        self._mirror.replace(await self._link.read_all())
        return self._mirror.accounts()
