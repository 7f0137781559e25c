"""What tells a person who is looking elsewhere that something came."""
