"""Look-ups: `evaluate`, a memory of what it said, proofs, receipts, news."""
