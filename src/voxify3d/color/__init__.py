"""Numbers that are colors."""
