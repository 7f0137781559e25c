"""Making groups, and what can be done about who is in them."""
