"""A stand-in for Telegram: a program of its own that meets the product on HTTP alone."""
