"""Replicas: a ledger followed and verified elsewhere, and served from several processes."""
