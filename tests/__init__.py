"""Tests read like people; what they may ask for is in conftest.py."""
