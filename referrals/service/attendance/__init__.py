"""Confirmations of attendance, sent by the member, and what a body that asks is told."""
