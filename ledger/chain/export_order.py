r"""Where an export's signing sets stand (item 5), and which seals must give way to them.

Before a header that names another signing set stands the set change that leads to it, and its proof
is under the newest earlier header that has a *sealed* seal in the file. Set changes are made at the
header that the hand-over names, so the seals of the headers between that one and the hand-over stay
out of the file; the seal of that header is the hand-over's. All else is left as it comes.

>>> from ledger.chain.export import TRANSACTION
>>> from ledger.chain.header import format_header
>>> from ledger.chain.signing_set import SigningMember, SigningSet, SigningSets, format_signing_sets
>>> old, new = (SigningSet((SigningMember("SG", 1, key * 48),)) for key in (b"1", b"2"))
>>> def header(height: int, members: SigningSet) -> bytes:
...     root = bytes(31) + b"1"
...     return format_header(Header(root, height, height, root, root, height, root, root,
...                                 members.hash))
>>> sets = format_signing_sets(SigningSets(old, new))
>>> change = SetChange(header(1, old), b"seal", sets, b"proof")
>>> items = [(HEADER, header(1, old)), (TRANSACTION, b"a"), (SEAL, b"another seal"),
...          (HEADER, header(2, old)), (TRANSACTION, b"b"), (SEAL, b"a later seal"),
...          (HEADER, header(3, new)), (TRANSACTION, b"c"), (SEAL, b"new")]
>>> [kind for kind, _ in order_items(items, [change])]
[2, 3, 4, 2, 3, 5, 2, 3, 4]
>>> list(order_items(items[:6], [change])) == items[:6]  # the hand-over has not come
True
>>> list(order_items(items, []))
Traceback (most recent call last):
ledger.errors.ChainError: header 3: no set change that is known leads to its signing set
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from ledger.chain.export import HEADER, SEAL, SIGNING_SETS, Item
from ledger.chain.header import Header, parse_header
from ledger.chain.set_change import SetChange
from ledger.errors import ChainError, FormatError

# Told of each seal that stays out, with its header's bytes and the change for which it does.
OnLeftOut = Callable[[bytes, bytes, SetChange], None]


def order_items(
    items: Iterable[Item], changes: Sequence[SetChange], on_left_out: OnLeftOut | None = None
) -> Iterator[Item]:
    """Put the set changes, ascending by height, into the items of an export that has none.

    Holds back what stands between a change's header and its hand-over; where that does not come
    before the end, nothing is left out. Ends after a header that is none. Raises `ChainError` where
    a set change is missing.
    """
    coming = iter(changes)
    change = next(coming, None)
    held: list[Item] = []  # from the change's header on
    newest: Header | None = None
    for kind, data in items:
        if kind == HEADER:
            try:
                header = parse_header(data)
            except FormatError:
                break  # whoever reads the items says what is wrong with it
            if newest is not None and header.signing_set_hash != newest.signing_set_hash:
                if change is None or not held or not _leads_to(change, header):
                    raise ChainError(
                        f"header {header.height}",
                        "no set change that is known leads to its signing set",
                    )
                yield from _hand_over(held, change, on_left_out)
                held = []
                change = next(coming, None)
            newest = header
            if change is not None and header.height == change.height:
                held = [(kind, data)]
                continue
        if held:
            held.append((kind, data))
        else:
            yield kind, data
    else:
        yield from held
        return
    yield from (*held, (kind, data))


def _leads_to(change: SetChange, header: Header) -> bool:
    pending = change.sets.pending
    return pending is not None and pending.hash == header.signing_set_hash


def _hand_over(
    held: Sequence[Item], change: SetChange, on_left_out: OnLeftOut | None
) -> Iterator[Item]:
    header = b""
    sealed = False
    for kind, data in held:
        if kind == SEAL:
            if on_left_out is not None:
                on_left_out(header, data, change)
            continue
        if kind == HEADER:
            if header and not sealed:
                yield SEAL, change.seal
                sealed = True
            header = data
        yield kind, data
    if not sealed:
        yield SEAL, change.seal
    yield SIGNING_SETS, change.signing_sets + change.map_proof
