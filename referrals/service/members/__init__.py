"""A member: one door, whose they are, who holds keys, when a contact is due."""
