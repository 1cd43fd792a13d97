"""Networks, nodes, members and their keys."""
