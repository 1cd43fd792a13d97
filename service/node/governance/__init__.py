"""Keys that sign and seal, votes, hand-overs, evidence."""
