"""A call as a person sees and hears it: the window, the card of one that comes in, the bar, the ringing."""
