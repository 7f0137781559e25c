"""Accounts on this disk, and the secrets that open them."""
