"""Times and dates as a person says them, in the form of the person's country."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from PySide6.QtCore import QCoreApplication, QDate, QLocale, QTime

_DAYS_BY_NAME = 6
"""A day is called by its weekday for so long; then by its date."""


def local(moment: datetime) -> datetime:
    """Return the moment on this device's clock."""
    return moment.astimezone()


@lru_cache(maxsize=4096)
def local_day(moment: datetime) -> date:
    """Return the day on this device's calendar. Remembered: a list asks for each row's many times."""
    return local(moment).date()


def today() -> date:
    """Return the day it is here."""
    return datetime.now(UTC).astimezone().date()


@lru_cache(maxsize=4096)
def clock(moment: datetime) -> str:
    """Return the time of day: 14:03."""
    here = local(moment)
    return QLocale().toString(QTime(here.hour, here.minute), "HH:mm")


def day(moment: datetime) -> str:
    """Return the day as it stands between messages: Today, Yesterday, Tue 3 Nov 2026."""
    when = local(moment).date()
    near = _near_day(when)
    return near or QLocale().toString(_qdate(when), "ddd d MMM yyyy")


def full(moment: datetime) -> str:
    """Return the moment to the second: Tue 3 Nov 2026, 14:03:09."""
    here = local(moment)
    time = QTime(here.hour, here.minute, here.second)
    return f"{QLocale().toString(_qdate(here.date()), 'ddd d MMM yyyy')}, {QLocale().toString(time, 'HH:mm:ss')}"


def brief(moment: datetime) -> str:
    """Return the shortest that is clear in a list: 14:03, Yesterday, Sat, 3 Nov, 3 Nov 2025."""
    when = local(moment).date()
    age = today() - when
    if age == timedelta(0):
        return clock(moment)
    if age == timedelta(days=1):
        return _yesterday()
    if timedelta(0) < age <= timedelta(days=_DAYS_BY_NAME):
        return QLocale().toString(_qdate(when), "ddd")
    return QLocale().toString(_qdate(when), "d MMM" if when.year == today().year else "d MMM yyyy")


def since(moment: datetime) -> str:
    """Return a moment inside a sentence: 14:03, yesterday 14:03, Sat 14:03, 3 Nov 14:03."""
    when = local(moment).date()
    if when == today():
        return clock(moment)
    if when == today() - timedelta(days=1):
        return QCoreApplication.translate("Moment", "yesterday %1").replace("%1", clock(moment))
    return f"{brief(moment)} {clock(moment)}"


def file_stamp() -> str:
    """Return the present moment as a file may be called on every system: Picture 2026-11-03 14.03.09."""
    now = datetime.now(UTC).astimezone()
    return QCoreApplication.translate("Moment", "Picture %1").replace("%1", f"{now:%Y-%m-%d %H.%M.%S}")


def _near_day(when: date) -> str:
    if when == today():
        return QCoreApplication.translate("Moment", "Today")
    if when == today() - timedelta(days=1):
        return _yesterday()
    return ""


def _yesterday() -> str:
    return QCoreApplication.translate("Moment", "Yesterday")


def _qdate(when: date) -> QDate:
    return QDate(when.year, when.month, when.day)
