"""ledger.db: the chain, and what proves trust in it."""
