"""The first screen: a card to sign in, or to create an account."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from peer.errors import RefusalCode
from peer.views import AccountView, SessionView
from ui.login.form import LOCATOR, NAME, PASSWORD, USER, Form
from ui.login.form_field import FormField, PasswordField
from ui.peer_bridge import PeerBridge
from ui.theme import fonts
from ui.theme.controls import Text, Theme

if TYPE_CHECKING:
    from peer.node import PeerNode

_CARD_WIDTH = 400
_LOGO = 40


class LoginPage(QScrollArea):
    """Asks the node to sign in, and says when it did."""

    signed_in = Signal(object)
    """The session."""

    def __init__(self, theme: Theme, bridge: PeerBridge, locator: str = "") -> None:
        """`locator` is the address from the command line; without one, the last one used is filled in."""
        super().__init__()
        self.setObjectName("login")
        self._bridge = bridge
        self._given_locator = locator
        self._title = Text(face=fonts.bold(fonts.HEADING), wrap=True)
        self._title.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._subtitle = Text(role="secondary", face=fonts.font(fonts.CAPTION), wrap=True)
        self._subtitle.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.sign_in = self._make_sign_in(theme)
        self.register = self._make_register(theme)
        self._form = self.sign_in
        self._build(theme)
        self._show_form(self.sign_in)

    def begin(self, password: str = "") -> None:
        """Fill in who signed in last, unless somebody is typing already; with a password, sign that one in."""
        self._bridge.ask(self, _last_account, lambda account: self._fill_in(account, password))

    def showEvent(self, event: QShowEvent) -> None:
        """Put the cursor where the next thing has to be typed."""
        super().showEvent(event)
        self._form.focus_first_empty()

    def _make_sign_in(self, theme: Theme) -> Form:
        form = Form(
            name="login",
            submit=self.tr("Sign in"),
            busy=self.tr("Signing in…"),
            switch=self.tr("Create an account"),
            switch_name="login.create",
        )
        self._add_locator_and_user(form, "login")
        form.add_field(PASSWORD, PasswordField(theme, self.tr("Password"), name="login.password"))
        form.submitted.connect(self._sign_in)
        form.switched.connect(lambda: self._show_form(self.register))
        return form

    def _make_register(self, theme: Theme) -> Form:
        form = Form(
            name="register",
            submit=self.tr("Create account"),
            busy=self.tr("Creating the account…"),
            switch=self.tr("I have an account"),
            switch_name="register.sign_in",
        )
        self._add_locator_and_user(form, "register")
        name = form.add_field(NAME, FormField(self.tr("Display name"), name="register.name"))
        name.input.setPlaceholderText(self.tr("How your contacts see you"))
        form.add_field(PASSWORD, PasswordField(theme, self.tr("Password"), name="register.password"))
        form.add_field("repeat", PasswordField(theme, self.tr("Password again"), name="register.repeat"))
        form.submitted.connect(self._register)
        form.switched.connect(lambda: self._show_form(self.sign_in))
        return form

    def _add_locator_and_user(self, form: Form, name: str) -> None:
        locator = form.add_field(LOCATOR, FormField(self.tr("Locator address"), name=f"{name}.locator"))
        locator.input.setPlaceholderText(self.tr("host:port or hail://…"))
        locator.set_text(self._given_locator)
        user = form.add_field(USER, FormField(self.tr("Your ID"), name=f"{name}.user"))
        user.input.setPlaceholderText(self.tr("for example li.wei"))

    def _build(self, theme: Theme) -> None:
        logo = QLabel()
        logo.setPixmap(theme.icons.pixmap("message-circle", theme.tokens.accent, _LOGO, self.devicePixelRatioF()))
        logo.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        card = QFrame()
        card.setProperty("role", "card")
        card.setMaximumWidth(_CARD_WIDTH)
        inside = QVBoxLayout(card)
        inside.setContentsMargins(36, 26, 36, 28)
        inside.setSpacing(0)
        inside.addWidget(logo)
        inside.addSpacing(8)
        inside.addWidget(self._title)
        inside.addSpacing(4)
        inside.addWidget(self._subtitle)
        inside.addSpacing(16)
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
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def _show_form(self, form: Form) -> None:
        other = self.register if form is self.sign_in else self.sign_in
        for key in (LOCATOR, USER):
            form.field(key).set_text(other.field(key).text() or form.field(key).text())
        form.clear_errors()
        if form is self.sign_in:
            self._title.setText(self.tr("Welcome"))
            self._subtitle.setText(self.tr("Messages go straight to your friends' devices."))
        else:
            self._title.setText(self.tr("Create an account"))
            self._subtitle.setText(self.tr("The locator keeps your ID and a hash of your password, never a message."))
        self._form = form
        other.hide()
        form.show()
        form.focus_first_empty()

    def _fill_in(self, account: AccountView | None, password: str = "") -> None:
        if account is None:
            return
        for form in (self.sign_in, self.register):
            if not form.field(LOCATOR).text():
                form.field(LOCATOR).set_text(account.locator)
        if not self.sign_in.field(USER).text() and self._given_locator in {"", account.locator}:
            self.sign_in.field(USER).set_text(account.user)
        if password and self.sign_in.field(USER).text() == account.user:
            self.sign_in.field(PASSWORD).set_text(password)
            self._sign_in()
        else:
            self._form.focus_first_empty()

    def _sign_in(self) -> None:
        locator, user, password = (self.sign_in.field(key).text() for key in (LOCATOR, USER, PASSWORD))
        self.sign_in.set_busy(busy=True)
        self._bridge.ask(
            self, lambda node: node.log_in(locator.strip(), user.strip(), password), self._done, self._refused
        )

    def _register(self) -> None:
        form = self.register
        if form.field("repeat").text() != form.field(PASSWORD).text():
            form.field("repeat").show_error(self.tr("This is not the same password."))
            return
        locator, user, name, password = (form.field(key).text() for key in (LOCATOR, USER, NAME, PASSWORD))
        form.set_busy(busy=True)
        self._bridge.ask(
            self,
            lambda node: node.register(locator.strip(), user.strip(), password, name.strip()),
            self._done,
            self._refused,
        )

    def _done(self, session: SessionView) -> None:
        for form in (self.sign_in, self.register):
            form.set_busy(busy=False)
            form.field(PASSWORD).input.clear()
            form.field(LOCATOR).set_text(session.locator)
        self.register.field("repeat").input.clear()
        self.sign_in.field(USER).set_text(session.user)
        self._show_form(self.sign_in)
        self.signed_in.emit(session)

    def _refused(self, code: RefusalCode, message: str) -> None:
        self._form.set_busy(busy=False)
        self._form.show_refusal(code, message)


async def _last_account(node: "PeerNode") -> AccountView | None:
    return node.last_account()
