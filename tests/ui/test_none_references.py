"""PySide6 6.12.0 on Python 3.10 and 3.11 loses references to None, until the process aborts."""

import subprocess
import sys
from pathlib import Path

_CHILD = """
import sys
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from peer.views import MessagePage
from tests.ui.scripted_node import make_message
from ui.application import make_application
from ui.conversation.message_view import MessageView
from ui.models.message_list import MessageListModel
from ui.theme.appearance import Appearance, Choice
from ui.theme.controls import IconButton, PushButton, Theme

application = make_application()
theme = Theme()
Appearance(application, theme, Choice.LIGHT)

class NoBridge:
    def ask(self, *_): ...

model = MessageListModel(NoBridge(), make_message(1).conversation)
page = MessagePage([make_message(number) for number in range(50)], has_older=False, has_newer=False)
model._first_page_came(page)
view = MessageView(theme)
view.resize(400, 300)
view.show_messages(model)
view.show()
button = PushButton("click", name="b")
button.clicked.connect(lambda: None)
icon = IconButton(theme, "x", "close", name="i")
icon.clicked.connect(lambda: None)
button.show()
icon.show()

def work(times):
    for _ in range(times):
        view.viewport().repaint()
        button.repaint()
        button.click()
        icon.click()

work(20)
before = sys.getrefcount(None)
work(1500)
after = sys.getrefcount(None)
# More than 20,000 rows were painted and 3,000 buttons clicked; a lost reference each would show.
print(before, after)
sys.exit(after < before - 200)
"""


def test_painting_and_clicking_lose_no_reference_to_none() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _CHILD],
        cwd=Path(__file__).parents[2],
        env={"QT_QPA_PLATFORM": "offscreen", "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
