"""Every maximum and every wait of the locator that is not part of the wire, named once."""

from typing import NamedTuple


class Rate(NamedTuple):
    """So many at once, then one more every so many seconds."""

    at_once: int
    seconds_each: float


# --- connections -----------------------------------------------------------------------------
CONNECTIONS = 20_000
"""Connections at once, or fewer where the system gives fewer open files. A newcomer replaces the one that nobody
logged in on for longest; while somebody is logged in on each, it is hung up on."""
ADDRESSES_REMEMBERED = 4_096
"""Addresses that were read once, so that they are not read again, for each way of reading them: a campus, 1 MB."""
SPARE_FILES = 64
"""Open files kept back from connections: the database, its log, the listening sockets, standard streams."""
CONNECTIONS_PER_ADDRESS = Rate(12_000, 0.01)
"""New connections from one address: 10,000 devices behind a reverse tunnel that come back at once, each with a second
try; then 100 a second, whose handshakes take a twentieth of a processor. More are closed before their handshake."""
STRANGERS_PER_ADDRESS = 2_500
"""Connections from one address on which nobody is logged in (yet): 1,000 devices that come back at once, each with one
that was lost on the way; about 90 MB."""
QUICK_LOGIN_SECONDS = 3.0
"""A device logs in within this time after it connected, even far away and in a crowd. At the limit of an address, who
sits for longer goes for a newcomer; while nobody does, the newcomer has to come again."""
ACCEPTS_AT_ONCE = 16
"""Connections taken from the system before look-ups get a turn: their handshakes take about 6 ms."""
REFUSALS_AT_ONCE = 256
"""Connections closed unheard before look-ups get a turn: about 3 ms."""
ACCEPT_AGAIN_SECONDS = 1.0
"""How long nothing is accepted after the system had no room for another connection."""
BACKLOG = 1_024
"""Connections the system may hold for us before we accept them: a whole class pressing the button at once."""
BEFORE_LOGIN_SECONDS = 30.0
"""A connection that nobody logs in on is hung up on after this time; one that was hung up on and still is not gone
after this time, because the other side takes nothing, is cut."""
REQUESTS_BEFORE_LOGIN = 32
"""Requests answered on a connection on which nobody is logged in: a person's mistakes at a password."""
THREAD_SWITCH_SECONDS = 0.0005
"""How long a thread waits until the other one lets go of the interpreter: a course password's hash takes as long, and
with Python's own 5 ms the threads that hash stand idle most of the time beside a busy loop."""
GOODBYE_SECONDS = 0.8
"""How long a hang-up waits for the other side's TLS farewell, and a stop for all of them."""
TLS_READ_BYTES = 16 * 1024
"""Read buffer of one TLS connection: one TLS record. asyncio's own 256 KiB are zero-filled for every one."""
REQUESTS_AT_ONCE = 256
"""Requests of one connection answered before the others get a turn: about a millisecond of look-ups."""
ANSWERS_BYTES = 256 * 1024
"""Bytes of answers made for one client in one go, and waiting for it before its next requests wait, too."""
UNREAD_BYTES = 4 * 1024 * 1024
"""Bytes waiting for a client that does not read; with more, it is hung up on."""

CONNECTIONS_GONE_BEFORE_TRIM = 200
"""Connections that ended before free memory is given back: their handshakes took 70 ms, the giving back takes 3."""

# --- the local network -----------------------------------------------------------------------
ANNOUNCEMENT_FAREWELL_SECONDS = 0.8
"""How long a stop waits until the network has heard that this locator goes."""
ADDRESS_LOOK_SECONDS = 5.0
"""The locator looks this often whether its machine has another address; one question to the routing table."""
STOP_SECONDS = 5.0
"""How long the `stop` command waits for a locator to end."""

# --- presence --------------------------------------------------------------------------------
GRACE_SECONDS = 2.0
"""A lost connection counts as online for so long, so that a reconnect does not flap on friends' screens."""
SWEEP_SECONDS = 0.25
"""Leases, graces and deadlines are looked at this often."""

OVERSLEPT_SECONDS = 1.0
"""A look that comes so much later than planned means that this process stood still, not that everybody was silent."""

# --- passwords -------------------------------------------------------------------------------
PASSWORD_WAIT_SECONDS = 8.0
"""Passwords are taken until the last one would wait this long, well within a client's patience (15 s)."""
PASSWORD_TURN_SECONDS = 0.01
"""A queue's turn: one of Hail's passwords, or some twenty of the course's."""
PASSWORDS_AHEAD_SECONDS = 0.015
"""With less work than this the threads get another turn before they ask for it: two of the course's, one of Hail's."""
HASH_SECONDS_AT_FIRST = 0.02
"""What one hash is believed to take before any was measured."""
COURSE_HASH_SECONDS_AT_FIRST = 0.0005
"""The same of the course's."""

