import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QDialog, QLabel, QLineEdit, QMenu, QPushButton, QWidget

from peer.errors import RefusalCode
from peer.node import PeerNode
from peer.views import AccountView, FoundLocator, SecretPlace, UserId
from tests.harness.processes import LocatorProcess
from tests.ui.scripted_node import LOCATOR, ME, ScriptedNode, make_session, refuse
from ui.login.form import PASSWORD, USER
from ui.login.hosting import LocatorHost
from ui.login.login_page import LoginPage
from ui.peer_bridge import PeerBridge
from ui.theme.controls import Theme


@pytest.fixture
def host(tmp_path: Path) -> LocatorHost:
    return LocatorHost(tmp_path / "locator")


@pytest.fixture
def page(qtbot, theme: Theme, bridge: PeerBridge, host: LocatorHost) -> LoginPage:
    page = LoginPage(theme, bridge, host)
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


def part(page: QWidget, name: str):
    found = page.findChild(QWidget, name)
    assert found is not None, name
    return found


def type_address(page: LoginPage, address: str) -> None:
    page.locator.type_address()
    field(page, "locator.address").setText(address)


def sign_in(page: LoginPage, qtbot) -> None:
    type_address(page, "127.0.0.1:7400")
    fill(page, login_user="li.wei", login_password="secret word")
    qtbot.mouseClick(button(page, "login.submit"), Qt.MouseButton.LeftButton)


def test_enter_signs_in(qtbot, page: LoginPage, node: ScriptedNode) -> None:
    type_address(page, " 127.0.0.1:7400 ")
    fill(page, login_user="li.wei", login_password=" secret word ")
    with qtbot.waitSignal(page.signed_in) as signed_in:
        qtbot.keyClick(field(page, "login.password"), Qt.Key.Key_Return)
    assert signed_in.args[0].user == "li.wei"
    # Spaces around a password may be part of it.
    assert node.asked("log_in") == [("127.0.0.1:7400", "li.wei", " secret word ")]
    assert field(page, "login.password").text() == ""


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (RefusalCode.BAD_ADDRESS, "locator.address"),
        (RefusalCode.LOCATOR_UNREACHABLE, "locator.address"),
        (RefusalCode.OTHER_AUTHORITY, "locator.address"),
        (RefusalCode.BAD_USER_ID, "login.user"),
        (RefusalCode.UNKNOWN_USER, "login.user"),
        (RefusalCode.WRONG_PASSWORD, "login.password"),
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
    type_address(page, "here")
    fill(page, register_user="ann", register_name="Ann")
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
    assert list(errors(page)) == ["locator", "login.password"]
    assert button(page, "locator.choose").hasFocus()
    assert node.asked("log_in") == []


def test_a_password_typed_differently_is_not_sent(qtbot, page: LoginPage, node: ScriptedNode) -> None:
    qtbot.mouseClick(button(page, "login.create"), Qt.MouseButton.LeftButton)
    type_address(page, "here")
    fill(page, register_user="ann", register_name="Ann")
    fill(page, register_password="long enough", register_repeat="long enoug")
    qtbot.keyClick(field(page, "register.repeat"), Qt.Key.Key_Return)
    assert list(errors(page)) == ["register.repeat"]
    assert node.asked("register") == []


def test_an_account_is_made_with_what_was_typed(qtbot, page: LoginPage, node: ScriptedNode) -> None:
    type_address(page, "here:1")
    fill(page, login_user="ann")
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
    assert page.locator.link() == LOCATOR
    assert field(page, "login.password").hasFocus()


def test_who_stays_signed_in_sees_no_card(qtbot, page: LoginPage, node: ScriptedNode) -> None:
    node.account, node.stays = AccountView(ME, "Li Wei", LOCATOR), make_session()
    with qtbot.waitSignal(page.signed_in) as signed_in:
        page.begin()
    assert signed_in.args == [node.stays]


