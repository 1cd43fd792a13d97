"""What an arrangement delivers: clearances, aggregates, reports."""
