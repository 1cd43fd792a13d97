"""Look-ups, chains of parties, receipts."""
