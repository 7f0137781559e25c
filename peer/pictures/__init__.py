"""Pictures: what a file really is, cleaned copies to show, thumbnails, all decoded in a process of its own."""
