"""What an auditor runs: the whole ledger executed again, trusting nobody."""
