"""Registers, single steps, aliases, profiles, consents, and the second person."""
