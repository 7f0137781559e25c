"""The first screen: a card to sign in, or to create an account."""

from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from peer.errors import RefusalCode
from peer.views import AccountView, FoundLocator, SecretPlace, SessionView
from ui.login.form import NAME, PASSWORD, USER, Form
from ui.login.form_field import FormField, PasswordField
from ui.login.hosting import LocatorHost
from ui.login.locator_choice import LocatorChoice
from ui.login.old_password_dialog import OldPasswordDialog
from ui.peer_bridge import PeerBridge
from ui.theme import fonts
from ui.theme.controls import Text, Theme

if TYPE_CHECKING:
    from peer.node import PeerNode

_CARD_WIDTH = 400
_LOGO = 40
_ROOM_FOR_AN_ERROR = 60
_ABOUT_THE_LOCATOR = frozenset({RefusalCode.BAD_ADDRESS, RefusalCode.LOCATOR_UNREACHABLE, RefusalCode.OTHER_AUTHORITY})


class LoginPage(QScrollArea):
    """Asks the node to sign in, and says when it did."""

    signed_in = Signal(object)
    """The session."""

    def __init__(self, theme: Theme, bridge: PeerBridge, host: LocatorHost, locator: str = "") -> None:
        """`locator` is the address from the command line; without one, the last one used is filled in."""
        super().__init__()
        self.setObjectName("login")
        self._theme = theme
        self._bridge = bridge
        self._given_locator = locator
        self._is_busy = False
        self._logo = QLabel()
        self._title = Text(face=fonts.bold(fonts.HEADING), wrap=True)
        self._title.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._subtitle = Text(role="secondary", face=fonts.font(fonts.CAPTION), wrap=True)
        self._subtitle.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.locator = LocatorChoice(theme, host)
        self.locator.look_again.connect(self._look)
        self.locator.set_known(locator)
        self.sign_in = self._make_sign_in(theme)
        self.register = self._make_register(theme)
        self._form = self.sign_in
        for form in (self.sign_in, self.register):
            form.stay.toggled.connect(self._staying_toggled)
        self._build(theme)
        self._show_form(self.sign_in)

    def begin(self, password: str = "") -> None:
        """Sign in who stays signed in, or with this password who was here last; else fill in that one's ID."""
        self._bridge.ask(self, _last_account, lambda account: self._welcome(account, password))

    def take(self, session: SessionView | None) -> None:
        """Go on with a session that somebody else began, unless one is being begun here."""
        if session is not None and not self._is_busy:
            self._done(session)

    def showEvent(self, event: QShowEvent) -> None:
        """Put the cursor where the next thing has to be typed."""
        super().showEvent(event)
        self._form.focus_first_empty()
        if not event.spontaneous():
            self._look()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop asking the network what nobody sees."""
        super().hideEvent(event)
        if not event.spontaneous():
            self._bridge.ask(self, lambda node: node.stop_finding_locators())

    def _look(self) -> None:
        self.locator.begin_looking()
        self._bridge.ask(self, lambda node: node.find_locators(), lambda _: self._wait_for_locators(()))

    def _wait_for_locators(self, seen: tuple[FoundLocator, ...]) -> None:
        self._bridge.ask(self, lambda node: node.found_locators(seen), self._locators_came)

    def _locators_came(self, found: tuple[FoundLocator, ...] | None) -> None:
        if found is not None:
            self.locator.show_found(found)
            self._wait_for_locators(found)

    def _make_sign_in(self, theme: Theme) -> Form:
        form = Form(
            theme,
            self._check_locator,
            name="login",
            submit=self.tr("Sign in"),
            busy=self.tr("Signing in…"),
            switch=self.tr("Create an account"),
            switch_name="login.create",
        )
        self._add_user(form, "login")
        form.add_field(PASSWORD, PasswordField(theme, self.tr("Password"), name="login.password"))
        form.submitted.connect(self._sign_in)
        form.switched.connect(lambda: self._show_form(self.register))
        return form

    def _make_register(self, theme: Theme) -> Form:
        form = Form(
            theme,
            self._check_locator,
            name="register",
            submit=self.tr("Create account"),
            busy=self.tr("Creating the account…"),
            switch=self.tr("I have an account"),
            switch_name="register.sign_in",
        )
        self._add_user(form, "register")
        name = form.add_field(NAME, FormField(self.tr("Display name"), name="register.name"))
        name.input.setPlaceholderText(self.tr("How your contacts see you"))
        form.add_field(PASSWORD, PasswordField(theme, self.tr("Password"), name="register.password"))
        form.add_field("repeat", PasswordField(theme, self.tr("Password again"), name="register.repeat"))
        form.submitted.connect(self._register)
        form.switched.connect(lambda: self._show_form(self.sign_in))
        return form

    def _add_user(self, form: Form, name: str) -> None:
        user = form.add_field(USER, FormField(self.tr("Your ID"), name=f"{name}.user"))
        user.input.setPlaceholderText(self.tr("for example li.wei"))

    def _build(self, theme: Theme) -> None:
        logo = self._logo
        theme.put_picture(logo, "message-circle", _LOGO, "accent")
        logo.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        card = QFrame()
        card.setProperty("role", "card")
        card.setMaximumWidth(_CARD_WIDTH)
        inside = QVBoxLayout(card)
        inside.setContentsMargins(36, 24, 36, 24)
        inside.setSpacing(0)
        inside.addWidget(logo)
        inside.addSpacing(8)
        inside.addWidget(self._title)
        inside.addSpacing(4)
        inside.addWidget(self._subtitle)
        inside.addSpacing(16)
        inside.addWidget(self.locator)
        inside.addSpacing(12)
        inside.addWidget(self.sign_in)
        inside.addWidget(self.register)
        ground = QWidget()
        ground.setProperty("role", "window")
        ground.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        beside = QHBoxLayout()
        beside.addStretch(1)
        beside.addWidget(card, 1000)
        beside.addStretch(1)
        around = QVBoxLayout(ground)
        around.setContentsMargins(16, 16, 16, 16)
        around.addStretch()
        around.addLayout(beside)
        around.addStretch()
        self.setWidget(ground)
        for form in (self.sign_in, self.register):
            for before, after in pairwise([*self.locator.tab_order(), *form.tab_order()]):
                QWidget.setTabOrder(before, after)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def _show_form(self, form: Form) -> None:
        other = self.register if form is self.sign_in else self.sign_in
        form.field(USER).set_text(other.field(USER).text() or form.field(USER).text())
        form.stay.setChecked(other.stay.isChecked())
        form.clear_errors()
        if form is self.sign_in:
            self._title.setText(self.tr("Welcome"))
            self._subtitle.setText(self.tr("Messages go straight to your friends' devices."))
        else:
            self._title.setText(self.tr("Create an account"))
            self._subtitle.setText(self.tr("The locator never sees a message."))
        # This form is long, and a small screen is as high as it is.
        self._logo.setVisible(form is self.sign_in)
        self._form = form
        other.hide()
        form.show()
        form.focus_first_empty()

    def _welcome(self, account: AccountView | None, password: str) -> None:
        is_elsewhere = account is not None and self._given_locator not in {"", account.locator}
        if account is None or is_elsewhere or password or self._form.field(USER).text():
            self._fill_in(account, password)
            return

        def answered(session: SessionView | None) -> None:
            self._set_busy(self._form, busy=False)
            if session is not None:
                self._done(session)
            else:
                self._fill_in(account)

        def refused(code: RefusalCode, message: str) -> None:
            self._fill_in(account)
            self._refused(code, message)

        self._set_busy(self._form, busy=True)
        self._bridge.ask(self, lambda node: node.sign_in_again(), answered, refused)

    def _fill_in(self, account: AccountView | None, password: str = "") -> None:
        if account is None:
            return
        if not self._given_locator:
            self.locator.set_known(account.locator)
        if not self.sign_in.field(USER).text() and self._given_locator in {"", account.locator}:
            self.sign_in.field(USER).set_text(account.user)
        if password and self.sign_in.field(USER).text() == account.user:
            self.sign_in.field(PASSWORD).set_text(password)
            self._sign_in()
        else:
            self._form.focus_first_empty()

    def _sign_in(self, old_password: str | None = None, *, set_old_aside: bool = False) -> None:
        form = self.sign_in
        locator, stay = self.locator.link(), form.stay.isChecked()
        user, password = (form.field(key).text() for key in (USER, PASSWORD))
        self._set_busy(form, busy=True)

        def refused(code: RefusalCode, message: str) -> None:
            if code is RefusalCode.VAULT_LOCKED:
                self._set_busy(form, busy=False)
                self._ask_for_old_password("" if old_password is None else message)
            else:
                self._refused(code, message)

        self._bridge.ask(
            self,
            lambda node: node.log_in(
                locator,
                user.strip(),
                password,
                stay_signed_in=stay,
                old_password=old_password,
                set_old_aside=set_old_aside,
            ),
            self._done,
            refused,
        )

    def _ask_for_old_password(self, sentence: str) -> None:
        dialog = OldPasswordDialog(self._theme, sentence, self.window())
        dialog.unlocked.connect(self._sign_in)
        dialog.set_aside.connect(lambda: self._sign_in(set_old_aside=True))
        dialog.open()

    def _staying_toggled(self, is_ticked: bool) -> None:
        if is_ticked:
            self._bridge.ask(self, lambda node: node.secret_place(), self._say_where_the_key_goes)

    def _say_where_the_key_goes(self, place: SecretPlace) -> None:
        for form in (self.sign_in, self.register):
            form.explain_staying(is_in_keyring=place is SecretPlace.KEYRING)

    def _register(self) -> None:
        form = self.register
        if form.field("repeat").text() != form.field(PASSWORD).text():
            form.field("repeat").show_error(self.tr("This is not the same password."))
            return
        locator, stay = self.locator.link(), form.stay.isChecked()
        user, name, password = (form.field(key).text() for key in (USER, NAME, PASSWORD))
        self._set_busy(form, busy=True)
        self._bridge.ask(
            self,
            lambda node: node.register(locator, user.strip(), password, name.strip(), stay_signed_in=stay),
            self._done,
            self._refused,
        )

    def _done(self, session: SessionView) -> None:
        for form in (self.sign_in, self.register):
            self._set_busy(form, busy=False)
            form.field(PASSWORD).input.clear()
        self.register.field("repeat").input.clear()
        self.sign_in.field(USER).set_text(session.user)
        self.locator.signed_in_at(session.locator)
        self._show_form(self.sign_in)
        self.signed_in.emit(session)

    def _refused(self, code: RefusalCode, message: str) -> None:
        self._set_busy(self._form, busy=False)
        if code in _ABOUT_THE_LOCATOR:
            self.locator.show_refusal(code, message)
        else:
            self._form.show_refusal(code, message)
        self._show_what_is_wrong()

    def _check_locator(self) -> bool:
        self.locator.clear_error()
        self._show_what_is_wrong()
        return self.locator.check()

    def _show_what_is_wrong(self) -> None:
        """Scroll to the field that has the cursor, once the sentence below it has its place."""
        QTimer.singleShot(0, self, self._scroll_to_focus)

    def _scroll_to_focus(self) -> None:
        focused = self.focusWidget()
        if focused is not None:
            self.ensureWidgetVisible(focused, 0, _ROOM_FOR_AN_ERROR)

    def _set_busy(self, form: Form, *, busy: bool) -> None:
        self._is_busy = busy
        form.set_busy(busy=busy)
        self.locator.setEnabled(not busy)


async def _last_account(node: "PeerNode") -> AccountView | None:
    return node.last_account()
