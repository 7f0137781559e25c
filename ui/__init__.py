"""The screen: shows what the node says, asks for what a person wants."""
