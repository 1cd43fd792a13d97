"""gRPC servicers and what they stand on: translate, authorise, limit; no rules of their own.

A servicer offers a table of `Method`s; `Listener.register` wraps each one once with everything
that a call needs: who calls, may they, is it still wanted, what happened, how long it took.
"""
