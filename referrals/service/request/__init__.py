"""From the first word to the yes that binds: drafts, plans, filing, receipts, a need that waits."""
