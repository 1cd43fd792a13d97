"""BLS12-381 signatures: one interface, a compiled backend and a reference that must agree."""
