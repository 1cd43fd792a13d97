"""The outbox: what a member has promised to publish, and what it has signed.

    add_publication     stored, then answered: from then on it is not lost
    store_signed        before a transaction is first sent; a number is taken once and for ever
    give_back           only where the key that signed it is no longer trusted
    mark_recorded       once the ledger has it: its place, and which records were refused

A restart takes up `waiting` (prepared, not signed: to be signed) and `unrecorded` (signed: to be
sent again as they are, or marked when the ledger has them already). The state of a publication
follows from its counts.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from ledger.errors import FormatError
from service.errors import KeyReused, SequenceTaken, StoreCorrupt, StoreError
from service.store.database import Database, OnStep
from service.store.group_commit import GroupCommit
from service.store.home.home_tables import (
    CarriedRow,
    PreparedRow,
    PublicationRow,
    RecordedRow,
    SignedRow,
)
from service.store.home.outbox_sql import (
    COUNT_RECORDED,
    COUNT_SIGNED,
    PublicationSelect,
    select_publications,
)
from service.store.home.prepared import (
    Carries,
    Group,
    format_carries,
    format_groups,
    format_refusals,
    parse_carries,
    parse_groups,
    parse_refusals,
)
from service.store.home.publication import (
    NewPublication,
    Publication,
    RecordAnswer,
    Recorded,
    Signed,
    Waiting,
    split_waiting,
)

__all__ = [
    "NewPublication",
    "Outbox",
    "Publication",
    "RecordAnswer",
    "Recorded",
    "Signed",
    "Waiting",
]

# Where a test may stop a write, in order.
STEPS: Final = (
    "publication:before",
    "publication:row",
    "publication:records",
    "publication:committed",
    "signed:before",
    "signed:transactions",
    "signed:carried",
    "signed:committed",
    "recorded:before",
    "recorded:places",
    "recorded:counts",
    "recorded:committed",
)
# As many publications as one page may hold.
PAGE_LIMIT: Final = 500


class Outbox:
    """The outbox of the member whose home.db is `database`. Calls may come from any thread."""

    def __init__(
        self, database: Database, commits: GroupCommit, economy: str, on_step: OnStep
    ) -> None:
        self._database = database
        self._commits = commits
        self._economy = economy
        self._on_step = on_step

    # Writing: what a call has written is on the disk when it returns.

    def add_publication(self, new: NewPublication) -> tuple[Publication, bool]:
        """Store a publication; with True the one that had the same key and content before.

        Raises `KeyReused` when the key came with other content, `StoreFull` when there is no room.
        """
        groups = format_groups(new.groups)
        records = sum(len(group.records) for group in new.groups)

        def work(connection: Connection) -> tuple[Publication, bool]:
            known = connection.execute(
                select_publications().where(
                    col(PublicationRow.idempotency_key) == new.idempotency_key
                )
            ).one_or_none()
            if known is not None:
                if known.digest != new.digest:
                    raise KeyReused(new.idempotency_key)
                return Publication(*known), True
            row = connection.execute(
                insert(PublicationRow),
                {
                    "idempotency_key": new.idempotency_key,
                    "digest": new.digest,
                    "created_at": new.created_at,
                    "records": records,
                    "signed": 0,
                    "recorded": 0,
                    "refused": 0,
                },
            )
            assert row.inserted_primary_key is not None
            (publication_id,) = row.inserted_primary_key
            self._on_step("publication:row")
            connection.execute(
                insert(PreparedRow),
                {"publication_id": publication_id, "records": groups, "answer": new.answer},
            )
            self._on_step("publication:records")
            publication = Publication(
                publication_id,
                new.idempotency_key,
                new.digest,
                new.created_at,
                records=records,
                signed=0,
                recorded=0,
                refused=0,
                height=None,
                recorded_time=None,
            )
            return publication, False

        self._on_step("publication:before")
        outcome = self._commits.run(work)
        self._on_step("publication:committed")
        return outcome

    def store_signed(self, transactions: Sequence[Signed]) -> None:
        """Store signed transactions, all or none; only then may the first of them be sent.

        Raises `SequenceTaken` when one of the numbers was signed before, and `StoreError` when a
        record would be signed a second time.
        """
        rows = []
        carried = []
        counts: Counter[int] = Counter()
        for signed in transactions:
            sequence = signed.sequence
            carries = format_carries(signed.carries)
            rows.append({"sequence": sequence, "carries": carries, "data": signed.data})
            for of, records in Counter(signed.carries.publications).items():
                counts[of] += records
                carried.append({"publication_id": of, "sequence": sequence, "records": records})

        def work(connection: Connection) -> None:
            taken = connection.execute(
                select(col(SignedRow.sequence))
                .where(col(SignedRow.sequence).in_([signed.sequence for signed in transactions]))
                .order_by(col(SignedRow.sequence))
                .limit(1)
            ).scalar_one_or_none()
            if taken is not None:
                raise SequenceTaken(self._economy, taken)
            try:
                connection.execute(insert(SignedRow), rows)
                self._on_step("signed:transactions")
                if carried:
                    connection.execute(insert(CarriedRow), carried)
                    connection.execute(
                        COUNT_SIGNED, [{"of": of, "more": more} for of, more in counts.items()]
                    )
            except IntegrityError as error:
                raise StoreError(
                    self._database.path,
                    "would sign a number twice, or a record that is signed or does not exist",
                ) from error
            self._on_step("signed:carried")

        if not transactions:
            return
        self._on_step("signed:before")
        self._commits.run(work)
        self._on_step("signed:committed")

    def give_back(self, sequences: Sequence[int]) -> None:
        """Forget transactions whose signature can never count any more; their records wait again.

        Only for a key that the ledger no longer trusts: a number is signed once with each key.
        """

        def work(connection: Connection) -> None:
            carried = connection.execute(
                select(col(CarriedRow.publication_id), col(CarriedRow.records)).where(
                    col(CarriedRow.sequence).in_(sequences)
                )
            ).all()
            counts: Counter[int] = Counter()
            for publication_id, records in carried:
                counts[publication_id] -= records
            for row in (CarriedRow, SignedRow):
                connection.execute(delete(row).where(col(row.sequence).in_(sequences)))
            if counts:
                connection.execute(
                    COUNT_SIGNED, [{"of": of, "more": less} for of, less in counts.items()]
                )

        self._commits.run(work)

    def mark_recorded(self, places: Sequence[Recorded]) -> None:
        """Say where signed transactions entered the log. Saying it again changes nothing.

        Raises `StoreError` when a transaction was never signed here.
        """
        by_sequence = {place.sequence: place for place in places}

        def work(connection: Connection) -> None:
            rows = connection.execute(
                select(
                    col(SignedRow.sequence),
                    col(SignedRow.carries),
                    col(RecordedRow.sequence).is_(None),
                )
                .outerjoin(RecordedRow, col(RecordedRow.sequence) == col(SignedRow.sequence))
                .where(col(SignedRow.sequence).in_(list(by_sequence)))
            ).all()
            if len(rows) != len(by_sequence):
                raise StoreError(
                    self._database.path,
                    f"not every one of {self._economy}'s transactions {min(by_sequence)} to "
                    f"{max(by_sequence)} was signed here",
                )
            new = [
                (by_sequence[sequence], parse_carries(carries))
                for sequence, carries, is_new in rows
                if is_new
            ]
            if new:
                self._record(connection, new)

        if not places:
            return
        self._on_step("recorded:before")
        self._commits.run(work)
        self._on_step("recorded:committed")

    def _record(self, connection: Connection, new: list[tuple[Recorded, Carries]]) -> None:
        connection.execute(
            insert(RecordedRow),
            [
                {
                    "sequence": place.sequence,
                    "log_index": place.log_index,
                    "height": place.height,
                    "time": place.time,
                    "refusals": format_refusals(place.refusals),
                }
                for place, _ in new
            ],
        )
        self._on_step("recorded:places")
        counts: dict[int, dict[str, int]] = {}
        for place, carries in new:
            refused = Counter(carries.publications[position] for position in place.refusals)
            for publication_id, records in Counter(carries.publications).items():
                count = counts.setdefault(
                    publication_id,
                    {"of": publication_id, "more": 0, "bad": 0, "at_height": 0, "at_time": 0},
                )
                count["more"] += records
                count["bad"] += refused[publication_id]
                count["at_height"] = max(count["at_height"], place.height)
                count["at_time"] = max(count["at_time"], place.time)
        if counts:
            connection.execute(COUNT_RECORDED, list(counts.values()))
        self._on_step("recorded:counts")

    # Reading.

    def publication(self, publication_id: int) -> Publication | None:
        """Return one publication, None when there is none of that id."""
        return self._one(
            select_publications().where(col(PublicationRow.publication_id) == publication_id)
        )

    def find(self, idempotency_key: str) -> Publication | None:
        """Return the publication that was stored under a key, None when there is none."""
        return self._one(
            select_publications().where(col(PublicationRow.idempotency_key) == idempotency_key)
        )

    def publications(self, limit: int = 50, before: int | None = None) -> list[Publication]:
        """Return a page, newest first: those below id `before`, at most `PAGE_LIMIT`."""
        page = select_publications().order_by(col(PublicationRow.publication_id).desc())
        if before is not None:
            page = page.where(col(PublicationRow.publication_id) < before)
        with self._database.reading() as connection:
            rows = connection.execute(page.limit(min(limit, PAGE_LIMIT))).all()
        return [Publication(*row) for row in rows]

    def answer(self, publication_id: int) -> bytes | None:
        """Return what the caller was told when the publication was stored."""
        with self._database.reading() as connection:
            return connection.execute(
                select(col(PreparedRow.answer)).where(
                    col(PreparedRow.publication_id) == publication_id
                )
            ).scalar_one_or_none()

    def record_answers(self, publication_id: int) -> list[RecordAnswer]:
        """Return every record that has a place in the ledger, in order of the submissions."""
        with self._database.reading() as connection:
            groups = self._groups(connection, publication_id)
            rows = connection.execute(
                select(
                    col(SignedRow.carries), col(RecordedRow.log_index), col(RecordedRow.refusals)
                )
                .join(CarriedRow, col(CarriedRow.sequence) == col(SignedRow.sequence))
                .join(RecordedRow, col(RecordedRow.sequence) == col(SignedRow.sequence))
                .where(col(CarriedRow.publication_id) == publication_id)
            ).all()
        origin = [
            (submission, group.arrangement_id)
            for group in groups
            for submission in group.submissions
        ]
        answers = []
        for carries, log_index, refused in rows:
            refusals = parse_refusals(refused)
            for position, number in _own(parse_carries(carries), publication_id):
                submission, arrangement_id = origin[number]
                code = refusals.get(position, "")
                answers.append(RecordAnswer(submission, arrangement_id, log_index, position, code))
        answers.sort(key=lambda answer: (answer.submission, answer.arrangement_id))
        return answers

    def waiting(self) -> Iterator[Waiting]:
        """Yield, oldest publication first, the records that are in no signed transaction."""
        with self._database.reading() as connection:
            ids = connection.execute(
                select(col(PublicationRow.publication_id))
                .where(col(PublicationRow.signed) < col(PublicationRow.records))
                .order_by(col(PublicationRow.publication_id))
            ).scalars()
            unsigned = list(ids)
        for publication_id in unsigned:
            with self._database.reading() as connection:
                groups = self._groups(connection, publication_id)
                carried = connection.execute(
                    select(col(SignedRow.carries))
                    .join(CarriedRow, col(CarriedRow.sequence) == col(SignedRow.sequence))
                    .where(col(CarriedRow.publication_id) == publication_id)
                ).scalars()
                signed = {
                    number
                    for carries in carried
                    for _, number in _own(parse_carries(carries), publication_id)
                }
            yield from split_waiting(publication_id, groups, signed)

    def next_sequence(self) -> int:
        """Return the number after the greatest that was ever signed here; the first is 1."""
        with self._database.reading() as connection:
            newest = connection.execute(select(func.max(col(SignedRow.sequence)))).scalar_one()
        return 1 if newest is None else newest + 1

    def unrecorded(self) -> list[Signed]:
        """Return the signed transactions that are not marked as recorded, by number."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(col(SignedRow.sequence), col(SignedRow.data), col(SignedRow.carries))
                .outerjoin(RecordedRow, col(RecordedRow.sequence) == col(SignedRow.sequence))
                .where(col(RecordedRow.sequence).is_(None))
                .order_by(col(SignedRow.sequence))
            ).all()
        return [Signed(sequence, data, parse_carries(carries)) for sequence, data, carries in rows]

    def _one(self, statement: PublicationSelect) -> Publication | None:
        with self._database.reading() as connection:
            row = connection.execute(statement).one_or_none()
        return Publication(*row) if row else None

    def _groups(self, connection: Connection, publication_id: int) -> tuple[Group, ...]:
        data = connection.execute(
            select(col(PreparedRow.records)).where(
                col(PreparedRow.publication_id) == publication_id
            )
        ).scalar_one_or_none()
        try:
            return () if data is None else parse_groups(data)
        except FormatError as error:
            place = f"publication {publication_id}"
            raise StoreCorrupt(self._database.path, place, str(error)) from error


def _own(carries: Carries, publication_id: int) -> Iterator[tuple[int, int]]:
    """Position and number of each record that a transaction carries of one publication."""
    columns = zip(carries.publications, carries.numbers, strict=True)
    for position, (publication, number) in enumerate(columns):
        if publication == publication_id:
            yield position, number
