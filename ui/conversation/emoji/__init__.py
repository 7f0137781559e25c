"""The emoji picker: a table of emoji with names in English and Chinese, and the panel to choose from it."""
