"""Versions of ledger.db, oldest first."""
