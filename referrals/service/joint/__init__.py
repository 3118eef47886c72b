"""What several partners or two sides do together: plans of parts, circles, transfers."""
