"""What is taken away and verified."""
