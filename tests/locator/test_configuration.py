from pathlib import Path

import platformdirs
import pytest

from locator.configuration import ConfigurationError, Place, Registration, public_place, read_place, read_settings
from locator.event_log import LogFormat, LogLevel


def test_defaults_need_nothing():
    settings = read_settings({}, {})
    assert settings.data == Path(platformdirs.user_data_dir("hail-locator", appauthor=False))
    assert settings.listen == Place("0.0.0.0", 7400)
    assert settings.public is None
    assert settings.registration is Registration.OPEN
    assert settings.announce is True


SETTINGS = [
    ("data", "/srv/hail", Path("/srv/hail")),
    ("listen", "127.0.0.1:1", Place("127.0.0.1", 1)),
    ("public", "chat.example", "chat.example"),
    ("registration", "closed", Registration.CLOSED),
    ("announce", "off", False),
    ("course_port", "127.0.0.1:2", Place("127.0.0.1", 2)),
    ("metrics", "[::1]:3", Place("::1", 3)),
    ("log_format", "json", LogFormat.JSON),
    ("log_level", "warning", LogLevel.WARNING),
]


@pytest.mark.parametrize(("name", "text", "value"), SETTINGS)
def test_every_setting_has_a_flag_a_variable_and_a_line(tmp_path, name, text, value):
    file = tmp_path / "locator.toml"
    file.write_text(f'{name} = "{text}"')
    for flags, environment in (
        ({name: text}, {}),
        ({}, {f"HAIL_LOCATOR_{name.upper()}": text}),
        ({"config": str(file)}, {}),
        ({}, {"HAIL_LOCATOR_CONFIG": str(file)}),
    ):
        assert getattr(read_settings(flags, environment), name) == value


def test_a_settings_file_of_windows_editors_is_read(tmp_path):
    file = tmp_path / "locator.toml"
    file.write_bytes(b'\xef\xbb\xbfregistration = "closed"\r\n')
    assert read_settings({"config": str(file)}, {}).registration is Registration.CLOSED


def test_flags_win_then_variables_then_the_file(tmp_path):
    file = tmp_path / "locator.toml"
    file.write_text('listen = "127.0.0.1:3"')
    variable = {"HAIL_LOCATOR_LISTEN": "127.0.0.1:2", "HAIL_LOCATOR_CONFIG": str(file)}
    assert read_settings({"listen": "127.0.0.1:1"}, variable).listen.port == 1
    assert read_settings({}, variable).listen.port == 2
    assert read_settings({"config": str(file)}, {}).listen.port == 3


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("listen", "7400"),
        ("listen", "host:"),
        ("listen", ":7400"),
        ("listen", "host:65536"),
        ("listen", "::1:7400"),
        ("listen", "host:-1"),
        ("public", "a b"),
        ("public", "hail://host"),
        ("registration", "maybe"),
        ("log_level", "loud"),
        ("log_format", "xml"),
        ("metrics", "9100"),
        ("announce", "maybe"),
        ("data", ""),
    ],
)
def test_a_setting_that_will_not_do_names_its_source(name, text):
    with pytest.raises(ConfigurationError, match=f"--{name.replace('_', '-')} cannot be"):
        read_settings({name: text}, {})
    with pytest.raises(ConfigurationError, match=f"HAIL_LOCATOR_{name.upper()} cannot be"):
        read_settings({}, {f"HAIL_LOCATOR_{name.upper()}": text})


@pytest.mark.parametrize(("line", "value"), [("announce = false", False), ("announce = true", True)])
def test_a_switch_in_the_file_may_be_written_as_toml_does(tmp_path, line, value):
    file = tmp_path / "locator.toml"
    file.write_text(line)
    assert read_settings({"config": str(file)}, {}).announce is value


@pytest.mark.parametrize("content", ["listen = 7", "listne = 'x'", "not toml", "listen = '\udcff'"])
def test_a_settings_file_that_will_not_do_is_named(tmp_path, content):
    file = tmp_path / "locator.toml"
    file.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigurationError, match=r"locator\.toml"):
        read_settings({"config": str(file)}, {})


def test_a_settings_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_settings({"config": str(tmp_path / "none.toml")}, {})


def test_an_ipv6_address_stands_in_brackets():
    assert read_place("[::1]:7400") == Place("::1", 7400)
    assert str(Place("::1", 7400)) == "[::1]:7400"


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ({"listen": "127.0.0.1:0"}, "127.0.0.1:4711"),
        ({"listen": "127.0.0.1:0", "public": "chat.example"}, "chat.example:4711"),
        ({"listen": "127.0.0.1:0", "public": "chat.example:80"}, "chat.example:80"),
        ({"listen": "127.0.0.1:0", "public": "[2001:db8::1]"}, "[2001:db8::1]:4711"),
        ({"listen": "[::1]:0"}, "[::1]:4711"),
    ],
)
def test_others_are_told_the_public_place(flags, told):
    assert str(public_place(read_settings(flags, {}), 4711)) == told


def test_for_any_address_others_are_told_one_of_this_machine():
    assert public_place(read_settings({}, {}), 4711).host != "0.0.0.0"
