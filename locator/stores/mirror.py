"""One node's picture of what several share: pure, brought up to date by rows and publications.

It also knows what this node itself claims: which sessions are present here. Who else has one is told as news.
"""

from dataclasses import dataclass
from typing import NamedTuple

from locator.stores.interface import Account, Arrived, CoursePresence, Lease, LeaseEnd, Left, News
from locator.stores.redis_rows import (
    AccountRow,
    CourseRow,
    Kind,
    LeaseRow,
    Publication,
    read_account,
    read_course,
    read_lease,
)
from protocol.identity import UserId


class MissedChangeError(Exception):
    """A publication did not come: everything has to be read again."""


class Snapshot(NamedTuple):
    """Everything, as it was read."""

    number: int
    """Of the last change before reading began; what came after it may be in the rows or not."""
    accounts: dict[UserId, AccountRow]
    leases: dict[UserId, LeaseRow]
    course: dict[UserId, CourseRow]


@dataclass(slots=True)
class Claim:
    """A session that is present at this node."""

    lease: Lease
    number: int | None = None
    """The change that told the others; None: they have not been told yet."""


class Mirror:
    """What `find` answers from, and what is news."""

    def __init__(self, node: str) -> None:
        """`node` is this node, whose own changes are no news."""
        self._node = node
        self.number = 0
        """Of the last change that was heard of, without a gap."""
        self._accounts: dict[UserId, Account] = {}
        self._account_numbers: dict[UserId, int] = {}
        self._leases: dict[UserId, LeaseRow] = {}
        """Sessions at other nodes."""
        self._course: dict[UserId, CourseRow] = {}
        self.claims: dict[UserId, Claim] = {}
        self._made_while_reading: dict[UserId, AccountRow] | None = None
        self._changed: set[UserId] = set()
        self._movements: list[Arrived | Left | CoursePresence] = []
        self.was_buried = False
        """Whether the others took this node for lost: what it claims must be told again."""

    def find(self, user: UserId) -> Account | None:
        """Return an account."""
        return self._accounts.get(user)

    def accounts(self) -> dict[UserId, Account]:
        """Return all accounts, by ID."""
        return dict(sorted(self._accounts.items()))

    def account_row(self, user: UserId) -> AccountRow:
        """Return an account and the number of the change that wrote it."""
        return AccountRow(self._account_numbers.get(user, 0), self._accounts.get(user))

    def take_news(self) -> News:
        """Return what changed elsewhere since the last call."""
        news = News(frozenset(self._changed), tuple(self._movements))
        self._changed, self._movements = set(), []
        return news

    # --- what this node does -------------------------------------------------------------------

    def take_account(self, user: UserId, row: AccountRow, *, is_news: bool) -> None:
        """An account is so now."""
        if self._made_while_reading is not None:
            self._made_while_reading[user] = row
        if row.number < self._account_numbers.get(user, 0):
            return
        is_news = is_news and row.account != self._accounts.get(user)
        if row.account is None:
            self._accounts.pop(user, None)
            self._account_numbers.pop(user, None)
        else:
            self._accounts[user] = row.account
            self._account_numbers[user] = row.number
        if is_news:
            self._changed.add(user)

    def claim(self, lease: Lease) -> None:
        """A session is present here."""
        self.claims[lease.user] = Claim(lease)

    def end_claim(self, end: LeaseEnd) -> None:
        """A session is present here no more."""
        claim = self.claims.get(end.user)
        if claim is not None and claim.lease.session == end.session:
            del self.claims[end.user]

    def claim_was_refused(self, lease: Lease, account: AccountRow, row: LeaseRow | None) -> None:
        """The store has a newer session, or another node has this one: say so, as if it had just been heard."""
        claim = self.claims.get(lease.user)
        if claim is None or claim.lease != lease:
            return
        del self.claims[lease.user]
        self.take_account(lease.user, account, is_news=False)
        self._changed.add(lease.user)
        if row is not None and row.node != self._node:
            self._take_lease(row)

    # --- what is heard -------------------------------------------------------------------------

    def hear(self, publication: Publication) -> None:
        """Take in one change; raise MissedChangeError if one before it did not come, UnreadableRowError."""
        if publication.number <= self.number:
            return  # read already
        if publication.number != self.number + 1:
            raise MissedChangeError
        self.number = publication.number
        match publication.kind:
            case Kind.GONE:
                self._lose_node(publication.key)
            case Kind.ACCOUNT:
                self._hear_account(publication)
            case Kind.LEASE:
                self._hear_lease(publication)
            case Kind.COURSE:
                self._hear_course(publication)

    def begin_reading(self) -> None:
        """Everything is about to be read: what this node changes meanwhile is newer than what may be read."""
        self._made_while_reading = {}

    def replace(self, snapshot: Snapshot) -> None:
        """Take what was read for the truth, and find out what of it is news."""
        made, self._made_while_reading = self._made_while_reading or {}, None
        self.number = snapshot.number
        self.was_buried = False
        before = self._accounts
        self._accounts = {user: row.account for user, row in snapshot.accounts.items() if row.account is not None}
        self._account_numbers = {user: row.number for user, row in snapshot.accounts.items()}
        for user, account in made.items():
            self.take_account(user, account, is_news=False)
        self._changed |= {
            user for user in before.keys() | self._accounts.keys() if before.get(user) != self._accounts.get(user)
        }
        # A session here that is not the newest any more is noticed with its account.
        self._changed |= self.claims.keys()
        elsewhere = {user: row for user, row in snapshot.leases.items() if row.node != self._node}
        for user in self._leases.keys() - elsewhere.keys():
            del self._leases[user]
            self._movements.append(Left(user, may_return=True))
        for row in elsewhere.values():
            self._take_lease_if_new(row)
        for user in self._course.keys() - snapshot.course.keys():
            del self._course[user]
            self._movements.append(CoursePresence(user, "", 0.0))
        for course in snapshot.course.values():
            self._take_course(course, is_news=course != self._course.get(course.presence.user))

    # --- inside ----------------------------------------------------------------------------------

    def _hear_account(self, heard: Publication) -> None:
        row = read_account(heard.row) if heard.rest else AccountRow(heard.number, None)
        self.take_account(UserId(heard.key), row, is_news=heard.writer != self._node)

    def _hear_lease(self, heard: Publication) -> None:
        user = UserId(heard.key)
        claim, row = self.claims.get(user), read_lease(heard.row) if heard.rest else None
        if heard.writer == self._node:
            self._leases.pop(user, None)
            if claim is not None and row is not None and claim.lease == row.lease:
                claim.number = row.number  # the channel may be faster than the script's answer
        elif row is not None:
            is_before = claim is not None and (claim.number is None or claim.number > row.number)
            if claim is not None and claim.lease.session >= row.lease.session and is_before:
                return  # the others hear of the one here after this one, or have: here it stays
            self.claims.pop(user, None)
            self._take_lease(row)
        elif self._leases.pop(user, None) is not None:
            self._movements.append(Left(user, may_return=False))

    def _hear_course(self, heard: Publication) -> None:
        user, is_news = UserId(heard.key), heard.writer != self._node
        if heard.rest:
            self._take_course(read_course(user, heard.row), is_news=is_news)
        elif self._course.pop(user, None) is not None and is_news:
            self._movements.append(CoursePresence(user, "", 0.0))

    def _take_lease_if_new(self, row: LeaseRow) -> None:
        if row.lease.user not in self.claims and row != self._leases.get(row.lease.user):
            self._take_lease(row)

    def _take_lease(self, row: LeaseRow) -> None:
        self._leases[row.lease.user] = row
        self._movements.append(Arrived(row.lease))

    def _take_course(self, row: CourseRow, *, is_news: bool) -> None:
        self._course[row.presence.user] = row
        if is_news:
            self._movements.append(row.presence)

    def _lose_node(self, node: str) -> None:
        if node == self._node:
            self.was_buried = True
        for user in [user for user, row in self._leases.items() if row.node == node]:
            del self._leases[user]
            self._movements.append(Left(user, may_return=True))
