"""Every limit of a call's voice that the other side does not see, with the reason for its value."""

VOICE_LEGS = 7
"""Other devices in a call: eight people talk with each other at once."""
VOICE_FRAMES_WAITING = 50
"""Frames of 20 ms that wait in a jitter buffer: a second; of more the oldest are dropped."""
VOICE_TRIAL_PACKETS = 600
"""Packets of 20 ms kept of what somebody says who tries how they sound: twelve seconds, the last ones."""
VOICE_TRIAL_END_MS = 700.0
"""So long after the last of it was given to the jitter buffer, all was heard."""
VOICE_LOUDEST = 4.0
"""How many times louder than it comes somebody can be made: 12 dB."""
VOICE_PLACES = 8
"""Addresses at which another device of a call is tried."""
VOICE_UDP_PATIENCE_MS = 1_500.0
"""When no voice packet came by UDP for so long, TCP is tried beside it: so it works within two seconds."""
VOICE_PROBE_MS = 500.0
"""While packets go by TCP, UDP is tried so often with one of its own."""
VOICE_REPORT_OLD_MS = 3_500.0
"""What the other side reported is believed so long: three reports in a row may be lost."""
VOICE_DIAL_SECONDS = 2.0
"""For a TCP connection of a call to be made, and for a stranger on the port to send something real."""
VOICE_STRANGERS = 8
"""TCP connections on the voice port of which nothing was accepted yet."""
VOICE_STREAM_BUFFER_BYTES = 16 * 1024
"""Of voice that waits in a TCP connection: a second; what comes then is dropped."""
VOICE_BUFFERS_WAITING = 10
"""Pieces of 10 ms that the microphone heard and the codec has not taken yet; of more the newest are lost."""
VOICE_DEVICE_LOST_SECONDS = 1.0
"""A device of a call that gave nothing for so long has gone."""
VOICE_DEVICE_RETRY_SECONDS = 3.0
"""Then one is looked for so often."""
VOICE_PORTS_TRIED = 100
"""Numbers that are tried one after the other when the voice port that is wanted is taken."""
VOICE_PORT_SECONDS = 5.0
"""A call that begins waits so long for the one before to give the voice port back."""
VOICE_PROCESS_SILENT_SECONDS = 5
"""The voice process tells levels 15 times a second; when it has said nothing for so long it hangs, and is ended."""
