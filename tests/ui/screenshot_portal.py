"""A desktop's portal for the tests, on the session bus: `python screenshot_portal.py ANSWER PICTURE`."""

import sys

from jeepney import DBusAddress, HeaderFields, MessageType, new_error, new_method_return, new_signal
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection

NAME = "org.freedesktop.portal.Desktop"


def main(answer: str, picture: str) -> None:
    """Answer one request: with a picture, as cancelled, as failed, or with an error."""
    connection = open_dbus_connection("SESSION")
    connection.send_and_get_reply(message_bus.RequestName(NAME))
    print("ready", flush=True)
    while True:
        message = connection.receive()
        if message.header.message_type is MessageType.method_call:
            break
    assert message.header.fields[HeaderFields.member] == "Screenshot"
    _window, options = message.body
    if answer == "error":
        connection.send(new_error(message, "org.freedesktop.portal.Error.Failed", "s", ("no",)))
        return
    sender = message.header.fields[HeaderFields.sender]
    token = options["handle_token"][1]
    path = f"/org/freedesktop/portal/desktop/request/{sender[1:].replace('.', '_')}/{token}"
    code = {"picture": 0, "cancelled": 1, "failed": 2}[answer]
    results = {"uri": ("s", f"file://{picture}")} if code == 0 else {}
    signal = new_signal(
        DBusAddress(path, interface="org.freedesktop.portal.Request"), "Response", "ua{sv}", (code, results)
    )
    signal.header.fields[HeaderFields.destination] = sender
    connection.send(signal)
    connection.send(new_method_return(message, "o", (path,)))
    connection.receive()


if __name__ == "__main__":
    main(*sys.argv[1:])
