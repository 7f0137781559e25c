"""What a person does: write, befriend, make groups."""
