"""What happens on the tour, step by step; each step fails if a person would not see what it promises."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.tour.chapters import arriving, befriending, calling, grouping, leaving, returning, sharing, talking

PEOPLE = ("ana", "bo", "chen")
"""Who takes part, in the order in which they sit."""


@dataclass(frozen=True)
class Step:
    """One thing that is done and looked at, in the windows of those who take part in it."""

    title: str
    act: Callable[..., str | None]
    """Gets the windows in the order of `people`; may return what it measured."""
    people: tuple[str, ...] = ("ana", "bo")


STEPS = [
    Step("Ana and Bo open Hail", arriving.open_hail),
    Step("Ana hosts a locator", arriving.host),
    Step("Bo finds it", arriving.find),
    Step("Ana mistypes her new password", arriving.mistype_the_password),
    Step("both create accounts and sign in", arriving.create_accounts),
    Step("Ana asks for an ID that nobody has", befriending.ask_somebody_unknown),
    Step("Ana adds Bo by ID", befriending.ask),
    Step("Bo accepts", befriending.accept),
    Step("they write English, 中文 and emoji", talking.talk),
    Step("Ana sees that Bo has read", talking.read_marks),
    Step("Ana looks for an emoji in English and 中文", talking.choose_an_emoji),
    Step("Ana sends a screenshot", talking.take_a_screenshot),
    Step("Bo's process is killed", returning.bo_is_killed),
    Step("Ana writes on", returning.ana_writes_on),
    Step("Bo returns and has all of it", returning.bo_returns),
    Step("Bo's lid closes in mid-typing", returning.lid_closes),
    Step("Bo starts Hail a second time", returning.start_twice),
    Step("they compare their safety number", befriending.compare),
    Step("Bo turns his window dark", talking.turn_dark),
    Step("Ana sends a picture", sharing.send_a_picture),
    Step("Ana sends a file of 10 MB, and Bo fetches it", sharing.send_a_file),
    Step("Bo pauses a file of 500 MB on its way", sharing.pause_a_large_file),
    Step("it goes on, and is the same byte for byte", sharing.go_on_with_it),
    Step("Ana records a voice message", sharing.record_a_voice_message),
    Step("Ana sends it, and Bo hears it", sharing.hear_it),
    Step("Ana calls Bo, and it rings", calling.ring),
    Step("Bo answers, and hears for ten seconds what Ana says", calling.talk),
    Step("Ana mutes herself, and Bo hangs up", calling.hang_up),
    Step("Chen joins with the link that Ana copies", arriving.join, ("ana", "chen")),
    Step("Chen and Ana become contacts", befriending.meet_chen, ("ana", "chen")),
    Step("Ana makes a group", grouping.make_a_group, PEOPLE),
    Step("all three write", grouping.all_write, PEOPLE),
    Step("they answer, react, correct and take back", grouping.answer_and_correct, PEOPLE),
    Step("Chen's process is killed", grouping.chen_is_killed, PEOPLE),
    Step("Ana writes to the group twice", grouping.write_to_who_is_away, PEOPLE),
    Step("Ana leaves the group", grouping.leave_the_group, PEOPLE),
    Step("Ana quits, and her locator stays", leaving.keep_hosting),
    Step("Chen returns and has it all from Bo", grouping.chen_returns, ("bo", "chen")),
    Step("Ana is back, and is asked what becomes of the locator", leaving.ana_leaves),
    Step("Ana stops hosting and quits", leaving.nobody_hosts),
]
