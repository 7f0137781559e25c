"""The card on which a person signs in or creates an account."""
