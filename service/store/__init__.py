"""Where bytes lie: `ledger.db` is everyone's and only grows, `home.db` is one member's own."""
