"""The ledger: bytes in, values out. No network, SQL, clock, log, thread or randomness."""
