"""The command line: `aeo`. Every command is a caller like any other, and knows nothing of nodes.

Data goes to stdout, messages to stderr; exit codes are in `service.cli.exits`, and
`service.cli.errors` says which failure means which.
"""
