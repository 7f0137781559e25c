"""One conversation: header, messages, composer, and what stands there when nothing can be written."""
