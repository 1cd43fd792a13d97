"""What arrangements deliver, in figures."""
