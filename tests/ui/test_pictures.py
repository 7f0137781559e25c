"""Pictures in the conversation: what is decoded, when, how much of it is kept, and the viewer."""

import asyncio
import io

import msgspec
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QPushButton, QToolButton

from peer import events
from peer.errors import RefusalCode
from peer.pictures.formats import PictureFormat
from peer.pictures.tasks import CleanPicture
from peer.views import MessageKind, MessageView, TransferState
from tests.ui.scripted_node import (
    ScriptedNode,
    conversation_id,
    make_contact,
    make_conversation,
    make_file,
    make_message,
    make_session,
    refuse,
)
from ui.main_window.window import MainWindow
from ui.theme.controls import Theme
from ui.transfers import picture_store
from ui.transfers.acts import Act
from ui.transfers.picture_block import HIGHEST, PictureBlock
from ui.transfers.picture_store import PictureStore
from ui.transfers.picture_viewer import PictureViewer
from ui.transfers.tray import TrayItem

ALICE = conversation_id("alice")
GREEN, RED = (0, 200, 0), (200, 0, 0)


def encoded(colour: tuple[int, int, int], width: int, height: int, kind: str = "PNG", frames: int = 1) -> bytes:
    pictures = [
        Image.new("RGB", (width, height), tuple(max(0, part - 40 * at) for part in colour)) for at in range(frames)
    ]
    file = io.BytesIO()
    more = {"save_all": True, "append_images": pictures[1:], "duration": 30, "loop": 0} if frames > 1 else {}
    pictures[0].save(file, kind, **more)
    return file.getvalue()


def make_picture(number: int, width: int = 800, height: int = 600, **about) -> MessageView:
    shown = {"state": TransferState.HERE, "width": width, "height": height, "path": "/x.png", "size": 9_000}
    return make_file(number, f"{number}.png", kind=MessageKind.PICTURE, about=shown | about)


def clean(width: int = 800, height: int = 600, colour: tuple[int, int, int] = GREEN) -> CleanPicture:
    return CleanPicture(encoded(colour, width, height), PictureFormat.PNG, width, height)


@pytest.fixture
def talking(qtbot, window: MainWindow, node: ScriptedNode) -> MainWindow:
    node.people = [make_contact("alice")]
    node.talks = [make_conversation("alice", last_entry=make_message(1))]
    node.history[ALICE] = [make_message(1)]
    window.login.signed_in.emit(make_session())
    qtbot.waitUntil(lambda: window._state.conversations.rowCount() == 1)
    window.chat.open(window._state.conversations.conversation(ALICE))
    qtbot.waitUntil(lambda: window.chat.pane.view.model().rowCount() == 1)
    return window


def show(window: MainWindow, qtbot, node: ScriptedNode, *messages: MessageView) -> None:
    node.history[ALICE] += messages
    node.tell(*map(events.MessageChanged, messages))
    view = window.chat.pane.view
    qtbot.waitUntil(
        lambda: view.model().rowCount() > 0 and view.model().message(view.model().rowCount() - 1) == messages[-1]
    )


def colour_on_screen(window: MainWindow) -> tuple[int, int, int]:
    """Return the colour a little beside the middle of the last message's bubble, where no button is."""
    view = window.chat.pane.view
    index = view.model().index(view.model().rowCount() - 1, 0)
    bubble = view._bubbles.bubble_rect(index, view.visualRect(index))
    seen = view.viewport().grab().toImage().pixelColor(bubble.center() + QPoint(-60, 30))
    return (seen.red(), seen.green(), seen.blue())


