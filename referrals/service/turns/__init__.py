"""A partner's turn and how a matter ends: offers, questions, lists, closing, a further need."""
