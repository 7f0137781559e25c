"""How long a call lasts: always asked of when it began, so that no second is lost or gained on the way."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from ui.translations import calls

_SECOND = timedelta(seconds=1)


class CallClock(QObject):
    """Tells the time of a call with each of its seconds."""

    told = Signal(str)

    def __init__(self, parent: QObject | None = None, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__(parent)
        self._now = now
        self._begun: datetime | None = None
        self._timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tell)

    def run(self, begun: datetime | None) -> None:
        """Tell the time since then; None for a call that has none yet."""
        if begun == self._begun:
            return
        self._begun = begun
        self._timer.stop()
        if begun is not None:
            self._tell()

    def shown(self) -> str:
        """Return the time; nothing before the call has one."""
        return "" if self._begun is None else calls.duration(self._now() - self._begun)

    def _tell(self) -> None:
        assert self._begun is not None
        passed = self._now() - self._begun
        self.told.emit(calls.duration(passed))
        # To the beginning of the next second: a timer of one second would fall behind.
        self._timer.start(max(1, -(-(_SECOND - passed % _SECOND) // timedelta(milliseconds=1))))
