"""Every limit of the signalling of calls that the other side does not see, with the reason for its value."""

CALL_TICK_SECONDS = 1.0
"""So often it is looked whether something of a call is due."""
CALL_REACH_SECONDS = 15.0
"""Who could not be told of a call within this time counts as not to be reached."""
CALLS_RUNG_AT_ONCE = 5
CALLS_RUNG_A_SECOND = 1 / 20
"""How often one person may ring here: so many times in a row, then every 20 s; more are answered `rate_limited`."""
CALLS_STARTED_AT_ONCE = 10
CALLS_STARTED_A_SECOND = 1 / 6
"""How often a person or a script here may call: so many times in a row, then every 6 s."""
CALL_MEMBERS_RUNG = 32
"""Members of a group who are rung at once, and linked with for it; others find the call when they look."""
CALL_MOVES_SECONDS = 45.0
"""A group's call that is older moves no more to another one that somebody began at the same time."""
CALL_PEOPLE_TOLD_SECONDS = 5.0
"""Who is in a group's call is told again so often, in case something was lost."""
CALL_SOUGHT_SECONDS = 30.0
"""Those in a call, and those who might join, are dialled again so often while they have no link."""
CALL_AGAIN_SECONDS = 15.0
"""Who left a group's call is not taken back in on somebody else's word before this time."""
CALLS_KNOWN = 64
"""Calls that go on without us, as others told; of more nothing is kept."""
CALLS_OVER_REMEMBERED = 64
"""Calls that ended, so that what comes late of one is not taken for a new one."""
CALLS_OVER_UNHEARD = 64
"""Ends of calls that somebody did not confirm yet."""
CALL_OVER_SECONDS = 60.0
"""They are told again on a new link for so long; after 15 s the other side has noticed by itself."""
SOUND_COMMANDS_WAITING = 128
"""Commands that wait for the voice process; more end the call: it does not keep up."""
