"""One node: identity, outbox, publisher, sealer, look-ups and the feed, composed over an engine."""
