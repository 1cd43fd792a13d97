"""Versions of home.db, oldest first."""
