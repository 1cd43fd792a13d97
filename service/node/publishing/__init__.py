"""From a submitted row to a signed record in the ledger."""