def test_the_thumbnail_is_shown_before_the_picture_is_here(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    thumbnail = encoded(RED, 160, 120, "JPEG")
    show(talking, qtbot, node, make_picture(2, state=TransferState.OFFERED, thumbnail=thumbnail, path=""))
    # A JPEG is red more or less; the ground before it is a light grey.
    qtbot.waitUntil(lambda: colour_on_screen(talking)[0] > 100 + colour_on_screen(talking)[1])
    assert node.asked("shown_thumbnail") == [(thumbnail,)]
    assert node.asked("picture") == []


def test_the_picture_takes_the_place_of_its_thumbnail(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    message = make_picture(2, thumbnail=encoded(RED, 160, 120, "JPEG"))
    node.pictures[message.entry] = clean()
    show(talking, qtbot, node, message)
    qtbot.waitUntil(lambda: colour_on_screen(talking) == GREEN)


def test_no_bytes_of_a_peer_are_decoded_here(
    qtbot, talking: MainWindow, node: ScriptedNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The node's answer to a thumbnail is the only thing that reaches a decoder, never the thumbnail itself.
    decoded: list[bytes] = []
    read = picture_store.read_image
    monkeypatch.setattr(
        picture_store, "read_image", lambda content, *rest: decoded.append(content) or read(content, *rest)
    )
    rewritten = encoded(GREEN, 160, 120)

    async def shown_thumbnail(_jpeg: bytes) -> CleanPicture:
        return CleanPicture(rewritten, PictureFormat.PNG, 160, 120)

    node.shown_thumbnail = shown_thumbnail
    hostile = b"\xff\xd8\xff not to be looked at"
    show(talking, qtbot, node, make_picture(2, state=TransferState.OFFERED, thumbnail=hostile, path=""))
    qtbot.waitUntil(lambda: decoded == [rewritten])


def test_what_cannot_be_shown_says_why(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    sentence = "“2.png” is a PDF document. Only JPEG, PNG, GIF and WebP pictures are shown."
    node.refusals["picture"] = refuse(RefusalCode.UNSUPPORTED_PICTURE, sentence)
    message = make_picture(2)
    show(talking, qtbot, node, message)
    store = talking.chat.pane.desk.pictures
    qtbot.waitUntil(lambda: len(store._refused) == 1)
    assert list(store._refused.values()) == [sentence]
    talking.chat.pane.view.viewport().repaint()
    qtbot.wait(50)
    assert len(node.asked("picture")) == 1, "it is not asked for again and again"


@pytest.mark.parametrize(
    ("width", "height"), [(1, 1), (100, 100), (800, 600), (600, 800), (10_000, 10), (10, 10_000), (0, 0)]
)
@pytest.mark.parametrize("widest", [200, 288, 520])
def test_a_picture_keeps_to_its_room(theme: Theme, bridge, width: int, height: int, widest: int) -> None:
    block = PictureBlock(theme, PictureStore(bridge))
    size = block.size(make_picture(2, width, height), widest)
    assert 120 <= size.width() <= widest
    assert 120 <= size.height() <= HIGHEST
    if width == 800 and widest == 520:
        assert size.width() / size.height() == pytest.approx(800 / 600, abs=0.01)


@pytest.mark.parametrize("told", [(0, 0), (600, 800), (3000, 100)])
def test_a_picture_keeps_its_shape_whatever_was_told_of_it(
    qtbot, talking: MainWindow, node: ScriptedNode, told: tuple[int, int]
) -> None:
    message = make_picture(2, *told)
    node.pictures[message.entry] = clean(800, 200)
    show(talking, qtbot, node, message)
    store = talking.chat.pane.desk.pictures
    qtbot.waitUntil(lambda: len(store._images) == 1)
    (image,) = store._images.values()
    assert image.width() / image.height() == pytest.approx(4, rel=0.05)


def test_a_small_picture_is_not_blown_up(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    message = make_picture(2, 20, 20)
    node.pictures[message.entry] = clean(20, 20)
    show(talking, qtbot, node, message)
    qtbot.waitUntil(lambda: len(talking.chat.pane.desk.pictures._images) == 1)
    assert colour_on_screen(talking) != GREEN


def test_no_more_than_64_mb_of_pictures_are_kept(qtbot, bridge, node: ScriptedNode) -> None:
    store = PictureStore(bridge)
    size = QSize(1600, 1600)
    messages = [make_picture(number, 1600, 1600) for number in range(10)]
    for message in messages:
        node.pictures[message.entry] = clean(1600, 1600)
        store.look(message, size)
        qtbot.waitUntil(lambda message=message: store.look(message, size).size() == size, timeout=20_000)
        assert store.bytes_kept <= picture_store.KEPT_BYTES
    assert store.look(messages[-1], size).size() == size
    assert store.look(messages[0], size).isNull(), "the oldest went first"


def test_of_many_pictures_passed_by_those_last_seen_come_first(qtbot, bridge, node: ScriptedNode) -> None:
    store = PictureStore(bridge)
    messages = [make_picture(number) for number in range(100)]
    for message in messages:
        node.pictures[message.entry] = clean(80, 60)
        store.look(message, QSize(80, 60))
    qtbot.waitUntil(lambda: not store._wanted and not store._asked)
    asked = [entry for entry, _side in node.asked("picture")]
    assert len(asked) < 40
    assert asked[4] == messages[-1].entry


def test_a_picture_moves_only_while_it_is_in_sight(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    moving = make_picture(2, 200, 160)
    content = encoded(GREEN, 200, 160, "WEBP", frames=4)
    node.pictures[moving.entry] = CleanPicture(content, PictureFormat.WEBP, 200, 160, frames=4)
    show(talking, qtbot, node, moving)
    store = talking.chat.pane.desk.pictures
    frames: list[object] = []
    store.came.connect(frames.append)
    qtbot.waitUntil(lambda: len(store._movies) == 1)
    qtbot.waitUntil(lambda: frames.count(moving.entry) > 4)
    show(talking, qtbot, node, *(make_message(number, "text\n" * 8) for number in range(3, 12)))
    qtbot.waitUntil(lambda: not store._movies)
    frames.clear()
    qtbot.wait(150)
    assert frames == []


def test_nothing_moves_in_a_conversation_that_is_not_open(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    moving = make_picture(2, 200, 160)
    content = encoded(GREEN, 200, 160, "WEBP", frames=4)
    node.pictures[moving.entry] = CleanPicture(content, PictureFormat.WEBP, 200, 160, frames=4)
    show(talking, qtbot, node, moving)
    store = talking.chat.pane.desk.pictures
    qtbot.waitUntil(lambda: len(store._movies) == 1)
    talking.chat.close_conversation()
    qtbot.waitUntil(lambda: not store._movies)


@pytest.fixture
def viewer(qtbot, talking: MainWindow, node: ScriptedNode) -> PictureViewer:
    """Open on the second of three pictures."""
    messages = [make_picture(number) for number in (2, 3, 4)]
    for message in messages:
        node.pictures[message.entry] = clean()
    show(talking, qtbot, node, *messages)
    talking.chat.pane.view.act_wanted.emit(messages[1], Act.VIEW, 0.0)
    viewer = talking.findChild(PictureViewer, "viewer")
    assert viewer is not None
    assert viewer.isVisible()
    qtbot.waitUntil(lambda: viewer._reel._ended == {-1: True, 1: True})
    return viewer


def name_of(viewer: PictureViewer) -> str:
    return viewer.current.attachment.name


def look_at(window: MainWindow, message: MessageView) -> PictureViewer:
    window.chat.pane.desk.act(message, Act.VIEW)
    viewer = window.findChild(PictureViewer, "viewer")
    assert viewer.isVisible()
    return viewer


def test_a_click_opens_the_viewer_and_escape_closes_it(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    message = make_picture(2)
    node.pictures[message.entry] = clean()
    show(talking, qtbot, node, message)
    view = talking.chat.pane.view
    index = view.model().index(view.model().rowCount() - 1, 0)
    place = view._bubbles.bubble_rect(index, view.visualRect(index)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    viewer = talking.findChild(PictureViewer, "viewer")
    assert viewer.isVisible()
    assert viewer.size() == talking.size()
    qtbot.keyClick(viewer, Qt.Key.Key_Escape)
    assert not viewer.isVisible()
    assert talking.focusWidget() is view


def test_arrows_lead_to_the_neighbours_and_no_further(qtbot, viewer: PictureViewer) -> None:
    assert name_of(viewer) == "3.png"
    qtbot.keyClick(viewer, Qt.Key.Key_Left)
    qtbot.keyClick(viewer, Qt.Key.Key_Left)
    assert name_of(viewer) == "2.png"
    assert not viewer.findChild(QToolButton, "viewer.before").isVisible()
    for _ in range(3):
        qtbot.mouseClick(viewer.findChild(QToolButton, "viewer.after"), Qt.MouseButton.LeftButton)
    assert name_of(viewer) == "4.png"


def test_arrows_lead_through_all_pictures_of_the_conversation_and_over_nothing_else(
    qtbot, talking: MainWindow, node: ScriptedNode
) -> None:
    # 300 pictures, far more than a page, with texts and files between; none of them is in the list of messages.
    pictures = [make_picture(10 * number) for number in range(1, 301)]
    others = [make_file(10 * number + 1) for number in range(1, 301)]
    node.history[ALICE] += [*pictures, *others, *(make_message(10 * number + 2) for number in range(1, 301))]
    node.pictures.update({message.entry: clean(8, 6) for message in pictures})
    viewer = look_at(talking, pictures[150])
    seen = [name_of(viewer)]
    for key, end in ((Qt.Key.Key_Left, "10.png"), (Qt.Key.Key_Right, "3000.png")):
        while name_of(viewer) != end:
            before = name_of(viewer)
            qtbot.keyClick(viewer, key)
            qtbot.waitUntil(lambda before=before: name_of(viewer) != before)
            seen.append(name_of(viewer))
        button = "viewer.before" if key == Qt.Key.Key_Left else "viewer.after"
        qtbot.waitUntil(lambda button=button: not viewer.findChild(QToolButton, button).isVisible())
        qtbot.keyClick(viewer, key)
        assert name_of(viewer) == end
    numbers = [int(name.removesuffix(".png")) // 10 for name in seen]
    assert numbers == [*range(151, 0, -1), *range(2, 301)]
    assert len(node.asked("files")) < 25, "page by page, not one by one"


def test_who_is_faster_than_the_node_gets_there_all_the_same(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    pictures = [make_picture(number) for number in (2, 3)]
    node.pictures.update({message.entry: clean() for message in pictures})
    node.history[ALICE] += pictures
    node.gate = asyncio.Event()
    viewer = look_at(talking, pictures[1])
    qtbot.keyClick(viewer, Qt.Key.Key_Left)
    assert name_of(viewer) == "3.png"
    node.loop.call_soon_threadsafe(node.gate.set)
    qtbot.waitUntil(lambda: name_of(viewer) == "2.png")


def test_a_picture_that_is_not_here_shows_its_thumbnail_and_is_brought_by_a_button(
    qtbot, talking: MainWindow, node: ScriptedNode
) -> None:
    offered = make_picture(
        2, state=TransferState.OFFERED, thumbnail=encoded(RED, 160, 120, "JPEG"), path="", size=1_200_000
    )
    here = make_picture(3)
    node.history[ALICE] += [offered, here]
    node.pictures[here.entry] = clean()
    viewer = look_at(talking, here)
    fetch = viewer.findChild(QPushButton, "viewer.fetch")
    assert not fetch.isVisible()
    qtbot.keyClick(viewer, Qt.Key.Key_Left)
    qtbot.waitUntil(lambda: name_of(viewer) == "2.png")
    assert fetch.text() == "Download · 1.2 MB"
    assert node.asked("fetch_file") == [], "nothing comes without a click"
    qtbot.waitUntil(lambda: middle_of(viewer)[0] > 150)
    qtbot.mouseClick(fetch, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: node.asked("fetch_file") == [(offered.entry, None)])

    node.tell(events.MessageChanged(make_picture(2, state=TransferState.LOADING, done=600_000, size=1_200_000)))
    qtbot.waitUntil(lambda: viewer.findChild(QLabel, "viewer.state").text() == "Downloading · 50\N{NO-BREAK SPACE}%")
    node.pictures[offered.entry] = clean()
    node.tell(events.MessageChanged(make_picture(2, size=1_200_000)))
    qtbot.waitUntil(lambda: middle_of(viewer) == GREEN)
    assert not fetch.isVisible()


def test_what_is_shared_while_somebody_looks_comes_behind_the_last(
    qtbot, viewer: PictureViewer, node: ScriptedNode
) -> None:
    new = make_picture(5)
    node.pictures[new.entry] = clean()
    node.tell(events.MessageChanged(new))
    qtbot.keyClick(viewer, Qt.Key.Key_Right)
    assert name_of(viewer) == "4.png"
    qtbot.waitUntil(lambda: viewer.findChild(QToolButton, "viewer.after").isVisible())
    qtbot.keyClick(viewer, Qt.Key.Key_Right)
    assert name_of(viewer) == "5.png"


def test_what_is_deleted_meanwhile_is_passed_over_but_not_pulled_away(
    qtbot, viewer: PictureViewer, node: ScriptedNode
) -> None:
    gone = [msgspec.structs.replace(make_picture(n), kind=MessageKind.DELETED, attachment=None) for n in (2, 3)]
    node.tell(events.MessageHidden(make_picture(4)), *map(events.MessageChanged, gone))
    qtbot.waitUntil(lambda: not viewer.findChild(QToolButton, "viewer.after").isVisible())
    assert name_of(viewer) == "3.png", "it is being looked at"
    assert not viewer.findChild(QToolButton, "viewer.before").isVisible()


def test_what_stands_still_in_sight_is_not_painted_again_and_again(
    qtbot, talking: MainWindow, node: ScriptedNode
) -> None:
    still = make_picture(2, 200, 160)
    # It has two frames, and minutes between them.
    frames = [Image.new("RGB", (200, 160), colour) for colour in (GREEN, RED)]
    file = io.BytesIO()
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:], duration=600_000)
    node.pictures[still.entry] = CleanPicture(file.getvalue(), PictureFormat.WEBP, 200, 160, frames=2)
    show(talking, qtbot, node, still)
    store = talking.chat.pane.desk.pictures
    qtbot.waitUntil(lambda: len(store._movies) == 1)
    qtbot.wait(100)
    came: list[object] = []
    store.came.connect(came.append)
    qtbot.wait(200)
    assert came == []


def test_a_picture_that_moves_does_so_large_and_sharp_in_the_viewer(
    qtbot, talking: MainWindow, node: ScriptedNode
) -> None:
    moving = make_picture(2, 900, 600)
    content = encoded(GREEN, 900, 600, "WEBP", frames=4)
    node.pictures[moving.entry] = CleanPicture(content, PictureFormat.WEBP, 900, 600, frames=4)
    talking.resize(1180, 800)
    show(talking, qtbot, node, moving)
    store = talking.chat.pane.desk.pictures
    qtbot.waitUntil(lambda: len(store._movies) == 1)
    (in_the_bubble,) = store._movies
    viewer = look_at(talking, moving)
    qtbot.waitUntil(lambda: list(store._movies) == [(moving.entry, 900, 600)])
    movie = store._movies[moving.entry, 900, 600]
    qtbot.waitUntil(lambda: movie.currentImage().size() == QSize(900, 600))
    colours = set()
    qtbot.waitUntil(lambda: colours.add(middle_of(viewer)) or len(colours) > 2)
    for _ in range(3):
        qtbot.keyClick(viewer, Qt.Key.Key_Plus)
    colours.clear()
    qtbot.waitUntil(lambda: colours.add(middle_of(viewer)) or len(colours) > 2)
    qtbot.keyClick(viewer, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: list(store._movies) == [in_the_bubble])


def test_who_looks_closer_gets_a_sharper_copy(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    large = make_picture(2, 6_000, 4_000)
    node.pictures[large.entry] = clean(60, 40)
    node.history[ALICE].append(large)
    viewer = look_at(talking, large)
    qtbot.waitUntil(lambda: (large.entry, 2560) in node.asked("picture"))
    for _ in range(6):
        qtbot.keyClick(viewer, Qt.Key.Key_Plus)
    qtbot.waitUntil(lambda: (large.entry, 4243) in node.asked("picture"))


def middle_of(viewer: PictureViewer) -> tuple[int, int, int]:
    seen = viewer.grab().toImage().pixelColor(viewer.rect().center())
    return (seen.red(), seen.green(), seen.blue())


@pytest.mark.parametrize("size", [(360, 480), (380, 640)])
def test_in_a_narrow_window_all_of_it_has_room(
    qtbot, viewer: PictureViewer, talking: MainWindow, size: tuple[int, int]
) -> None:
    talking.resize(*size)
    qtbot.waitUntil(lambda: (viewer.width(), viewer.height()) == size)
    buttons = viewer.findChildren(QToolButton)
    assert all(button.isVisible() for button in buttons)
    places = [button.rect().translated(button.mapTo(viewer, QPoint())) & viewer.rect() for button in buttons]
    assert all(place.size() == QSize(40, 40) for place in places)
    assert not any(one.intersects(two) for at, one in enumerate(places) for two in places[:at])


def test_it_zooms_by_key_button_and_wheel(qtbot, viewer: PictureViewer) -> None:
    qtbot.keyClick(viewer, Qt.Key.Key_Plus)
    assert viewer.zoom == pytest.approx(1.25)
    qtbot.mouseClick(viewer.findChild(QToolButton, "viewer.larger"), Qt.MouseButton.LeftButton)
    assert viewer.zoom == pytest.approx(1.25**2)
    qtbot.keyClick(viewer, Qt.Key.Key_0)
    assert viewer.zoom == pytest.approx(1.0)
    qtbot.keyClick(viewer, Qt.Key.Key_Minus)
    assert viewer.zoom == pytest.approx(1.0), "never smaller than fits"


def test_what_is_under_the_mouse_stays_there_while_zooming(qtbot, viewer: PictureViewer) -> None:
    for _ in range(3):
        qtbot.keyClick(viewer, Qt.Key.Key_Plus)
    point = viewer._place().center() + QPointF(50, 20)

    def share() -> QPointF:
        place: QRectF = viewer._place()
        return QPointF((point.x() - place.x()) / place.width(), (point.y() - place.y()) / place.height())

    before = share()
    none, no_key = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    phase = Qt.ScrollPhase.NoScrollPhase
    for _ in range(6):
        event = QWheelEvent(point, viewer.mapToGlobal(point), QPoint(), QPoint(0, 120), none, no_key, phase, False)
        QApplication.sendEvent(viewer, event)
    assert viewer.zoom > 3
    assert share().x() == pytest.approx(before.x(), abs=0.01)
    assert share().y() == pytest.approx(before.y(), abs=0.01)


def test_the_picture_can_be_saved_from_the_viewer(qtbot, viewer: PictureViewer, talking: MainWindow) -> None:
    qtbot.mouseClick(viewer.findChild(QToolButton, "viewer.save"), Qt.MouseButton.LeftButton)
    dialog = talking.findChild(QFileDialog, "transfers.save_as")
    assert dialog is not None
    dialog.close()


def test_tab_stays_in_the_viewer(qtbot, viewer: PictureViewer) -> None:
    seen = set()
    for _ in range(12):
        qtbot.keyClick(viewer.window().focusWidget(), Qt.Key.Key_Tab)
        seen.add(viewer.window().focusWidget().objectName())
    assert seen == {
        "viewer", "viewer.smaller", "viewer.larger", "viewer.save", "viewer.close", "viewer.before", "viewer.after",
    }  # fmt: skip


def test_signing_out_leaves_no_picture_behind(qtbot, viewer: PictureViewer, talking: MainWindow) -> None:
    store = talking.chat.pane.desk.pictures
    qtbot.waitUntil(lambda: store.bytes_kept > 0)
    talking._logged_out(None)
    assert not viewer.isVisible()
    assert store.bytes_kept == 0


def test_a_picture_in_the_tray_is_previewed(qtbot, talking: MainWindow, node: ScriptedNode, tmp_path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(GREEN, 40, 40, "JPEG"))
    talking.chat.pane.composer.add([TrayItem.of(path)])
    tile = talking.chat.pane.composer.tray._tiles[0]
    qtbot.waitUntil(lambda: not tile.preview._picture.isNull())
    assert isinstance(tile.preview._picture, QImage)


def test_what_cannot_be_shown_is_said_before_it_is_sent(
    qtbot, talking: MainWindow, node: ScriptedNode, tmp_path
) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(b"%PDF-1.7")
    sentence = "“bomb.png” is a PDF document. Only JPEG, PNG, GIF and WebP pictures are shown."
    node.refusals["preview"] = refuse(RefusalCode.UNSUPPORTED_PICTURE, sentence)
    talking.chat.pane.composer.add([TrayItem.of(path)])
    tile = talking.chat.pane.composer.tray._tiles[0]
    qtbot.waitUntil(lambda: tile.toolTip() == sentence)
    assert tile._about.text() == "8 bytes · as a file"
    assert talking.toast.text() == f"{sentence} It is sent as a file."


def test_in_the_viewer_too_what_cannot_be_shown_says_why(qtbot, talking: MainWindow, node: ScriptedNode) -> None:
    node.refusals["picture"] = refuse(RefusalCode.DAMAGED_PICTURE, "“2.png” is damaged and cannot be shown.")
    message = make_picture(2)
    show(talking, qtbot, node, message)
    viewer = look_at(talking, message)
    store = talking.chat.pane.desk.pictures
    qtbot.waitUntil(lambda: store.refusal(message, viewer._copy_size(message)).startswith("“2.png” is damaged"))
    band = viewer.grab(viewer._room().toRect()).toImage()
    colours = {band.pixelColor(x, band.height() // 2).name() for x in range(band.width())}
    assert len(colours) > 1, "something is written there"
