import asyncio

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton

from peer.errors import RefusalCode
from peer.views import AccountView, UserId
from tests.ui.scripted_node import LOCATOR, ScriptedNode, refuse
from ui.login.login_page import LoginPage
from ui.peer_bridge import PeerBridge
from ui.theme.controls import Theme


@pytest.fixture
def page(qtbot, theme: Theme, bridge: PeerBridge) -> LoginPage:
    page = LoginPage(theme, bridge)
    qtbot.addWidget(page)
    page.resize(800, 700)
    page.show()
    qtbot.waitExposed(page)
    return page


def field(page: LoginPage, name: str) -> QLineEdit:
    return page.findChild(QLineEdit, name)


def button(page: LoginPage, name: str) -> QPushButton:
    return page.findChild(QPushButton, name)


def errors(page: LoginPage) -> dict[str, str]:
    """Return the errors that can be seen, by the name of their field."""
    shown = [
        label for label in page.findChildren(QLabel) if label.objectName().endswith(".error") and label.isVisible()
    ]
    return {label.objectName().removesuffix(".error"): label.text() for label in shown}


def fill(page: LoginPage, **values: str) -> None:
    for name, value in values.items():
        field(page, name.replace("_", ".", 1)).setText(value)


def sign_in(page: LoginPage, qtbot) -> None:
    fill(page, login_locator="127.0.0.1:7400", login_user="li.wei", login_password="secret word")
    qtbot.mouseClick(button(page, "login.submit"), Qt.MouseButton.LeftButton)


