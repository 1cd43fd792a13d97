"""The deterministic state machine: transactions in, blocks and a read view out."""
