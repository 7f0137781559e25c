"""Files, pictures and voice messages on the screen: how they look, and what can be done with them."""
