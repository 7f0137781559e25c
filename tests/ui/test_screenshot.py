import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter, QPixmap
from PySide6.QtWidgets import QAbstractButton, QApplication, QFrame, QWidget

from ui.screenshot import screenshot as module
from ui.screenshot.frozen_screens import FrozenScreen, cut, desktop_of
from ui.screenshot.overlay import ScreenOverlay
from ui.screenshot.region import Region
from ui.screenshot.screenshot import Screenshot
from ui.theme.controls import Theme

LEFT, RIGHT = QRect(0, 0, 400, 300), QRect(400, 0, 200, 300)


def monitor(place: QRect, colour: str, scale: float = 1.0) -> FrozenScreen:
    """A monitor of one colour with a yellow dot, 10 by 10, in its middle."""
    picture = QPixmap(place.size() * scale)
    picture.fill(QColor(colour))
    painter = QPainter(picture)
    side = round(10 * scale)
    painter.fillRect((picture.width() - side) // 2, (picture.height() - side) // 2, side, side, QColor("yellow"))
    painter.end()
    picture.setDevicePixelRatio(scale)
    return FrozenScreen(place, picture, QGuiApplication.primaryScreen())


def colour(image: QImage, x: int, y: int) -> str:
    return image.pixelColor(x, y).name()


# --- the region --------------------------------------------------------------------------------


@pytest.fixture
def region() -> Region:
    return Region(LEFT | RIGHT)


@pytest.mark.parametrize("corners", [((10, 20), (110, 70)), ((110, 70), (10, 20)), ((110, 20), (10, 70))])
def test_a_region_is_drawn_from_any_corner(region: Region, corners: tuple[tuple[int, int], tuple[int, int]]) -> None:
    region.begin(QPoint(*corners[0]))
    region.drag(QPoint(*corners[1]))
    region.end()
    drawn = region.rect
    assert (drawn.left(), drawn.top(), drawn.right(), drawn.bottom()) == (10, 20, 110, 70)


def test_a_click_alone_is_no_region(region: Region) -> None:
    region.begin(QPoint(10, 20))
    region.drag(QPoint(10, 20))
    region.end()
    assert region.rect.isEmpty()


def test_a_region_ends_with_the_desktop(region: Region) -> None:
    region.begin(QPoint(350, 250))
    region.drag(QPoint(5000, 5000))
    assert region.rect == QRect(350, 250, 250, 50)
    region.move(QPoint(100, 100))
    assert region.rect == QRect(350, 250, 250, 50)
    region.move(QPoint(-1000, -1000))
    assert region.rect == QRect(0, 0, 250, 50)
    region.grow(QPoint(5000, -5000))
    assert region.rect == QRect(0, 0, 600, 1)


# --- the cut -------------------------------------------------------------------------------------


def test_what_is_cut_is_pixel_for_pixel(qapp: QApplication) -> None:
    image = cut([monitor(LEFT, "#aa0000"), monitor(RIGHT, "#0000aa")], QRect(190, 140, 20, 20))
    assert image.size() == QSize(20, 20)
    assert colour(image, 0, 0) == "#aa0000"
    assert [colour(image, x, 10) for x in (4, 5, 14, 15)] == ["#aa0000", "#ffff00", "#ffff00", "#aa0000"]


def test_a_region_over_two_monitors_has_the_sharper_ones_scale(qapp: QApplication) -> None:
    screens = [monitor(LEFT, "#aa0000"), monitor(RIGHT, "#0000aa", scale=2.0)]
    assert desktop_of(screens) == QRect(0, 0, 600, 300)
    both = cut(screens, QRect(390, 0, 20, 10))
    assert both.size() == QSize(40, 20)
    assert [colour(both, x, 10) for x in (0, 19, 20, 39)] == ["#aa0000", "#aa0000", "#0000aa", "#0000aa"]
    assert cut(screens, QRect(10, 0, 20, 10)).size() == QSize(20, 10)


def test_where_no_monitor_is_it_is_black(qapp: QApplication) -> None:
    screens = [monitor(LEFT, "#aa0000"), monitor(QRect(400, 100, 200, 200), "#0000aa")]
    image = cut(screens, desktop_of(screens))
    assert colour(image, 500, 50) == "#000000"
    assert colour(image, 500, 150) == "#0000aa"


# --- the whole of it -------------------------------------------------------------------------------


@pytest.fixture
def asker(qtbot) -> QWidget:
    asker = QWidget()
    qtbot.addWidget(asker)
    asker.show()
    qtbot.waitExposed(asker)
    return asker


@pytest.fixture
def screenshot(theme: Theme, asker: QWidget, monkeypatch: pytest.MonkeyPatch) -> Screenshot:
    screens = [monitor(LEFT, "#aa0000"), monitor(RIGHT, "#0000aa")]
    monkeypatch.setattr(module, "freeze", lambda: screens)
    return Screenshot(theme, asker)


@pytest.fixture
def taken(screenshot: Screenshot) -> list[QImage]:
    images: list[QImage] = []
    screenshot.taken.connect(images.append)
    return images


def overlays(qtbot, screenshot: Screenshot) -> list[ScreenOverlay]:
    qtbot.waitUntil(lambda: len(screenshot._overlays) == 2)
    for overlay, place in zip(screenshot._overlays, (LEFT, RIGHT), strict=True):
        # This platform has one screen, so nothing here is ever really beside another.
        overlay.setGeometry(place)
    return screenshot._overlays


def part(overlay: QWidget, name: str, kind: type = QAbstractButton):
    return overlay.findChild(kind, name)


def drag(qtbot, overlay: QWidget, start: QPoint, end: QPoint) -> None:
    qtbot.mousePress(overlay, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(overlay, end)
    qtbot.mouseRelease(overlay, Qt.MouseButton.LeftButton, pos=end)


def test_a_dragged_region_is_taken_with_enter(qtbot, screenshot: Screenshot, taken: list[QImage]) -> None:
    screenshot.take()
    left, right = overlays(qtbot, screenshot)
    assert part(left, "screenshot.hint", QFrame).isVisible()
    drag(qtbot, left, QPoint(100, 50), QPoint(499, 149))
    assert screenshot._region.rect == QRect(100, 50, 400, 100)
    assert not part(left, "screenshot.hint", QFrame).isVisible()
    assert not part(left, "screenshot.answer", QFrame).isVisible()
    assert part(right, "screenshot.answer", QFrame).isVisible(), "where the region ends"
    qtbot.keyClick(left, Qt.Key.Key_Return)
    assert [image.size() for image in taken] == [QSize(400, 100)]
    assert colour(taken[0], 0, 0) == "#aa0000"
    assert colour(taken[0], 399, 0) == "#0000aa"
    assert screenshot._overlays == []


def test_it_is_taken_with_a_click_too(qtbot, screenshot: Screenshot, taken: list[QImage]) -> None:
    screenshot.take()
    left, _ = overlays(qtbot, screenshot)
    drag(qtbot, left, QPoint(10, 10), QPoint(109, 59))
    qtbot.mouseClick(part(left, "screenshot.take"), Qt.MouseButton.LeftButton)
    assert [image.size() for image in taken] == [QSize(100, 50)]


@pytest.mark.parametrize("by", ["enter", "button"])
def test_with_nothing_chosen_it_is_the_whole_screen(
    qtbot, screenshot: Screenshot, taken: list[QImage], by: str
) -> None:
    screenshot.take()
    _, right = overlays(qtbot, screenshot)
    if by == "enter":
        qtbot.keyClick(right, Qt.Key.Key_Enter)
    else:
        qtbot.mouseClick(part(right, "screenshot.whole"), Qt.MouseButton.LeftButton)
    assert [image.size() for image in taken] == [RIGHT.size()]


def test_all_monitors_are_chosen_together(qtbot, screenshot: Screenshot, taken: list[QImage]) -> None:
    screenshot.take()
    left, _ = overlays(qtbot, screenshot)
    qtbot.keyClick(left, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(left, Qt.Key.Key_Return)
    assert [image.size() for image in taken] == [QSize(600, 300)]


def test_a_region_is_chosen_without_a_mouse(qtbot, screenshot: Screenshot, taken: list[QImage]) -> None:
    screenshot.take()
    left, _ = overlays(qtbot, screenshot)
    qtbot.keyClick(left, Qt.Key.Key_Right)
    assert screenshot._region.rect == QRect(100, 75, 200, 150)
    qtbot.keyClick(left, Qt.Key.Key_Left)
    qtbot.keyClick(left, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    assert screenshot._region.rect == QRect(99, 95, 200, 150)
    qtbot.keyClick(left, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(left, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier)
    assert screenshot._region.rect == QRect(99, 95, 220, 149)
    qtbot.keyClick(left, Qt.Key.Key_Return)
    assert [image.size() for image in taken] == [QSize(220, 149)]


@pytest.mark.parametrize("by", ["escape", "button", "cross", "right button", "close"])
def test_it_is_given_up(qtbot, screenshot: Screenshot, taken: list[QImage], by: str) -> None:
    screenshot.take()
    left, right = overlays(qtbot, screenshot)
    drag(qtbot, left, QPoint(10, 10), QPoint(109, 59))
    if by == "escape":
        qtbot.keyClick(right, Qt.Key.Key_Escape)
    elif by == "button":
        qtbot.mouseClick(left, Qt.MouseButton.RightButton)
        qtbot.mouseClick(part(left, "screenshot.cancel"), Qt.MouseButton.LeftButton)
    elif by == "cross":
        qtbot.mouseClick(part(left, "screenshot.drop"), Qt.MouseButton.LeftButton)
    elif by == "right button":
        qtbot.mouseClick(left, Qt.MouseButton.RightButton)
        assert screenshot._region.rect.isEmpty()
        qtbot.mouseClick(left, Qt.MouseButton.RightButton)
    else:
        right.close()
    assert screenshot._overlays == []
    assert taken == []
    screenshot.take()
    overlays(qtbot, screenshot)
    screenshot._cancel()


def test_a_second_one_waits_for_the_end_of_the_first(qtbot, screenshot: Screenshot) -> None:
    screenshot.take()
    screenshot.take()
    first = overlays(qtbot, screenshot)
    screenshot.take()
    qtbot.wait(200)
    assert screenshot._overlays == first
    screenshot._cancel()


def test_the_window_goes_out_of_the_way_and_comes_back(
    qtbot, screenshot: Screenshot, asker: QWidget, taken: list[QImage]
) -> None:
    screenshot.take(without_window=True)
    assert not asker.isVisible()
    left, _ = overlays(qtbot, screenshot)
    assert not asker.isVisible()
    qtbot.keyClick(left, Qt.Key.Key_Return)
    assert asker.isVisible()
    assert len(taken) == 1


def test_a_screen_that_cannot_be_seen_is_said(
    qtbot, screenshot: Screenshot, asker: QWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "freeze", list)
    with qtbot.waitSignal(screenshot.failed) as said:
        screenshot.take(without_window=True)
    assert "cannot be captured" in said.args[0]
    assert asker.isVisible()


@pytest.mark.parametrize("name", ["wayland", "wayland-egl"])
def test_on_wayland_the_desktop_is_asked(
    qtbot, screenshot: Screenshot, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    monkeypatch.setattr(QGuiApplication, "platformName", lambda: name)
    with qtbot.waitSignal(screenshot.failed) as said:
        screenshot.take()
    assert "with its own keys" in said.args[0]


@pytest.mark.parametrize("answer", ["picture", "cancelled", "failed", "error", "nobody"])
@pytest.mark.skipif(sys.platform != "linux", reason="a session bus")
def test_a_portal_is_understood(tmp_path: Path, answer: str) -> None:
    picture = QImage(30, 20, QImage.Format.Format_RGB32)
    picture.fill(QColor("orange"))
    assert picture.save(str(tmp_path / "a picture.png"))
    # A bus and a process of its own: Qt connects to the session bus once in a process's life.
    arguments = [str(Path(__file__).with_name("screenshot_portal.py")), answer, str(tmp_path / "a%20picture.png")]
    script = f"""
        import os, subprocess, sys
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        from PySide6.QtCore import QTimer
        from PySide6.QtWidgets import QApplication
        from ui.screenshot.portal import PortalScreenshot
        if {answer!r} != "nobody":
            command = [sys.executable, *{arguments!r}]
            portal = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            portal.stdout.readline()
        application = QApplication([])
        request = PortalScreenshot(application)
        said = []
        request.taken.connect(lambda image: said.append(f"taken {{image.width()}} x {{image.height()}}"))
        request.cancelled.connect(lambda: said.append("cancelled"))
        request.failed.connect(lambda: said.append("failed"))
        for signal in (request.taken, request.cancelled, request.failed):
            signal.connect(lambda *_: QTimer.singleShot(50, application.quit))
        QTimer.singleShot(20_000, application.quit)
        QTimer.singleShot(0, request.ask)
        application.exec()
        print(*said)
    """
    command = ["dbus-run-session", "--", sys.executable, "-c", textwrap.dedent(script)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    expected = {"picture": "taken 30 x 20", "cancelled": "cancelled"}.get(answer, "failed")
    assert told.split("\n")[0] == expected
