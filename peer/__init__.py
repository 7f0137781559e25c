"""The node: everything a person at Hail can do, without a screen."""
