"""Screenshots: the screens as they are, a region of them, the picture to send."""
