"""Snapshots made, handed out, fetched, and gone on from."""
