"""Which microphone and speaker a call is spoken and heard with: a menu of those that are here."""

from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from peer.call_views import CallDevicesView
from peer.errors import RefusalCode
from peer.views import AudioChoice
from ui.calls.call_actions import CallActions
from ui.translations.refusals import refusal_text


class DevicesMenu(QMenu):
    """Asked anew each time it opens; a choice holds at once."""

    def __init__(self, actions: CallActions, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("call.devices_menu")
        self._actions = actions
        self.aboutToShow.connect(self._ask)

    def _ask(self) -> None:
        self.clear()
        self._say(self.tr("Looking for devices…"))
        self._actions.ask_devices(self, self._came, self._refused)

    def _came(self, view: CallDevicesView) -> None:
        chosen, here = view.chosen, view.devices
        self.clear()
        self._add_kind(self.tr("Microphone"), here.inputs, here.default_input, chosen.microphone, is_microphone=True)
        self.addSeparator()
        self._add_kind(self.tr("Speaker"), here.outputs, here.default_output, chosen.speaker, is_microphone=False)
        self._chosen = chosen
        self.adjustSize()

    def _add_kind(self, title: str, names: tuple[str, ...], default: str, chosen: str, *, is_microphone: bool) -> None:
        head = self.addAction(title)
        head.setEnabled(False)
        if not names:
            self._say(self.tr("No microphone is here") if is_microphone else self.tr("No speaker is here"))
            return
        group = QActionGroup(head)
        system = self.tr("The system's choice")
        offered = [("", f"{system} ({default})" if default else system), *((name, name) for name in names)]
        if chosen and chosen not in names:
            offered.append((chosen, self.tr("%1 (not here)").replace("%1", chosen)))
        for name, words in offered:
            # An ampersand in a device's name is none of ours.
            action = self.addAction(words.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(name == chosen)
            group.addAction(action)
            action.triggered.connect(lambda _on, name=name: self._choose(name, is_microphone=is_microphone))

    def _choose(self, name: str, *, is_microphone: bool) -> None:
        was = self._chosen
        choice = AudioChoice(name, was.speaker) if is_microphone else AudioChoice(was.microphone, name)
        self._chosen = choice
        self._actions.set_devices(choice)

    def _refused(self, code: RefusalCode, message: str) -> None:
        self.clear()
        self._say(refusal_text(code, message))

    def _say(self, words: str) -> None:
        self.addAction(words).setEnabled(False)
