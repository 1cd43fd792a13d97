"""The running parts: everything that knows a network, a disk, a clock or a thread."""
