"""The round buttons of a call."""

from PySide6.QtWidgets import QSizePolicy

from ui.theme.controls import IconButton, Theme

LARGE, MIDDLE, LITTLE = 56, 44, 36
"""Their diameters."""


class RoundButton(IconButton):
    """Kinds: `call`, a plain one; `answer`; `hang_up`."""

    def __init__(self, theme: Theme, icon: str, label: str, *, name: str, kind: str, area: int = LARGE) -> None:
        super().__init__(theme, icon, label, name=name, size=area * 3 // 7, area=area)
        self.setProperty("kind", kind)
        self.setProperty("round", str(area))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.put_icon(self, icon, area * 3 // 7, "text" if kind == "call" else "on_call")
