"""The steps that bring an older profile to the current shape, one SQL file each."""
