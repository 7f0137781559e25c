"""How the window looks, how much a notification may say, and whether it rings."""

from PySide6.QtWidgets import QWidget

from ui.notifications.settings import Loudness, NotificationSettings, RingChoice
from ui.settings.settings_row import SettingsRow, page_of
from ui.theme.appearance import Appearance, Choice
from ui.theme.check_box import CheckBox
from ui.theme.choice_box import ChoiceBox
from ui.theme.controls import Theme


class AppearancePage(QWidget):
    """Light or dark."""

    def __init__(self, theme: Theme, appearance: Appearance, *, is_narrow: bool) -> None:
        super().__init__()
        box = ChoiceBox(theme, self.tr("Theme"), name="settings.theme")
        words = {
            Choice.SYSTEM: self.tr("Like the system"),
            Choice.LIGHT: self.tr("Light"),
            Choice.DARK: self.tr("Dark"),
        }
        box.offer(((str(choice), shown) for choice, shown in words.items()), appearance.choice)
        box.chosen.connect(lambda word: appearance.choose(Choice(word)))
        self.setLayout(page_of(SettingsRow(self.tr("Theme"), box, is_narrow=is_narrow)))


class NotificationsPage(QWidget):
    """With the sender and the text, without, or none; and whether it rings for a call."""

    def __init__(self, theme: Theme, notifications: NotificationSettings, ring: RingChoice, *, is_narrow: bool) -> None:
        super().__init__()
        rings = CheckBox(theme, self.tr("Ring when somebody calls"), name="settings.rings")
        rings.setChecked(ring.rings)
        rings.clicked.connect(lambda on: ring.choose(rings=on))
        box = ChoiceBox(theme, self.tr("New messages"), name="settings.notifications")
        words = {
            Loudness.FULL: self.tr("With name and text"),
            Loudness.PRIVATE: self.tr("Without name and text"),
            Loudness.OFF: self.tr("None"),
        }
        box.offer(((str(choice), shown) for choice, shown in words.items()), notifications.loudness)
        box.chosen.connect(lambda word: notifications.choose(Loudness(word)))
        hint = self.tr("Shown by the desktop while you look at something else.")
        self.setLayout(page_of(SettingsRow(self.tr("New messages"), box, hint=hint, is_narrow=is_narrow), rings))
