"""Every colour and measure of the screen, by its meaning; nothing else in `ui` names a colour."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Tokens:
    """One colour table, `#RRGGBB` each."""

    window: str
    side: str
    card: str
    chat: str
    bubble_in: str
    bubble_out: str
    text: str
    secondary: str
    link: str
    accent: str
    accent_hover: str
    accent_pressed: str
    on_accent: str
    border: str
    hover: str
    selected: str
    danger: str
    ok: str
    online: str
    offline: str
    warning: str
    warning_ground: str
    chip: str
    faint: str
    """An icon of what cannot be done now."""
    scrim: str
    """Under words that lie on a picture, partly seen through."""
    scrim_hover: str
    on_scrim: str
    toast: str
    on_toast: str
    toast_link: str
    answer: str
    """Under what begins a call, or stands for one that goes on."""
    answer_hover: str
    hang_up: str
    hang_up_hover: str
    on_call: str
    authors: tuple[str, ...]
    """The avatars' colours, as dark or light as names in them must be to be read on a bubble."""


LIGHT = Tokens(
    window="#F3F5F8",
    side="#FFFFFF",
    card="#FFFFFF",
    chat="#E9EEF4",
    bubble_in="#FFFFFF",
    bubble_out="#D6E6FF",
    text="#17202B",
    secondary="#556070",
    link="#1D56D0",
    accent="#2257CF",
    accent_hover="#1C4BB6",
    accent_pressed="#173F9A",
    on_accent="#FFFFFF",
    border="#DCE2EA",
    hover="#F0F3F8",
    selected="#E1EBFF",
    danger="#C62B3B",
    ok="#1B7F4B",
    online="#23A55A",
    offline="#556070",
    warning="#9A5B00",
    warning_ground="#FFF4DD",
    chip="#FFFFFF",
    faint="#B1BBC8",
    scrim="#0B1220",
    scrim_hover="#2A3547",
    on_scrim="#FFFFFF",
    toast="#17202B",
    on_toast="#FFFFFF",
    toast_link="#9DBEFF",
    answer="#1B7F4B",
    answer_hover="#166A3E",
    hang_up="#C62B3B",
    hang_up_hover="#A82331",
    on_call="#FFFFFF",
    authors=("#6B47EE", "#CA2550", "#167766", "#97591B", "#246BB8", "#9A4A91", "#52731C"),
)

DARK = Tokens(
    window="#12161C",
    side="#181D25",
    card="#181D25",
    chat="#0F1318",
    bubble_in="#232A34",
    bubble_out="#1D3966",
    text="#E8EDF4",
    secondary="#A3AFBF",
    link="#8FB4FF",
    accent="#79A5FF",
    accent_hover="#93B6FF",
    accent_pressed="#AAC6FF",
    on_accent="#0B1220",
    border="#2A323E",
    hover="#212833",
    selected="#20304F",
    danger="#FF7B86",
    ok="#5AD08F",
    online="#3BC274",
    offline="#A3AFBF",
    warning="#F0B45A",
    warning_ground="#33291A",
    chip="#232A34",
    faint="#525D6C",
    scrim="#0B1220",
    scrim_hover="#2A3547",
    on_scrim="#FFFFFF",
    toast="#E8EDF4",
    on_toast="#12161C",
    toast_link="#1D56D0",
    answer="#1B7F4B",
    answer_hover="#166A3E",
    hang_up="#C62B3B",
    hang_up_hover="#A82331",
    on_call="#FFFFFF",
    authors=("#9C84F4", "#E46C8B", "#1EA78E", "#D9822B", "#5597DE", "#C07CB8", "#72A027"),
)

CALL = replace(DARK, window="#151A21", side="#151A21", card="#1E252F", hover="#2A323E", border="#343E4C")
"""The call window's: dark, whatever the rest is."""

TEXT_PAIRS: tuple[tuple[str, str], ...] = (
    ("text", "window"),
    ("text", "side"),
    ("text", "card"),
    ("text", "bubble_in"),
    ("text", "bubble_out"),
    ("text", "hover"),
    ("text", "selected"),
    ("text", "warning_ground"),
    ("secondary", "window"),
    ("secondary", "side"),
    ("secondary", "card"),
    ("secondary", "chat"),
    ("secondary", "bubble_in"),
    ("secondary", "bubble_out"),
    ("secondary", "hover"),
    ("secondary", "selected"),
    ("secondary", "chip"),
    ("link", "bubble_in"),
    ("link", "bubble_out"),
    ("accent", "card"),
    ("accent", "hover"),
    ("accent", "selected"),
    ("accent", "bubble_out"),
    ("accent", "warning_ground"),
    ("on_accent", "accent"),
    ("on_accent", "accent_hover"),
    ("on_accent", "accent_pressed"),
    ("on_accent", "offline"),
    ("danger", "card"),
    ("danger", "hover"),
    ("danger", "side"),
    ("ok", "side"),
    ("warning", "warning_ground"),
    ("on_scrim", "scrim"),
    ("on_scrim", "scrim_hover"),
    ("on_toast", "toast"),
    ("toast_link", "toast"),
    ("accent", "side"),
    ("on_call", "answer"),
    ("on_call", "answer_hover"),
    ("on_call", "hang_up"),
    ("on_call", "hang_up_hover"),
)
"""Which colour is written on which ground; each pair is at least 4.5:1."""

AVATAR_COLOURS = ("#7A5AF0", "#E0567A", "#1C9A83", "#D9822B", "#2F7FD6", "#A8519E", "#5B7F1F")
"""Grounds of people's pictures, chosen by a hash of their ID; the initials on them are white, bold and large."""

GRID = 4
"""Pixels to which distances keep."""
SIDEBAR_WIDTH = 320
NARROWEST_SIDEBAR = 240
ONE_COLUMN_BELOW = 720
"""A window narrower than this shows the list or a conversation, not both."""
HEADER_HEIGHT = 62
ROW_HEIGHT = 68
