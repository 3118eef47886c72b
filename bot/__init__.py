"""Runs the product: receives updates, runs turns, delivers what is said. The only package that imports telegram."""