def test_enter_signs_in(qtbot, page: LoginPage, node: ScriptedNode) -> None:
    fill(page, login_locator=" 127.0.0.1:7400 ", login_user="li.wei", login_password=" secret word ")
    with qtbot.waitSignal(page.signed_in) as signed_in:
        qtbot.keyClick(field(page, "login.password"), Qt.Key.Key_Return)
    assert signed_in.args[0].user == "li.wei"
    # Spaces around a password may be part of it.
    assert node.asked("log_in") == [("127.0.0.1:7400", "li.wei", " secret word ")]
    assert field(page, "login.password").text() == ""


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (RefusalCode.BAD_ADDRESS, "login.locator"),
        (RefusalCode.LOCATOR_UNREACHABLE, "login.locator"),
        (RefusalCode.OTHER_AUTHORITY, "login.locator"),
        (RefusalCode.BAD_USER_ID, "login.user"),
        (RefusalCode.UNKNOWN_USER, "login.user"),
        (RefusalCode.WRONG_PASSWORD, "login.password"),
        (RefusalCode.VAULT_LOCKED, "login.password"),
        (RefusalCode.PORT_IN_USE, "login"),
        (RefusalCode.PROFILE_IN_USE, "login"),
        (RefusalCode.RATE_LIMITED, "login"),
        (RefusalCode.REFUSED, "login"),
    ],
)
def test_each_error_stands_beside_its_field(
    qtbot, page: LoginPage, node: ScriptedNode, code: RefusalCode, name: str
) -> None:
    node.refusals["log_in"] = refuse(code)
    sign_in(page, qtbot)
    qtbot.waitUntil(lambda: bool(errors(page)))
    (shown,) = errors(page).items()
    assert shown[0] == name
    assert shown[1]
    if name != "login":
        assert field(page, name).hasFocus()
        assert field(page, name).accessibleDescription() == shown[1]


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (RefusalCode.NAME_TAKEN, "register.user"),
        (RefusalCode.BAD_NAME, "register.name"),
        (RefusalCode.WEAK_PASSWORD, "register.password"),
        (RefusalCode.REGISTRATION_CLOSED, "register"),
    ],
)
def test_each_error_of_a_new_account_stands_beside_its_field(
    qtbot, page: LoginPage, node: ScriptedNode, code: RefusalCode, name: str
) -> None:
    node.refusals["register"] = refuse(code)
    qtbot.mouseClick(button(page, "login.create"), Qt.MouseButton.LeftButton)
    fill(page, register_locator="here", register_user="ann", register_name="Ann")
    fill(page, register_password="long enough", register_repeat="long enough")
    qtbot.mouseClick(button(page, "register.submit"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(errors(page)))
    assert list(errors(page)) == [name]


def test_an_error_goes_when_its_field_is_edited(qtbot, page: LoginPage, node: ScriptedNode) -> None:
    node.refusals["log_in"] = refuse(RefusalCode.WRONG_PASSWORD)
    sign_in(page, qtbot)
    qtbot.waitUntil(lambda: bool(errors(page)))
    qtbot.keyClicks(field(page, "login.password"), "x")
    assert errors(page) == {}


def test_what_is_missing_is_said_without_asking_anybody(qtbot, page: LoginPage, node: ScriptedNode) -> None:
    fill(page, login_user="li.wei")
    qtbot.mouseClick(button(page, "login.submit"), Qt.MouseButton.LeftButton)
    assert list(errors(page)) == ["login.locator", "login.password"]
    assert field(page, "login.locator").hasFocus()
    assert node.asked("log_in") == []


def test_a_password_typed_differently_is_not_sent(qtbot, page: LoginPage, node: ScriptedNode) -> None:
    qtbot.mouseClick(button(page, "login.create"), Qt.MouseButton.LeftButton)
    fill(page, register_locator="here", register_user="ann", register_name="Ann")
    fill(page, register_password="long enough", register_repeat="long enoug")
    qtbot.keyClick(field(page, "register.repeat"), Qt.Key.Key_Return)
    assert list(errors(page)) == ["register.repeat"]
    assert node.asked("register") == []


def test_an_account_is_made_with_what_was_typed(qtbot, page: LoginPage, node: ScriptedNode) -> None:
    fill(page, login_locator="here:1", login_user="ann")
    qtbot.mouseClick(button(page, "login.create"), Qt.MouseButton.LeftButton)
    assert field(page, "register.name").hasFocus()
    fill(page, register_name=" Ann 安 ", register_password="long enough", register_repeat="long enough")
    with qtbot.waitSignal(page.signed_in):
        qtbot.keyClick(field(page, "register.repeat"), Qt.Key.Key_Return)
    assert node.asked("register") == [("here:1", "ann", "long enough", "Ann 安")]


def test_while_waiting_nothing_can_be_sent_twice(qtbot, page: LoginPage, node: ScriptedNode) -> None:
    node.gate = asyncio.Event()
    sign_in(page, qtbot)
    submit = button(page, "login.submit")
    assert (submit.text(), submit.isEnabled()) == ("Signing in…", False)
    qtbot.waitUntil(lambda: len(node.asked("log_in")) == 1)
    qtbot.mouseClick(submit, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(page.signed_in):
        node.loop.call_soon_threadsafe(node.gate.set)
    assert len(node.asked("log_in")) == 1
    assert (submit.text(), submit.isEnabled()) == ("Sign in", True)


def test_who_signed_in_last_is_filled_in(qtbot, page: LoginPage, node: ScriptedNode) -> None:
    node.account = AccountView(UserId("li.wei"), "Li Wei", LOCATOR)
    page.begin()
    qtbot.waitUntil(lambda: field(page, "login.user").text() == "li.wei")
    assert field(page, "login.locator").text() == LOCATOR
    assert field(page, "login.password").hasFocus()


def test_an_address_from_the_command_line_wins(qtbot, theme: Theme, bridge: PeerBridge, node: ScriptedNode) -> None:
    node.account = AccountView(UserId("li.wei"), "Li Wei", LOCATOR)
    page = LoginPage(theme, bridge, "hail://other:1")
    qtbot.addWidget(page)
    page.show()
    page.begin()
    qtbot.wait(50)
    assert field(page, "login.locator").text() == "hail://other:1"
    assert field(page, "login.user").text() == ""


def test_the_password_can_be_looked_at(qtbot, page: LoginPage) -> None:
    password = field(page, "login.password")
    (eye,) = password.actions()
    assert password.echoMode() is QLineEdit.EchoMode.Password
    assert eye.text() == "Show the password"
    eye.trigger()
    assert password.echoMode() is QLineEdit.EchoMode.Normal
    assert eye.text() == "Hide the password"


def test_tab_walks_from_top_to_bottom(qtbot, page: LoginPage) -> None:
    page.activateWindow()
    field(page, "login.locator").setFocus()
    walked = []
    for _ in range(5):
        walked.append(page.focusWidget().objectName())
        qtbot.keyClick(page.focusWidget(), Qt.Key.Key_Tab)
    assert walked == ["login.locator", "login.user", "login.password", "login.submit", "login.create"]


def test_labels_belong_to_their_fields(page: LoginPage) -> None:
    buddies = {label.buddy().objectName() for label in page.findChildren(QLabel) if label.buddy() is not None}
    assert {"login.locator", "login.user", "login.password", "register.name"} <= buddies
