"""Where locators are, and what is said to ours."""
