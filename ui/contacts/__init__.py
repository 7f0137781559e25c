"""Adding people, and answering those who want to be added."""
