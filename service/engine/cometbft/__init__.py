"""CometBFT orders: we are its application, and it is a process beside ours."""
