"""The tables of profiles in home.db: the only ones that hold names, and all that can be erased.

What an erasure leaves is the commitments, which lead to nothing once the nonces are gone, and what
partners have acknowledged.
"""

from sqlmodel import Field

from service.store.home.home_tables import HomeTable
from service.store.ledger.ledger_tables import INT64


class ProfileRow(HomeTable, table=True):
    """A profile of a trader of one's own; of several the newest is in force."""

    __tablename__ = "profile"
    __table_args__ = ({"sqlite_autoincrement": True},)
    profile_id: int = Field(primary_key=True, sa_type=INT64)
    tin: str = Field(index=True)
    data: bytes


class ProfileNonceRow(HomeTable, table=True):
    """What a published record commits to, and the nonce that opens it."""

    __tablename__ = "profile_nonce"
    commitment: bytes = Field(primary_key=True)
    profile_id: int = Field(foreign_key="profile.profile_id", sa_type=INT64, index=True)
    arrangement_id: bytes
    nonce: bytes


class PartnerProfileRow(HomeTable, table=True):
    """A partner's profile that opened the commitment of one of its records."""

    __tablename__ = "partner_profile"
    commitment: bytes = Field(primary_key=True)
    arrangement_id: bytes
    issuer: str
    tin: str = Field(index=True)
    nonce: bytes
    data: bytes


class WantedProfileRow(HomeTable, table=True):
    """A commitment of a partner's record whose profile has not come yet."""

    __tablename__ = "wanted_profile"
    commitment: bytes = Field(primary_key=True)
    arrangement_id: bytes
    # Another may say the same commitment, which then hinders nobody.
    issuer: str = Field(primary_key=True)
    # Answers that did not hold it, or held something else.
    tries: int


class ErasedProfileRow(HomeTable, table=True):
    """A commitment whose profile a partner has erased: never to be kept here again."""

    __tablename__ = "erased_profile"
    commitment: bytes = Field(primary_key=True)
    # Who said so; nobody else's word counts.
    issuer: str = Field(primary_key=True)
    erased_at: int = Field(sa_type=INT64)


class ErasureRow(HomeTable, table=True):
    """An erasure at home; of whom, nobody can tell any more."""

    __tablename__ = "erasure"
    erasure_id: str = Field(primary_key=True)
    erased_at: int = Field(sa_type=INT64)


class ErasureNoticeRow(HomeTable, table=True):
    """What a partner must erase, and when it said that it had (0: not yet)."""

    __tablename__ = "erasure_notice"
    notice_id: int = Field(primary_key=True, sa_type=INT64)
    erasure_id: str = Field(foreign_key="erasure.erasure_id", index=True)
    partner: str
    arrangement_id: bytes
    commitments: bytes
    acknowledged_at: int = Field(sa_type=INT64, index=True)
