r"""An anchor: the header from which a checker starts to believe.

A checker accepts only descendants of its anchor: a later header's root over all earlier headers
holds the anchor's hash at its height. Clients keep the highest header that they verified.

Old keys, once replaced, could sign another past. So an anchor older than the trust period (the
checker's clock less the anchor header's time) proves only *anchored too long ago*; genesis too,
unless the network id was given by hand. And an attested time more than 60 s ahead of the checker's
clock is refused: it would make old news look fresh.

>>> from ledger.tree.log import Log, leaf_hash
>>> hashes = [bytes([n]) * 32 for n in range(5)]
>>> earlier = Log(leaf_hash(each) for each in hashes)
>>> tip = Header(bytes(32), 5, 9, hashes[4], earlier.root(), 5, bytes(32), bytes(32), bytes(32))
>>> check_descends(Anchor(2, hashes[2]), tip, earlier.prove_inclusion(2, 5))
>>> check_descends(Anchor(2, hashes[3]), tip, earlier.prove_inclusion(2, 5))
Traceback (most recent call last):
ledger.errors.AnchorError: header 5 does not descend from the anchor at height 2
>>> too_old(anchor_time=1_000, now=4_000, trust_period=2_999)
True
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from ledger.chain.header import Header, format_header, header_hash
from ledger.errors import AnchorError, ProofError
from ledger.tree.log import leaf_hash
from ledger.tree.log_proof import check_inclusion

# How far, in milliseconds, the clocks of the signers may be ahead of the checker's.
MAX_CLOCK_LEAD: Final = 60_000


class Anchor(NamedTuple):
    """A header that is believed: its height and its hash (32 bytes)."""

    height: int
    header_hash: bytes


def check_descends(anchor: Anchor, header: Header, proof: Sequence[bytes]) -> None:
    """Check that `header` is the anchor's own or a descendant; raises `AnchorError`.

    `proof` is the inclusion proof of the anchor's hash, as leaf `anchor.height`, in the log of the
    `header.height` headers before `header`; empty for the anchor's own header.
    """
    lost = f"header {header.height} does not descend from the anchor at height {anchor.height}"
    if header.height == anchor.height:
        if proof or header_hash(format_header(header)) != anchor.header_hash:
            raise AnchorError(lost)
        return
    try:
        check_inclusion(
            leaf_hash(anchor.header_hash), anchor.height, header.height, proof, header.earlier_root
        )
    except ProofError as error:
        raise AnchorError(lost) from error


def too_old(anchor_time: int, now: int, trust_period: int) -> bool:
    """Whether a header of `anchor_time` is too old to start from. All in Unix milliseconds.

    Genesis is no exception, unless its network id was given by hand: then do not ask.
    """
    return now - anchor_time > trust_period


def check_attested_time(attested_time: int, now: int) -> None:
    """Check that a seal's time is not ahead of the checker's clock; raises `AnchorError`."""
    if attested_time > now + MAX_CLOCK_LEAD:
        raise AnchorError(f"attested {attested_time - now} ms ahead of the clock")
