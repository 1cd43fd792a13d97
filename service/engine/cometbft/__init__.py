"""CometBFT orders: we are its application, and it is a process beside ours.

| between us and it | |
|---|---|
| `server`, `framing` | the socket at which it finds us |
| `application` | its calls, in the order of ABCI 2.0's grammar; `protocol`: what we need around us |
| `mempool`, `proposal`, `codes` | what may wait, what a block holds, results as numbers |
| `extensions`, `rounds` | shares in votes, and the seals that they make; `tally`: who lied |
| `validators` | its validators are our signing set |
| `state_sync` | snapshots for an empty node |

| around it | |
|---|---|
| `engine`, `rpc` | what a node submits to; our only calls to it, and none from inside one of its own |
| `install`, `home`, `process` | its program, its files, its process |
"""
