"""Keys at rest: how a member's secrets are made, kept in files, and opened."""
