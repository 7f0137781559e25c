"""The locator: a small server on a known host that knows who is where."""
