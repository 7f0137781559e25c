import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtWidgets import QApplication, QToolButton

from ui.conversation.composer import Composer
from ui.theme.controls import Theme


@pytest.fixture
def composer(qtbot, theme: Theme) -> Composer:
    composer = Composer(theme)
    qtbot.addWidget(composer)
    composer.resize(500, 64)
    composer.show()
    qtbot.waitExposed(composer)
    composer.input.setFocus()
    return composer


@pytest.fixture
def sent(composer: Composer) -> list[str]:
    texts: list[str] = []
    composer.sent.connect(texts.append)
    return texts


def compose(composer: Composer, preedit: str, commit: str = "") -> None:
    event = QInputMethodEvent(preedit, [])
    event.setCommitString(commit)
    QApplication.sendEvent(composer.input, event)


def send_button(composer: Composer) -> QToolButton:
    return composer.findChild(QToolButton, "conversation.send")


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_enter_sends_and_clears(qtbot, composer: Composer, sent: list[str], key: Qt.Key) -> None:
    qtbot.keyClicks(composer.input, "hello")
    qtbot.keyClick(composer.input, key)
    assert sent == ["hello"]
    assert composer.text() == ""


def test_shift_enter_begins_a_line(qtbot, composer: Composer, sent: list[str]) -> None:
    qtbot.keyClicks(composer.input, "one")
    qtbot.keyClick(composer.input, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClicks(composer.input, "two")
    assert sent == []
    qtbot.keyClick(composer.input, Qt.Key.Key_Return)
    assert sent == ["one\ntwo"]


def test_enter_inside_a_composition_never_sends(qtbot, composer: Composer, sent: list[str]) -> None:
    qtbot.keyClicks(composer.input, "I say ")
    compose(composer, "ni hao")
    qtbot.keyClick(composer.input, Qt.Key.Key_Return)
    assert sent == []
    compose(composer, "", "你好")
    qtbot.keyClick(composer.input, Qt.Key.Key_Return)
    assert sent == ["I say 你好"]


def test_nothing_but_spaces_is_not_sent(qtbot, composer: Composer, sent: list[str]) -> None:
    qtbot.keyClicks(composer.input, "   ")
    qtbot.keyClick(composer.input, Qt.Key.Key_Return)
    assert sent == []


def test_the_button_can_be_clicked_only_when_there_is_something_to_send(
    qtbot, composer: Composer, sent: list[str]
) -> None:
    button = send_button(composer)
    assert not button.isEnabled()
    qtbot.keyClicks(composer.input, "x")
    assert button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert sent == ["x"]
    assert not button.isEnabled()
    assert composer.input.hasFocus()


def test_it_grows_to_six_lines_and_no_further(qtbot, composer: Composer) -> None:
    heights = []
    for lines in range(1, 9):
        composer.set_text("\n".join("line" for _ in range(lines)))
        heights.append(composer.input.height())
    assert heights[:6] == sorted(set(heights[:6]))
    assert heights[5] == heights[6] == heights[7]
    composer.set_text("")
    assert composer.input.height() == heights[0] >= 38


def test_a_long_line_that_wraps_makes_it_grow(qtbot, composer: Composer) -> None:
    before = composer.input.height()
    composer.set_text("word " * 40)
    assert composer.input.height() > before


def test_pasted_text_loses_its_look(qtbot, composer: Composer) -> None:
    data = QMimeData()
    data.setHtml("<b style='color:red'>bold</b>")
    data.setText("bold")
    composer.input.insertFromMimeData(data)
    assert composer.text() == "bold"
    assert "red" not in composer.input.toHtml()
