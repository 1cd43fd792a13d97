"""Lookup keys: held, passed between nodes, replaced."""
