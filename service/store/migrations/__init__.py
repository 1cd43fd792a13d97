"""The versions of both databases; see `service.store.migrate`."""
