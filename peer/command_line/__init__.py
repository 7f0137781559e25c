"""`hail-cli`: the node without a window."""
