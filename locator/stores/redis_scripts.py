"""What happens in Redis in one step: scripts in Lua. No rule about accounts is here, except which session is newest.

Each begins with (fingerprint and founding, who writes) in ARGV, and fails if the store is not the one it was: a Redis
that was emptied is never written to, and nobody is taken for removed by it.
"""

from locator.stores.redis_rows import ACCOUNTS, AUTHORITY, CHANNEL, COURSE, LEASES, NODES, NUMBER, Kind

OTHER_STORE = "HAILOTHER"
"""How the error begins that tells of an emptied or exchanged Redis."""

_WRITE = f"""
if redis.call('GET', '{AUTHORITY}') ~= ARGV[1] then
    return redis.error_reply('{OTHER_STORE} this is not the store it was')
end
local function write(rows, kind, key, rest)
    local number = redis.call('INCR', '{NUMBER}')
    if rest == '' then
        redis.call('HDEL', rows, key)
    else
        redis.call('HSET', rows, key, number .. ' ' .. rest)
    end
    redis.call('PUBLISH', '{CHANNEL}', table.concat({{number, kind, ARGV[2], key, rest}}, ' '))
    return number
end
local function lease_of(user)
    local row = redis.call('HGET', '{LEASES}', user)
    if row then
        return row, string.match(row, '^%d+ (%d+) (%S+) ')
    end
    return ''
end
"""

FOUND = f"""
if redis.call('EXISTS', '{ACCOUNTS}', '{NUMBER}') == 0 then
    redis.call('SETNX', '{AUTHORITY}', ARGV[1])
end
return redis.call('GET', '{AUTHORITY}')
"""
"""Begin a store for an authority, unless there is one. ARGV: fingerprint and founding."""

READ_ACCOUNT = (
    _WRITE
    + f"""
return redis.call('HGET', '{ACCOUNTS}', ARGV[3]) or ''
"""
)
"""Return an account's row, or nothing. ARGV: …, user."""

CHANGE_ACCOUNT = (
    _WRITE
    + f"""
local user, expected, session, packed = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local row = redis.call('HGET', '{ACCOUNTS}', user) or ''
if (string.match(row, '^%d+') or '0') ~= expected then
    return {{0, row}}
end
return {{write('{ACCOUNTS}', '{Kind.ACCOUNT}', user, packed == '' and '' or session .. ' ' .. packed), ''}}
"""
)
"""Write an account if it is still the one that was decided on; this is how a newer session takes over.

ARGV: …, user, number of the known row (0: none), session, packed account (empty: remove it).
Returns (number of the change, nothing), or (0, the row as it is).
"""

PUT_LEASE = (
    _WRITE
    + f"""
local user, session, packed, again = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local account = redis.call('HGET', '{ACCOUNTS}', user) or ''
local row, its_session, its_node = lease_of(user)
local is_newest = string.match(account, '^%d+ (%d+) ') == session
if not is_newest or (again == '1' and its_session == session and its_node ~= ARGV[2]) then
    return {{0, account, row}}
end
local rest = session .. ' ' .. ARGV[2] .. ' ' .. packed
if string.match(row, '^%d+ (.*)$') == rest then
    return {{tonumber(string.match(row, '^%d+')), '', ''}}
end
return {{write('{LEASES}', '{Kind.LEASE}', user, rest), '', ''}}
"""
)
"""Say that a session is present at the writing node, if it is the newest.

ARGV: …, user, session, packed lease, again (1: after a gap; then another node that has the session keeps it).
Returns (number of the change, nothing, nothing), or (0, the account's row, the lease's row).
"""

END_LEASE = (
    _WRITE
    + f"""
local _, its_session, its_node = lease_of(ARGV[3])
if its_session == ARGV[4] and its_node == ARGV[2] then
    return write('{LEASES}', '{Kind.LEASE}', ARGV[3], '')
end
return 0
"""
)
"""Say that a session has ended at the writing node; a newer one, or one elsewhere, stays. ARGV: …, user, session."""

MOVE_ON_COURSE = (
    _WRITE
    + f"""
if ARGV[4] ~= '' or redis.call('HEXISTS', '{COURSE}', ARGV[3]) == 1 then
    return write('{COURSE}', '{Kind.COURSE}', ARGV[3], ARGV[4])
end
return 0
"""
)
"""Say that somebody logged in on the course port, or out. ARGV: …, user, "<address> <at>" or nothing."""

BEAT = (
    _WRITE
    + f"""
local before = redis.call('HGET', '{NODES}', ARGV[2])
local beat = before and tonumber(string.match(before, '^%d+')) + 1 or 1
redis.call('HSET', '{NODES}', ARGV[2], beat .. ' ' .. ARGV[3])
return {{before and 1 or 0, tonumber(redis.call('GET', '{NUMBER}') or 0), redis.call('HGETALL', '{NODES}')}}
"""
)
"""Say that the writing node lives. ARGV: …, its HOST:PORT. Returns (was known, number of the last change, all nodes).

No clock is asked: whoever sees a node's beat stand still for long enough, by a clock of its own, buries it.
"""

BURY = (
    _WRITE
    + f"""
local row = redis.call('HGET', '{NODES}', ARGV[3])
if not row or (ARGV[4] ~= '' and string.match(row, '^%d+') ~= ARGV[4]) then
    return 0
end
redis.call('HDEL', '{NODES}', ARGV[3])
local leases = redis.call('HGETALL', '{LEASES}')
for place = 1, #leases, 2 do
    local _, its_node = string.match(leases[place + 1], '^%d+ (%d+) (%S+) ')
    if its_node == ARGV[3] then
        redis.call('HDEL', '{LEASES}', leases[place])
    end
end
return write('{NODES}', '{Kind.GONE}', ARGV[3], '')
"""
)
"""End a node with all its leases. ARGV: …, node, the beat at which it stood still (empty: whichever)."""

ALL = (FOUND, READ_ACCOUNT, CHANGE_ACCOUNT, PUT_LEASE, END_LEASE, MOVE_ON_COURSE, BEAT, BURY)