def test_who_does_not_stay_signed_in_is_asked_for_the_password(qtbot, page: LoginPage, node: ScriptedNode) -> None:
    node.account = AccountView(ME, "Li Wei", LOCATOR)
    page.begin()
    qtbot.waitUntil(lambda: page.sign_in.field(USER).text() == ME)
    assert node.asked("sign_in_again") == [()]
    assert page.sign_in.field(PASSWORD).isEnabled()


def test_what_prevents_the_automatic_sign_in_is_said(qtbot, page: LoginPage, node: ScriptedNode) -> None:
    node.account = AccountView(ME, "Li Wei", LOCATOR)
    node.refusals["sign_in_again"] = refuse(RefusalCode.DAMAGED_DATABASE, "This profile's file is damaged.")
    page.begin()
    error = part(page, "login.error")
    qtbot.waitUntil(lambda: error.text() == "This profile's file is damaged.")
    assert page.sign_in.field(USER).text() == ME


def test_a_link_to_another_locator_signs_nobody_in_by_itself(qtbot, page: LoginPage, node: ScriptedNode) -> None:
    node.account, node.stays = AccountView(ME, "Li Wei", LOCATOR), make_session()
    page._given_locator = "hail://192.0.2.9:7400#" + "cd" * 32
    page.begin()
    qtbot.wait(200)
    assert node.asked("sign_in_again") == []


def test_the_former_password_unlocks_a_profile_after_a_change_elsewhere(
    qtbot, page: LoginPage, node: ScriptedNode
) -> None:
    dialog = _meet_a_locked_profile(qtbot, page, node)
    qtbot.keyClicks(part(dialog, "old_password.password"), "former")
    del node.refusals["log_in"]
    with qtbot.waitSignal(page.signed_in):
        qtbot.mouseClick(part(dialog, "old_password.unlock"), Qt.MouseButton.LeftButton)
    assert node.former == ("former", False)


