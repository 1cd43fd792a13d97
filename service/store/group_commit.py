"""Many callers, one fsync: whoever finds the disk free commits for all who came meanwhile.

A caller puts its work in the queue and waits for the lock. Who gets it takes everything queued,
does it in one transaction and commits once; the others, when the lock reaches them, find their work
done. Under load the fsync's time is shared by all who arrived during the one before; alone, a
caller waits for nobody, and there is no thread to start or stop.

When one piece of work fails, the transaction is undone and each piece is done again alone, so that
an error reaches the caller who caused it and nobody else.
"""

from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from service.store.database import Database

Result = TypeVar("Result")


class _Ticket(Generic[Result]):
    """A piece of work, then its outcome."""

    __slots__ = ("done", "error", "result", "work")

    def __init__(self, work: Callable[[Connection], Result]) -> None:
        self.work = work
        self.done = False
        self.error: BaseException | None = None
        self.result: Result


class GroupCommit:
    """Writes to `database` from many threads, several to a commit."""

    __slots__ = ("_database", "_queue", "_turn", "commits")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue: deque[_Ticket[Any]] = deque()
        self._turn = Lock()
        self.commits = 0

    def run(self, work: Callable[[Connection], Result]) -> Result:
        """Do `work` in a transaction; when this returns its effect is on the disk.

        `work` may run twice (the first time undone), so it touches nothing but its connection.
        Raises what it raises, or what the commit raises; then it has no effect.
        """
        ticket = _Ticket(work)
        self._queue.append(ticket)
        with self._turn:
            if not ticket.done:
                self._commit([self._queue.popleft() for _ in range(len(self._queue))])
        if ticket.error is not None:
            raise ticket.error
        return ticket.result

    def _commit(self, tickets: list[_Ticket[Any]]) -> None:
        try:
            self._attempt(tickets)
        except Exception as error:  # noqa: BLE001 - handed to the caller whose work it was
            if len(tickets) == 1:
                tickets[0].error = error
                tickets[0].done = True
            else:
                for ticket in tickets:
                    self._commit([ticket])
        except BaseException as error:  # noqa: BLE001 - handed on likewise
            # The program is being interrupted: whether the commit happened is not known.
            for ticket in tickets:
                ticket.error = error
                ticket.done = True

    def _attempt(self, tickets: list[_Ticket[Any]]) -> None:
        results = self._database.run(
            lambda connection: [ticket.work(connection) for ticket in tickets]
        )
        self.commits += 1
        for ticket, result in zip(tickets, results, strict=True):
            ticket.result = result
            ticket.done = True