# --- how often -------------------------------------------------------------------------------
# An address is an IPv4 address or an IPv6 /64. Behind one there may be a class of 300 (NAT), or everybody (a reverse
# tunnel, a container's bridge): each number lets an honest crowd through at once, and stops who goes on like that.
PASSWORDS_PER_ADDRESS = Rate(1_200, 2.0)
"""Passwords tried from one address by people who were never let in from there: a class of 300 at 8:00 with three
mistakes each; later 1,800 an hour. Who was let in from there before is not counted."""
WRONG_PASSWORDS_PER_ACCOUNT_AND_ADDRESS = Rate(10, 120.0)
"""Wrong passwords for one ID from one address: a person remembers, or asks, after ten; a program gets 30 an hour."""
WRONG_PASSWORDS_PER_ACCOUNT = Rate(100, 12.0)
"""Wrong passwords for one ID from all addresses on which it was never let in: 7,200 guesses a day for any number of
machines. Ten addresses at 30 an hour are needed to use it up: no single stranger can."""
REGISTRATIONS_PER_ADDRESS = Rate(600, 12.0)
"""Tries to make an account from one address: a class of 300, each with one ID that was taken; then a class an hour."""
HOMES_PER_USER = 8
"""Addresses remembered for each user as those it was let in from: home, campus, a telephone's."""
BUCKETS = 16_384
"""Addresses or IDs remembered for each limit, a few MB: the honest ones of a whole campus."""

# --- the store -------------------------------------------------------------------------------
STORE_BUSY_SECONDS = 5.0
"""How long one process waits for another that writes to the accounts."""
STORE_LOOK_SECONDS = 0.25
"""The running locator looks this often whether an operator's command changed accounts."""

# --- rosters ---------------------------------------------------------------------------------
ROSTER_BYTES = 8 * 1024 * 1024
"""A class list is kilobytes; a whole university's is a few megabytes."""
ROSTER_LINES_OF_A_ROW = 10
"""Lines that one row may have because of line ends inside its cells."""
ROSTER_ROWS = 50_000
"""Rows of one list: each costs a password hash."""

# --- the course port -------------------------------------------------------------------------
COURSE_ID_DIGITS = 10
COURSE_COMMAND_BYTES = 512
"""Bytes of one command: an ID, an underscore and a password."""
COURSE_SILENCE_SECONDS = 0.05
"""A login has no end of its own; after so long without another byte it is whole."""
COURSE_CONNECTIONS = 4_000
"""Connections at once; with more, the one that was silent for longest is hung up on."""
COURSE_CONNECTIONS_PER_ADDRESS = 2_000
"""Of these from one address; with more, the one of its own that was silent for longest is hung up on."""
COURSE_UNKNOWN_IDS_PER_ADDRESS = Rate(100_000, 0.05)
"""Answers that there is no such ID to one address: a class's programs that ask for last year's friends over and over.
Later ones are held back, so that trying out all IDs takes its time."""
COURSE_HELD_BACK_SECONDS = 10.0
"""An answer that would be held back for longer is not given; the connection is hung up on."""
COURSE_WRONG_PASSWORDS = Rate(100, 10.0)
"""Wrong passwords for one ID from one address; what comes sooner is not checked, and not accepted."""
COURSE_AHEAD_BYTES = 4 * 1024
"""Bytes of commands kept of one client while earlier ones wait for their answers; what more it sends stays unread."""
COURSE_UNREAD_BYTES = 64 * 1024
"""Bytes of answers waiting for a client; with more it is hung up on."""
COURSE_LEASE_SECONDS = 12 * 3600.0
"""A login counts for so long without another: these clients say nothing to keep it."""

# --- several locators on one Redis -----------------------------------------------------------
REDIS_ANSWER_SECONDS = 2.0
"""Redis answers in well under a millisecond; one that takes so long is out of reach."""
REDIS_FAREWELL_SECONDS = 0.4
"""A locator that stops tells the others within this time, or they notice by themselves."""
REDIS_RETRY_SECONDS = 0.5
"""A Redis out of reach is tried again so often."""
REDIS_ROWS_AT_ONCE = 200
"""Rows read or written in one go: a few milliseconds of the loop."""
REDIS_CONFLICTS = 1_000
"""Times that a change is decided anew because others were faster; each time somebody's change was made."""
COURSE_MOVES_WAITING = 20_000
"""Logins and logouts on the course port that wait for Redis; with more the oldest are not told."""
OUT_OF_TOUCH_SECONDS = 5.0
"""Who cannot log in because Redis is out of reach is asked to come again after this time."""
NODE_BEAT_SECONDS = 2.0
"""A locator of several says so often that it lives."""
NODE_SILENT_SECONDS = 8.0
"""One whose beat stands still for so long is lost, and its sessions with it."""

# --- the log ---------------------------------------------------------------------------------
LOG_STRETCH_SECONDS = 10.0
"""For so long lines of a kind are counted together."""
LOG_LINES_OF_A_KIND = 5
"""Lines about the same event, user and address in a stretch; more are summed up in one."""
LOG_KINDS = 500
"""Kinds told apart in a stretch; more are counted by their event alone."""
LOG_LINES = 1_000
"""Lines about addresses in a stretch, whatever kinds they are of."""
LOG_LOOK_SECONDS = 1.0
"""How often it is looked whether sums are to be told."""
LOG_USERS = 20
"""IDs named in one line."""

# --- metrics ---------------------------------------------------------------------------------
METRICS_LOOK_SECONDS = 0.5
"""How often the metrics thread looks whether it is to end."""
METRICS_END_SECONDS = 0.6
"""How long its end is waited for."""
METRICS_ANSWER_SECONDS = 2.0
"""How long a scrape waits until the loop has read its numbers."""
METRICS_CLIENT_SECONDS = 1.0
"""How long a client of the metrics port may sit still."""
