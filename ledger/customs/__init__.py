"""The customs side: identifiers, status records, arrangements and the rules of recognition."""
