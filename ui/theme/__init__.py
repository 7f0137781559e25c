"""How Hail looks: colours, type, icons and pictures of people, and nothing about what they are used for."""
