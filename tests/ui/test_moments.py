from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from PySide6.QtCore import QLocale

from ui.translations import moments

NOW = datetime(2026, 11, 21, 15, 0).astimezone()


@pytest.fixture(autouse=True)
def _english_on_a_fixed_day(monkeypatch: pytest.MonkeyPatch, qapp) -> Iterator[None]:
    before = QLocale()
    QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedKingdom))
    monkeypatch.setattr(moments, "today", lambda: date(2026, 11, 21))
    yield
    QLocale.setDefault(before)


@pytest.mark.parametrize(
    ("age", "brief", "day", "since"),
    [
        (timedelta(0), "15:00", "Today", "15:00"),
        (timedelta(days=1), "Yesterday", "Yesterday", "yesterday 15:00"),
        (timedelta(days=3), "Wed", "Wed 18 Nov 2026", "Wed 15:00"),
        (timedelta(days=7), "14 Nov", "Sat 14 Nov 2026", "14 Nov 15:00"),
        (timedelta(days=400), "17 Oct 2025", "Fri 17 Oct 2025", "17 Oct 2025 15:00"),
        (timedelta(days=-2), "23 Nov", "Mon 23 Nov 2026", "23 Nov 15:00"),
    ],
)
def test_a_moment_is_named_as_people_do(age: timedelta, brief: str, day: str, since: str) -> None:
    moment = (NOW - age).astimezone(UTC)
    expected_clock = moments.local(moment).strftime("%H:%M")
    assert moments.brief(moment) == brief.replace("15:00", expected_clock)
    assert moments.day(moment) == day
    assert moments.since(moment) == since.replace("15:00", expected_clock)
