"""What every verb stands on: the doors, who is told what, screens, names, limits."""
