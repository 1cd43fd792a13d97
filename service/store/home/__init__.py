"""home.db: what one member keeps to itself."""
