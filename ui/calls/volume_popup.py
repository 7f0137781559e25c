"""How loud somebody is for us, whatever they do."""

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSlider, QVBoxLayout, QWidget

from ui.theme import fonts
from ui.theme.controls import IconButton, Text, Theme

_LOUDEST_PERCENT = 200
_STEP, _PAGE = 5, 25
_WIDTH = 260


class VolumePopup(QFrame):
    """A slider that appears beside somebody, and goes when one clicks elsewhere or presses Esc."""

    chosen = Signal(float)
    """1 is as it comes."""

    def __init__(self, theme: Theme, parent: QWidget, name: str, volume: float) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("call.volume_popup")
        self.setProperty("role", "popup")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFixedWidth(_WIDTH)
        label = self.tr("Volume of %1").replace("%1", name)
        self._percent = Text(role="secondary", face=fonts.font(fonts.CAPTION))
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setObjectName("call.volume")
        self.slider.setAccessibleName(label)
        self.slider.setRange(0, _LOUDEST_PERCENT)
        self.slider.setSingleStep(_STEP)
        self.slider.setPageStep(_PAGE)
        self.slider.setValue(round(100 * volume))
        reset = IconButton(theme, "refresh-cw", self.tr("As it comes"), name="call.volume_reset", size=16, area=28)
        reset.clicked.connect(lambda: self.slider.setValue(100))
        top = QHBoxLayout()
        top.addWidget(Text(label, face=fonts.bold(fonts.CAPTION), wrap=True), 1)
        top.addWidget(self._percent)
        top.addWidget(reset)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 8, 10, 12)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(self.slider)
        self.slider.valueChanged.connect(self._changed)
        self._show_percent()

    def open_at(self, place: QPoint) -> None:
        """Appear with the middle of its upper edge there, in the screen's coordinates, as far as there is room."""
        self.adjustSize()
        screen = self.screen().availableGeometry()
        corner = place - QPoint(self.width() // 2, 0)
        corner.setX(max(screen.left(), min(corner.x(), screen.right() - self.width())))
        corner.setY(max(screen.top(), min(corner.y(), screen.bottom() - self.height())))
        self.move(corner)
        self.show()
        self.slider.setFocus(Qt.FocusReason.PopupFocusReason)

    def _changed(self, percent: int) -> None:
        self._show_percent()
        self.chosen.emit(percent / 100)

    def _show_percent(self) -> None:
        self._percent.setText(self.tr("%1 %").replace("%1", str(self.slider.value())))
