"""Words that are not in one widget alone: refusals, times and presence, all through Qt's translator."""
