"""What two linked devices say until both hold the same."""
