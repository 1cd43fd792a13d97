"""The openings of a receipt in place of lookup keys: one trader, one alias, nobody else.

`evaluate` asks a key for the subject of a TIN, or for the keyed alias. An opening answers for the
one asked about: (TIN, tin_mac) hash to the subject, whoever made the mac. That binds a subject
which stands on the ledger: nobody but a holder of the key can make a mac that leads to it. It does
not bind one that is absent, since any mac leads to some subject that is, nor any alias, which no
hash ties to its value. So the openings remember what they were asked for; and where the checker
holds the real key, that key answers instead, and the opening must agree with it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, cast

from aeo.ledger.v1 import receipt_pb2 as pb
from ledger.audit.receipt_view import ReceiptView
from ledger.customs.identify import epoch_name
from ledger.customs.subject import (
    ALIAS_BYTES,
    ARRANGEMENT_ID_BYTES,
    LookupKey,
    key_context,
    subject_from_mac,
)
from ledger.errors import FormatError, KeyringError, ProofError


class ShownKey:
    """What one opening can say in place of its arrangement's lookup key."""

    def __init__(self, opening: pb.Opening, commitment: bytes) -> None:
        self.arrangement_id = opening.arrangement_id
        self.commitment = commitment
        self._opening = opening
        self._context = key_context(opening.arrangement_id, opening.epoch)
        # What was asked for and cannot be told from another trader's by the opening alone.
        self.subjects: set[bytes] = set()
        self.aliases: set[bytes] = set()

    def subject(self, tin: str) -> bytes:
        """The subject that the mac shown opens as `tin`."""
        subject = subject_from_mac(self._context, tin, self._opening.tin_mac)
        self.subjects.add(subject)
        return subject

    def alias(self, scheme: str, value: str) -> bytes:
        """The keyed alias shown; that it is this scheme and value's only the key can tell."""
        if len(self._opening.alias) != ALIAS_BYTES:
            raise ProofError(f"the receipt does not show the alias {scheme} {value}")
        self.aliases.add(self._opening.alias)
        return self._opening.alias


class Unopened(NamedTuple):
    """A subject or alias of an arrangement that was not shown to be the one asked about."""

    arrangement_id: bytes
    identifier: bytes
    is_alias: bool


class Openings(Mapping[bytes, LookupKey]):
    """A keyring for `evaluate`: real keys where the checker holds them, openings elsewhere.

    A key of another epoch than the one that is shown can tell nothing.
    """

    def __init__(
        self,
        openings: Sequence[pb.Opening],
        lookup_keys: Mapping[bytes, LookupKey],
        view: ReceiptView,
    ) -> None:
        self._openings = {opening.arrangement_id: opening for opening in openings}
        if [*self._openings] != sorted(opening.arrangement_id for opening in openings):
            raise FormatError("the openings of a receipt ascend")
        self._lookup_keys = lookup_keys
        self._view = view
        self._shown: dict[bytes, ShownKey] = {}
        self._used: set[bytes] = set()

    def __getitem__(self, name: bytes) -> LookupKey:
        """The key of an arrangement, by its id or by `epoch_name`: of the epoch that is shown."""
        arrangement_id = name[:ARRANGEMENT_ID_BYTES]
        opening = self._openings.get(arrangement_id)
        if opening is None:
            raise ProofError(f"the receipt opens nobody under {arrangement_id.hex()}")
        if name not in {arrangement_id, epoch_name(arrangement_id, opening.epoch)}:
            raise KeyError(name)
        self._used.add(arrangement_id)
        arrangement = self._view.arrangement(arrangement_id)
        if arrangement is None:
            raise ProofError("an opening under an arrangement that nobody proposed")
        epochs = {epoch.number: epoch.commitment for epoch in arrangement.epochs}
        key = self._real(opening)
        if key is not None:
            return key
        if opening.epoch not in epochs:
            raise ProofError(f"no epoch {opening.epoch} of the lookup key was ever in force")
        own = self._lookup_keys.get(arrangement_id)
        if own is not None and own.commitment != epochs.get(own.epoch):
            raise KeyringError(f"{own} opens no commitment of that arrangement")
        if arrangement_id not in self._shown:
            self._shown[arrangement_id] = ShownKey(opening, epochs[opening.epoch])
        # It answers what `evaluate` asks of a key.
        return cast("LookupKey", self._shown[arrangement_id])

    def _real(self, opening: pb.Opening) -> LookupKey | None:
        """The checker's own key of the epoch that is shown."""
        arrangement_id = opening.arrangement_id
        for name in (arrangement_id, epoch_name(arrangement_id, opening.epoch)):
            key = self._lookup_keys.get(name)
            if key is not None and key.epoch == opening.epoch:
                return key
        return None

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._openings)

    def __len__(self) -> int:
        return len(self._openings)

    def check(self, tin: str, alias: tuple[str, str] | None) -> None:
        """Every opening was needed, and agrees with the lookup key that the checker holds."""
        if self._openings.keys() != self._used:
            raise ProofError("the receipt opens somebody under an arrangement without need")
        for opening in self._openings.values():
            key = self._real(opening)
            shown = opening.tin_mac, opening.alias
            if key is None:
                if bool(opening.tin_mac) == bool(opening.alias):
                    raise FormatError("an opening has a mac or an alias")
            elif shown != ((key.tin_mac(tin), b"") if alias is None else (b"", key.alias(*alias))):
                raise ProofError("under the lookup key the opening is somebody else's")

    def unopened(self, issuer: str) -> list[Unopened]:
        """What only a lookup key that the checker does not hold can tell."""
        found: list[Unopened] = []
        for arrangement_id, key in self._shown.items():
            found += [
                Unopened(arrangement_id, subject, is_alias=False)
                for subject in sorted(key.subjects)
                # On the ledger is what another record names, or what has records.
                if not self._view.successors(arrangement_id, issuer, subject)
                and not self._view.subject(arrangement_id, issuer, subject)
            ]
            found += [Unopened(arrangement_id, each, is_alias=True) for each in sorted(key.aliases)]
        return found
