"""What concerns one's own account: its password, for now."""
