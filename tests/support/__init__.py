"""Helpers of the tests: real programs, started and ended in order."""
