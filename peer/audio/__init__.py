"""Sound: devices, voice messages, and the process of its own in which they run."""