def test_a_wrong_former_password_is_said_where_it_is_typed(qtbot, page: LoginPage, node: ScriptedNode) -> None:
    dialog = _meet_a_locked_profile(qtbot, page, node)
    qtbot.keyClicks(part(dialog, "old_password.password"), "guess")
    node.refusals["log_in"] = refuse(RefusalCode.VAULT_LOCKED, "That does not open it either.")
    qtbot.mouseClick(part(dialog, "old_password.unlock"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: _asks_again(page, dialog))
    again = page.window().findChildren(QDialog, "old_password")[-1]
    assert part(again, "old_password.password.error").text() == "That does not open it either."


def test_who_forgot_it_begins_as_a_new_device(qtbot, page: LoginPage, node: ScriptedNode) -> None:
    dialog = _meet_a_locked_profile(qtbot, page, node)
    del node.refusals["log_in"]
    with qtbot.waitSignal(page.signed_in):
        qtbot.mouseClick(part(dialog, "old_password.aside"), Qt.MouseButton.LeftButton)
    assert node.former == (None, True)


def _meet_a_locked_profile(qtbot, page: LoginPage, node: ScriptedNode) -> QDialog:
    node.refusals["log_in"] = refuse(RefusalCode.VAULT_LOCKED, "Still locked with the former password.")
    sign_in(page, qtbot)
    qtbot.waitUntil(lambda: page.window().findChild(QDialog, "old_password") is not None)
    return page.window().findChild(QDialog, "old_password")


def _asks_again(page: LoginPage, first: QDialog) -> bool:
    return any(dialog is not first for dialog in page.window().findChildren(QDialog, "old_password"))


@pytest.mark.parametrize("place", list(SecretPlace))
def test_where_the_key_goes_is_said_before_it_goes_into_a_file(
    qtbot, page: LoginPage, node: ScriptedNode, place: SecretPlace
) -> None:
    node.secret_place_here = place
    about = part(page, "login.about_staying")
    page.sign_in.stay.setChecked(True)
    if place is SecretPlace.FILE:
        qtbot.waitUntil(about.isVisible)
        page.sign_in.stay.setChecked(False)
    else:
        qtbot.wait(200)
    assert not about.isVisible()


def test_an_address_from_the_command_line_wins(
    qtbot, theme: Theme, bridge: PeerBridge, node: ScriptedNode, host: LocatorHost
) -> None:
    node.account = AccountView(UserId("li.wei"), "Li Wei", LOCATOR)
    page = LoginPage(theme, bridge, host, "hail://other:1")
    qtbot.addWidget(page)
    page.show()
    page.begin()
    qtbot.wait(50)
    assert page.locator.link() == "hail://other:1"
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
    type_address(page, "here")
    button(page, "locator.choose").setFocus()
    walked = []
    for _ in range(7):
        walked.append(page.focusWidget().objectName())
        qtbot.keyClick(page.focusWidget(), Qt.Key.Key_Tab)
    assert walked == [
        "locator.choose",
        "locator.address",
        "login.user",
        "login.password",
        "login.stay",
        "login.submit",
        "login.create",
    ]


def test_labels_belong_to_their_fields(page: LoginPage) -> None:
    buddies = {label.buddy().objectName() for label in page.findChildren(QLabel) if label.buddy() is not None}
    assert {"locator.choose", "login.user", "login.password", "register.name"} <= buddies


# --- the locator ---------------------------------------------------------------------------------


def found(name: str = "room-3", place: str = "192.0.2.7:7400", digit: str = "3") -> FoundLocator:
    return FoundLocator(name, place, digit * 64, f"hail://{place}#{digit * 64}")


def choice(page: LoginPage) -> str:
    return button(page, "locator.choose").accessibleName()


def menu_of(page: LoginPage, qtbot) -> list[QAction]:
    qtbot.mouseClick(button(page, "locator.choose"), Qt.MouseButton.LeftButton)
    menu = page.locator.findChildren(QMenu)[-1]
    actions = menu.actions()
    menu.hide()
    return actions


def test_the_only_one_found_is_chosen_by_itself(qtbot, page: LoginPage, node: ScriptedNode) -> None:
    assert choice(page) == "Locator: Looking for a locator…, on this network"
    qtbot.waitUntil(lambda: node.searches == 1)
    node.announce(found())
    qtbot.waitUntil(lambda: page.locator.link() == found().link)
    assert choice(page) == "Locator: room-3, 192.0.2.7:7400 · fingerprint 33333333"
    assert button(page, "locator.choose").toolTip() == "Fingerprint " + "3" * 64
    assert button(page, "locator.choose").accessibleDescription() == "Fingerprint " + "3" * 64
    node.announce()
    qtbot.waitUntil(lambda: page.locator.link() == "")


def test_of_two_of_one_name_neither_is_chosen_and_they_are_told_apart(
    qtbot, page: LoginPage, node: ScriptedNode
) -> None:
    qtbot.waitUntil(lambda: node.searches == 1)
    node.announce(found(), found(place="192.0.2.8:7400", digit="4"))
    qtbot.waitUntil(lambda: choice(page) == "Locator: Choose a locator, 2 found on this network")
    assert page.locator.link() == ""
    first, second, *_ = menu_of(page, qtbot)
    assert first.text() == "room-3 · 192.0.2.7:7400 · fingerprint 33333333"
    assert second.text() == "room-3 · 192.0.2.8:7400 · fingerprint 44444444"
    second.trigger()
    assert page.locator.link() == found(place="192.0.2.8:7400", digit="4").link
    # What a person chose stays, whoever else turns up or goes.
    node.announce(found())
    qtbot.waitUntil(lambda: len(menu_of(page, qtbot)) > 0 and page.locator.link().endswith("4"))


def test_the_chosen_one_stays_when_another_turns_up(qtbot, page: LoginPage, node: ScriptedNode) -> None:
    first, second = (
        FoundLocator("vm", place, sign * 32, f"hail://{place}#{sign * 32}")
        for place, sign in (("192.0.2.2:7400", "ab"), ("192.0.2.9:7400", "cd"))
    )
    page.locator.show_found([first])
    chosen = page.locator.link()
    page.locator.show_refusal(RefusalCode.LOCATOR_UNREACHABLE, "The locator is out of reach.")
    page.locator.show_found([first, second])
    assert page.locator.link() == chosen
    assert page.locator.error(), "and what was said of it stands"
    page.locator.show_found([second])
    assert page.locator.link() != chosen
    assert not page.locator.error()


def test_what_was_used_last_stays_chosen(qtbot, page: LoginPage, node: ScriptedNode) -> None:
    node.account = AccountView(UserId("li.wei"), "Li Wei", LOCATOR)
    page.begin()
    qtbot.waitUntil(lambda: page.locator.link() == LOCATOR)
    node.announce(found())
    qtbot.waitUntil(lambda: "room-3" in menu_of(page, qtbot)[0].text())
    assert page.locator.link() == LOCATOR
    assert choice(page) == "Locator: Used last, 127.0.0.1:7400 · fingerprint abababab"


def test_an_address_without_a_fingerprint_takes_none_from_the_network(
    qtbot, page: LoginPage, node: ScriptedNode
) -> None:
    page.locator.set_known("192.0.2.7:7400")
    qtbot.waitUntil(lambda: node.searches == 1)
    node.announce(found())
    qtbot.waitUntil(lambda: "room-3" in choice(page))
    assert page.locator.link() == "192.0.2.7:7400"


def test_a_known_locator_is_followed_to_its_new_address(qtbot, page: LoginPage, node: ScriptedNode) -> None:
    page.locator.set_known("hail://192.0.2.1:7400#" + "3" * 64)
    node.announce(found())
    qtbot.waitUntil(lambda: page.locator.link() == found().link)
    # Both answer: then the address that was right before is the right one.
    node.announce(found(), found(place="192.0.2.1:7400"))
    qtbot.waitUntil(lambda: page.locator.link() == "hail://192.0.2.1:7400#" + "3" * 64)


@pytest.mark.parametrize(
    "junk",
    [
        "hail://",
        "hail://host:99999",
        "hail://a b",
        "hail://host#12",
        "hail://host:1#" + "g" * 64,
        "x" * 10_000,
        "\u202e",
    ],
)
def test_a_junk_link_is_refused_below_the_field_without_asking_anybody(
    qtbot, page: LoginPage, node: ScriptedNode, junk: str
) -> None:
    type_address(page, junk)
    fill(page, login_user="li.wei", login_password="secret word")
    qtbot.mouseClick(button(page, "login.submit"), Qt.MouseButton.LeftButton)
    assert list(errors(page)) == ["locator.address"]
    assert errors(page)["locator.address"].startswith("This is no locator's address.")
    assert field(page, "locator.address").hasFocus()
    assert node.asked("log_in") == []


def test_a_junk_link_from_the_command_line_is_shown_where_it_can_be_mended(
    qtbot, theme: Theme, bridge: PeerBridge, host: LocatorHost
) -> None:
    page = LoginPage(theme, bridge, host, "hail://a b")
    qtbot.addWidget(page)
    page.show()
    assert field(page, "locator.address").text() == "hail://a b"
    assert field(page, "locator.address").isVisible()


def test_another_authority_is_refused_with_the_nodes_sentence_and_no_way_round(
    qtbot, page: LoginPage, node: ScriptedNode
) -> None:
    page.locator.set_known(LOCATOR)
    node.refusals["log_in"] = refuse(RefusalCode.OTHER_AUTHORITY, "Another locator answers at this address.")
    fill(page, login_user="li.wei", login_password="secret word")
    qtbot.mouseClick(button(page, "login.submit"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: errors(page) == {"locator": "Another locator answers at this address."})
    assert len(node.asked("log_in")) == 1
    assert button(page, "locator.choose").hasFocus()


def test_the_fingerprint_of_a_pasted_link_is_shown(page: LoginPage) -> None:
    page.locator.type_address()
    QTest.keyClicks(field(page, "locator.address"), LOCATOR)
    assert page.findChild(QLabel, "locator.hint").text() == "Fingerprint abababab"


def test_when_nothing_is_found_the_card_says_what_to_do(page: LoginPage, monkeypatch: pytest.MonkeyPatch) -> None:
    page.locator._waited.stop()
    page.locator.show_found(())
    assert choice(page).startswith("Locator: No locator found yet")
    assert button(page, "locator.type").isVisible()
    assert button(page, "locator.host").isVisible()
    assert "be the one who hosts it" in page.findChild(QLabel, "locator.hint").text()


def test_the_network_is_looked_at_only_while_the_card_is_seen(qtbot, page: LoginPage, node: ScriptedNode) -> None:
    qtbot.waitUntil(lambda: node._is_searching)
    page.hide()
    qtbot.waitUntil(lambda: not node._is_searching)
    page.show()
    qtbot.waitUntil(lambda: node.searches == 2)


@pytest.mark.parametrize("wanted", [True, False])
def test_to_stay_signed_in_is_passed_on(qtbot, page: LoginPage, node: ScriptedNode, wanted: bool) -> None:
    page.findChild(QCheckBox, "login.stay").setChecked(wanted)
    with qtbot.waitSignal(page.signed_in):
        sign_in(page, qtbot)
    assert node.stay_signed_in is wanted


def test_to_stay_signed_in_is_passed_on_with_a_new_account(qtbot, page: LoginPage, node: ScriptedNode) -> None:
    page.findChild(QCheckBox, "login.stay").setChecked(True)
    qtbot.mouseClick(button(page, "login.create"), Qt.MouseButton.LeftButton)
    type_address(page, "here")
    fill(page, register_user="ann", register_name="Ann", register_password="long enough", register_repeat="long enough")
    with qtbot.waitSignal(page.signed_in):
        qtbot.mouseClick(button(page, "register.submit"), Qt.MouseButton.LeftButton)
    assert node.stay_signed_in is True


# --- with the real node and locators ----------------------------------------------------------------


@pytest.fixture
def real_page(qtbot, theme: Theme, host: LocatorHost, tmp_path: Path) -> Iterator[LoginPage]:
    bridge = PeerBridge(PeerNode, tmp_path / "profile")
    bridge.start()
    page = LoginPage(theme, bridge, host)
    qtbot.addWidget(page)
    page.show()
    yield page
    bridge.close()


def register(page: LoginPage, qtbot, user: str) -> None:
    page._show_form(page.register)
    fill(page, register_user=user, register_name=user.title())
    fill(page, register_password="long enough", register_repeat="long enough")
    qtbot.mouseClick(button(page, "register.submit"), Qt.MouseButton.LeftButton)


def test_a_locator_on_this_network_is_found_and_gives_an_account(qtbot, real_page: LoginPage, tmp_path: Path) -> None:
    locator = LocatorProcess(tmp_path / "locator", announce=True)
    try:
        qtbot.waitUntil(lambda: locator.link in {each.link for each in real_page.locator._found}, timeout=15_000)
        (line,) = (each for each in menu_of(real_page, qtbot) if each.toolTip() == locator.link)
        line.trigger()
        with qtbot.waitSignal(real_page.signed_in, timeout=15_000) as signed_in:
            register(real_page, qtbot, "ann")
        assert signed_in.args[0].locator == locator.link
        assert real_page.locator.link() == locator.link
    finally:
        locator.stop()


def test_another_locator_at_a_known_address_gets_nothing_and_is_told_of(
    qtbot, real_page: LoginPage, tmp_path: Path
) -> None:
    locator = LocatorProcess(tmp_path / "one")
    type_address(real_page, locator.link)
    with qtbot.waitSignal(real_page.signed_in, timeout=15_000):
        register(real_page, qtbot, "ann")
    place = locator.link.removeprefix("hail://").partition("#")[0]
    locator.stop()
    impostor = LocatorProcess(tmp_path / "other", listen=place)
    try:
        real_page._bridge.ask(real_page, lambda node: node.log_out())
        fill(real_page, login_password="long enough")
        qtbot.mouseClick(button(real_page, "login.submit"), Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: bool(errors(real_page)), timeout=15_000)
        (sentence,) = errors(real_page).values()
        assert sentence.startswith("Another locator answers at this address than the one you know.")
    finally:
        impostor.stop()
