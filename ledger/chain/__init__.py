"""The chain: every byte that is hashed, signed or exported, each format in one module."""
