"""Networks and nodes that begin: folders, stores, keys, members that join."""
