"""Who orders transactions and gives them a time: the engines that drive the state machine."""
