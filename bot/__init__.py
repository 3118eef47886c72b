"""Runs the product: receives updates, runs turns, delivers. The only package that imports telegram."""
