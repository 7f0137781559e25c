"""Which locator to sign in at: one found on this network, one whose address is typed, or one hosted here."""

from collections.abc import Iterable
from enum import Enum, auto

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QVBoxLayout, QWidget

from peer.addresses import LocatorAddress, parse_locator_address
from peer.errors import Refusal, RefusalCode
from peer.views import FoundLocator
from ui.login.form_field import FormField
from ui.login.hosting import Hosting, LocatorHost
from ui.login.share_line import ShareLine
from ui.theme import fonts
from ui.theme.controls import ElidedText, PushButton, Text, Theme
from ui.translations.refusals import refusal_text

_PATIENCE_MS = 4000
"""So long nothing was found before it is said; a locator answers within half a second."""
_SHORT_FINGERPRINT = 8
_LONGEST_NAME_IN_MENU = 32
_BUTTON_HEIGHT = 52


class _Kind(Enum):
    """How the locator was come by."""

    NONE = auto()
    KNOWN = auto()
    """Signed in at before, or given at the start."""
    FOUND = auto()
    HOSTED = auto()
    TYPED = auto()


class LocatorChoice(QWidget):
    """One button that shows the choice and opens the others, and below it what the choice needs.

    What a person chose stays. Until then: the locator used last, else the one hosted here, else the only one found.
    """

    look_again = Signal()
    submitted = Signal()
    """Enter in the address."""

    def __init__(self, theme: Theme, host: LocatorHost) -> None:
        super().__init__()
        self._theme = theme
        self._host = host
        self._kind = _Kind.NONE
        self._is_chosen_by_hand = False
        self._link = ""
        self._known = ""
        self._found: tuple[FoundLocator, ...] = ()
        self._button = _ChoiceButton(theme)
        self._button.clicked.connect(self._open_menu)
        self._address = FormField(self.tr("Address or hail:// link"), name="locator.address", captioned=False)
        self._address.input.setPlaceholderText(self.tr("host:port or hail://…"))
        self._address.submitted.connect(self.submitted)
        self._address.input.textEdited.connect(self._typed)
        self._hint = Text(role="secondary", face=fonts.font(fonts.SMALL), wrap=True)
        self._hint.setObjectName("locator.hint")
        self._error = Text(role="error", face=fonts.font(fonts.CAPTION), wrap=True)
        self._error.setObjectName("locator.error")
        self._type = PushButton(self.tr("Type an address"), name="locator.type")
        self._type.clicked.connect(self.type_address)
        self._start = PushButton(self.tr("Host one here"), name="locator.host")
        self._start.clicked.connect(self._start_hosting)
        self._share = ShareLine(theme, host, self.tr("Friends on this network find it. Others need this link:"))
        self._waited = QTimer(self, singleShot=True, interval=_PATIENCE_MS)
        self._waited.timeout.connect(self._show)
        self._build()
        host.changed.connect(self._host_changed)
        host.failed.connect(self.show_error)
        self._show()

    def _build(self) -> None:
        caption = Text(self.tr("Locator"), role="caption", face=fonts.bold(fonts.CAPTION))
        caption.setBuddy(self._button)
        self._ways = QWidget()
        ways = QHBoxLayout(self._ways)
        ways.setContentsMargins(0, 0, 0, 0)
        ways.setSpacing(8)
        ways.addWidget(self._type, 1)
        ways.addWidget(self._start, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for widget in (caption, self._button, self._address, self._hint, self._error, self._ways, self._share):
            layout.addWidget(widget)
        self._error.hide()

    # --- what is there -----------------------------------------------------------------------

    def begin_looking(self) -> None:
        """Say that the network is being looked at."""
        self._waited.start()
        self._show()

    def show_found(self, found: Iterable[FoundLocator]) -> None:
        """Offer these, and no others, as found on this network."""
        self._found = tuple(found)
        self._choose_by_itself()

    def set_known(self, link: str) -> None:
        """Choose the one that was given at the start or used last; what a person chose by hand stays."""
        self._known = link
        if link and _read(link) is None and not self._is_chosen_by_hand:
            self._address.set_text(link)
            self._kind = _Kind.TYPED
            self._is_chosen_by_hand = True
        self._choose_by_itself()

    def signed_in_at(self, link: str) -> None:
        """Keep what was right: the one signed in at is the known one now."""
        self._is_chosen_by_hand = False
        self.set_known(link)

    def tab_order(self) -> list[QWidget]:
        """Return what the Tab key walks through, top down."""
        return [self._button, self._address.input, self._type, self._start, self._share.copy]

    # --- what is chosen ----------------------------------------------------------------------

    def link(self) -> str:
        """Return the address or link to sign in at; empty for none."""
        return self._address.text().strip() if self._kind is _Kind.TYPED else self._link

    def check(self) -> bool:
        """Say in a sentence what is missing or no address; tell whether all is well."""
        if self._kind is _Kind.TYPED:
            try:
                parse_locator_address(self._address.text())
            except Refusal as refusal:
                self.show_error(refusal_text(refusal.code, refusal.message))
        elif not self._link:
            self.show_error(self.tr("Choose a locator, or host one here."))
        return not self.error()

    def show_refusal(self, code: RefusalCode, message: str) -> None:
        """Say what is wrong with the locator."""
        self.show_error(refusal_text(code, message))
        if code is RefusalCode.LOCATOR_UNREACHABLE and self._kind is _Kind.HOSTED:
            self._host.check()

    def show_error(self, sentence: str) -> None:
        """Put a sentence below the choice, and the cursor there."""
        if self._kind is _Kind.TYPED:
            self._address.show_error(sentence)
            return
        self._error.setText(sentence)
        self._error.show()
        self._button.setFocus(Qt.FocusReason.OtherFocusReason)

    def clear_error(self) -> None:
        """Take it back."""
        self._error.hide()
        self._address.clear_error()

    def error(self) -> str:
        """Return the sentence that is shown; empty for none."""
        return (
            self._address.error() if self._kind is _Kind.TYPED else "" if self._error.isHidden() else self._error.text()
        )

    def type_address(self) -> None:
        """Let an address be typed."""
        self._choose(_Kind.TYPED)
        self._address.setFocus(Qt.FocusReason.OtherFocusReason)

    def _choose(self, kind: _Kind, link: str = "", *, by_hand: bool = True) -> None:
        if (kind, link) != (self._kind, self._link):
            # What was said was said of the other one; of this one it stands, whatever the network announces.
            self.clear_error()
        self._kind, self._link, self._is_chosen_by_hand = kind, link, by_hand
        self._show()

    def _choose_by_itself(self) -> None:
        if self._is_chosen_by_hand:
            self._show()
        elif self._known:
            kind, link = self._place_of_known()
            self._choose(kind, link, by_hand=False)
        elif self._host.state is Hosting.ON:
            self._choose(_Kind.HOSTED, self._host.link, by_hand=False)
        elif self._kind is _Kind.FOUND and self._link in {locator.link for locator in self._found}:
            # Another one that turns up must not take it from under the hands of somebody who fills in the form.
            self._show()
        elif len(self._found) == 1:
            self._choose(_Kind.FOUND, self._found[0].link, by_hand=False)
        elif self._kind is not _Kind.NONE:
            self._choose(_Kind.NONE, by_hand=False)
        else:
            self._show()

    def _place_of_known(self) -> tuple[_Kind, str]:
        """Return where the known locator is now: a computer's address may change, its fingerprint does not.

        Whoever announces the fingerprint falsely gains nothing: it is checked before anything is said.
        """
        known = _read(self._known)
        if known is None or known.realm is None:
            return _Kind.KNOWN, self._known
        if _is_same(self._known, self._host.link):
            return _Kind.HOSTED, self._host.link
        same = [locator for locator in self._found if _is_same(self._known, locator.link)]
        if same and self._known not in {locator.link for locator in same}:
            return _Kind.FOUND, same[0].link
        return _Kind.KNOWN, self._known

    def _host_changed(self) -> None:
        if self._host.state is Hosting.ON and self._kind is _Kind.HOSTED:
            self._choose(_Kind.HOSTED, self._host.link, by_hand=self._is_chosen_by_hand)
        elif self._host.state is Hosting.OFF and self._kind is _Kind.HOSTED:
            self._kind, self._is_chosen_by_hand = _Kind.NONE, False
            self._choose_by_itself()
        else:
            self._choose_by_itself()

    def _start_hosting(self) -> None:
        self._choose(_Kind.HOSTED, self._host.link)
        self._host.start()

    def _typed(self, text: str) -> None:
        del text
        self._show_hint()

    # --- what is shown -----------------------------------------------------------------------

    def _show(self) -> None:
        title, about = self._words()
        address = _read(self._link) if self._kind is not _Kind.TYPED else None
        fingerprint = address.realm.hex() if address is not None and address.realm is not None else ""
        self._button.show_choice(title, about, fingerprint)
        self._address.setVisible(self._kind is _Kind.TYPED)
        self._share.setVisible(self._kind is _Kind.HOSTED and bool(self._host.link))
        # A newcomer must not have to open a menu to find the way in.
        is_own_and_off = self._host.state is Hosting.OFF and _is_same(self._link, self._host.kept_link)
        self._type.setVisible(self._kind is _Kind.NONE)
        self._start.setText(self.tr("Start it") if is_own_and_off else self.tr("Host one here"))
        self._ways.setVisible(self._kind is _Kind.NONE or is_own_and_off)
        self._show_hint(is_own_and_off=is_own_and_off)

    def _words(self) -> tuple[str, str]:
        """Return the name of the choice and a line about it."""
        if self._kind is _Kind.TYPED:
            return self.tr("An address or link"), self.tr("typed below")
        if self._kind is _Kind.HOSTED and self._host.state is Hosting.ON:
            return self.tr("This computer"), self._about(self._link)
        if self._kind is _Kind.HOSTED:
            return self.tr("This computer"), self.tr("A locator is being started here…")
        if self._kind is not _Kind.NONE:
            return self._name_of(self._link), self._about(self._link)
        if self._found:
            return self.tr("Choose a locator"), self.tr("%n found on this network", "", len(self._found))
        if self._waited.isActive():
            return self.tr("Looking for a locator…"), self.tr("on this network")
        return self.tr("No locator found yet"), self.tr("The search on this network goes on.")

    def _name_of(self, link: str) -> str:
        named = (locator.name for locator in self._found if _is_same(link, locator.link))
        return next(named, self.tr("Used last") if link == self._known else link)

    def _about(self, link: str) -> str:
        address = _read(link)
        if address is None:
            return link
        if address.realm is None:
            return address.place
        about = self.tr("%1 · fingerprint %2").replace("%1", address.place)
        return about.replace("%2", address.realm.hex()[:_SHORT_FINGERPRINT])

    def _show_hint(self, *, is_own_and_off: bool = False) -> None:
        hint = ""
        if self._kind is _Kind.NONE and not self._found and not self._waited.isActive():
            hint = self.tr("A locator tells friends where you are. Ask for its link, or be the one who hosts it.")
        elif is_own_and_off:
            hint = self.tr("This is the locator of this computer; it is not running.")
        elif self._kind is _Kind.TYPED:
            address = _read(self._address.text())
            if address is not None and address.realm is not None:
                hint = self.tr("Fingerprint %1").replace("%1", address.realm.hex()[:_SHORT_FINGERPRINT])
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))

    def _open_menu(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setMinimumWidth(self._button.width())
        self._add_locators(menu)
        icon = self._theme.icons.icon
        colour = self._theme.tokens.secondary
        menu.addSeparator()
        menu.addAction(icon("pencil", colour, 16), self.tr("Type an address or link"), self.type_address)
        menu.addAction(icon("radio-tower", colour, 16), self.tr("Host one here"), self._start_hosting)
        menu.addAction(icon("refresh-cw", colour, 16), self.tr("Look again"), self.look_again.emit)
        menu.popup(self._button.mapToGlobal(QPoint(0, self._button.height() + 4)))

    def _add_locators(self, menu: QMenu) -> None:
        icon = self._theme.icons.icon("house-wifi", self._theme.tokens.secondary, 16)
        links = {locator.link: locator.name for locator in self._found}
        if self._known and _read(self._known) is not None:
            links.setdefault(self._known, self.tr("Used last"))
        for link, name in links.items():
            kind = _Kind.KNOWN if link == self._known else _Kind.FOUND
            # An ampersand would be taken for the mark of a shortcut.
            text = f"{_cut(name)} · {self._about(link)}".replace("&", "&&")
            action = menu.addAction(icon, text)
            action.setToolTip(link)
            action.triggered.connect(lambda _=False, kind=kind, link=link: self._choose(kind, link))
        if not self._found:
            menu.addAction(self.tr("None found on this network")).setEnabled(False)


class _ChoiceButton(QPushButton):
    """Looks like a field: a name, a line about it, and an arrow that says that there is more to choose."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("locator.choose")
        self.setProperty("kind", "field")
        self.setFixedHeight(_BUTTON_HEIGHT)
        self.setAutoDefault(False)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._title = ElidedText(face=fonts.bold())
        self._about = ElidedText(role="secondary", face=fonts.font(fonts.SMALL))
        arrow = QLabel()
        theme.put_picture(arrow, "chevron-down", 18)
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addStretch()
        words.addWidget(self._title)
        words.addWidget(self._about)
        words.addStretch()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 0, 10, 0)
        layout.setSpacing(8)
        layout.addLayout(words, 1)
        layout.addWidget(arrow)
        for label in (self._title, self._about, arrow):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def show_choice(self, title: str, about: str, fingerprint: str) -> None:
        """Show another choice; the whole fingerprint is for the tooltip and the screen reader."""
        self._title.set_whole(title)
        self._about.set_whole(about)
        self.setAccessibleName(self.tr("Locator: %1, %2").replace("%1", title).replace("%2", about))
        whole = self.tr("Fingerprint %1").replace("%1", fingerprint) if fingerprint else ""
        self.setAccessibleDescription(whole)
        self.setToolTip(whole)


def _read(link: str) -> LocatorAddress | None:
    try:
        return parse_locator_address(link)
    except Refusal:
        return None


def _is_same(one: str, other: str) -> bool:
    """Tell whether two links name one locator: it is the fingerprint that does."""
    first, second = _read(one), _read(other)
    if first is None or second is None:
        return False
    return first.realm == second.realm if first.realm and second.realm else first.place == second.place


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME_IN_MENU else name[: _LONGEST_NAME_IN_MENU - 1] + "…"
