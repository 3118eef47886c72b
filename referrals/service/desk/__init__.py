"""What waits for the desk and for a worker, what they do with it, and who is on call."""
