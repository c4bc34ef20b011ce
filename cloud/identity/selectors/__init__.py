"""Reading the identity tables."""
