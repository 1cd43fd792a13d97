"""The two trees under a header: the log of all transactions and the map of current state."""
