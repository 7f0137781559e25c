"""What the bytes mean: pure values, tables and functions, shared by the locator and the peers."""
