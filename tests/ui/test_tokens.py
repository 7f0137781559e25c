from dataclasses import asdict

import pytest

from ui.theme.tokens import AVATAR_COLOURS, CALL, DARK, LIGHT, TEXT_PAIRS, Tokens


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_measure_is_right() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("pair", TEXT_PAIRS, ids="-on-".join)
@pytest.mark.parametrize("tokens", [LIGHT, DARK, CALL], ids=["light", "dark", "call"])
def test_text_can_be_read_on_its_ground(tokens: Tokens, pair: tuple[str, str]) -> None:
    written, ground = (asdict(tokens)[name] for name in pair)
    assert contrast(written, ground) >= 4.5, f"{pair}: {written} on {ground}"


@pytest.mark.parametrize("ground", ["bubble_in", "chat"])
@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_names_of_authors_can_be_read(tokens: Tokens, ground: str) -> None:
    assert len(tokens.authors) == len(AVATAR_COLOURS)
    assert min(contrast(colour, asdict(tokens)[ground]) for colour in tokens.authors) >= 4.5
