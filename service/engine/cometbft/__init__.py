"""CometBFT orders: we are its application, and it is a process beside ours.

| between us and it | |
|---|---|
| `server`, `framing` | the socket at which it finds us |
| `application` | its calls, in ABCI 2.0's order; `protocol`: what it needs |
| `mempool`, `proposal`, `codes` | what may wait, what a block holds, results as numbers |
| `extensions`, `rounds` | shares in votes, and the seals that they make; `tally`: who lied |
| `validators` | its validators are our signing set |
| `state_sync` | snapshots for an empty node |

| around it | |
|---|---|
| `engine`, `rpc` | what a node submits to; our calls to it, none from inside one of its own |
| `install`, `home`, `process` | its program, its files, its process |
"""
