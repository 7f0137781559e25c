"""Where accounts, sessions and leases are kept: behind one interface, embedded by default."""
