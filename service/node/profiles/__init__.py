"""Who the traders are, off the ledger; and whether they agree to be shared."""
