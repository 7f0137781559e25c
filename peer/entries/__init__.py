"""What becomes of an entry here: judged, stored, folded into messages, shown."""
