"""The rows of ledger.db by which others can trust it: set changes, and evidence of misbehaviour.

Both only ever grow. Set changes could be derived anew, by executing the ledger up to the header
that hands over, for the map keeps no proofs of the past; evidence could not.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final, TypeVarTuple

from sqlalchemy import Row, Select, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from service.errors import StoreError
from service.store.database import Database
from service.store.ledger.ledger_tables import EvidenceRow, HeaderRow, SetChangeRow
from service.store.location import Location

# Pieces of evidence kept; whoever signs nonsense without end fills no disk.
EVIDENCE_KEPT: Final = 1_000
# Where a header names its signing set, counted from 1 as SQL does.
_SET_HASH_AT: Final = 193

Columns = TypeVarTuple("Columns")


class TrustRows:
    """What `LedgerStore` has of them."""

    path: Location
    _database: Database

    def put_set_change(self, height: int, change: bytes) -> bool:
        """Keep how trust passes on from the set that sealed the header at `height`; or not, if
        there is one of that height.

        It may be kept before the hand-over is in the log, and one for each header that shows the
        pending set. Whoever reads them takes those whose hand-over came.
        """
        try:
            with self._database.writing() as connection:
                kept = connection.execute(
                    select(col(SetChangeRow.height)).where(col(SetChangeRow.height) == height)
                ).one_or_none()
                if kept is not None:
                    return False
                connection.execute(insert(SetChangeRow), {"height": height, "data": change})
        except IntegrityError as error:
            raise StoreError(self.path, f"there is no header {height} to hand over from") from error
        return True

    def put_evidence(self, evidence: bytes) -> bool:
        """Keep evidence; say whether it is new. Beyond `EVIDENCE_KEPT` pieces none is kept."""
        digest = sha256(evidence).digest()
        with self._database.writing() as connection:
            number = connection.execute(select(func.count()).select_from(EvidenceRow)).scalar_one()
            known = connection.execute(
                select(col(EvidenceRow.number)).where(col(EvidenceRow.digest) == digest)
            ).one_or_none()
            if known is not None or number >= EVIDENCE_KEPT:
                return False
            connection.execute(
                insert(EvidenceRow), {"number": number, "digest": digest, "data": evidence}
            )
        return True

    def set_changes(self) -> list[tuple[int, bytes]]:
        """Return the heights and bytes of all set changes kept, ascending."""
        rows = self._rows(
            select(col(SetChangeRow.height), col(SetChangeRow.data)).order_by(
                col(SetChangeRow.height)
            )
        )
        return [(height, data) for height, data in rows]

    def hand_overs(self, first: int = 1) -> list[int]:
        """Return the heights, from `first` on, whose header names another set than its parent."""
        own = col(HeaderRow.height)
        named = func.substr(col(HeaderRow.data), _SET_HASH_AT)
        each = (
            select(
                own.label("height"),
                named.label("own"),
                func.lag(named).over(order_by=own).label("parent"),
            )
            .where(own >= max(first - 1, 0))
            .subquery()
        )
        rows = self._rows(
            select(each.c.height).where(each.c.own != each.c.parent).order_by(each.c.height)
        )
        return [height for (height,) in rows]

    def evidence(self) -> list[bytes]:
        """Return the evidence kept, oldest first."""
        rows = self._rows(select(col(EvidenceRow.data)).order_by(col(EvidenceRow.number)))
        return [data for (data,) in rows]

    def _rows(self, statement: Select[*Columns]) -> Sequence[Row[*Columns]]:
        with self._database.reading() as connection:
            return connection.execute(statement).all()
