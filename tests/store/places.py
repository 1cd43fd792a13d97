"""Every kind of place that a store may lie in: a conformance test runs on each."""

from collections.abc import Callable
from pathlib import Path

from service.store.location import Location, Memory
from store import postgres

PLACES: dict[str, Callable[[Path], Location]] = {
    "sqlite": lambda file: file,
    "memory": lambda _: Memory(),
    "postgresql": lambda file: postgres.shared().place(file.stem),
}
DURABLE = ("sqlite", "postgresql")


def bytes_of(place: Location) -> bytes:
    """What lies on the disk of a store: its files, or those of its schema's tables."""
    if isinstance(place, Path):
        return b"".join(path.read_bytes() for path in place.parent.glob(f"{place.name}*"))
    if isinstance(place, Memory):
        return place.connection.serialize()
    server = postgres.shared()
    server.sql("CHECKPOINT")
    rows = server.sql(
        "SELECT pg_relation_filepath(each) FROM (SELECT oid, reltoastrelid FROM pg_class"
        " WHERE relnamespace = to_regnamespace(%s)) AS of_schema,"
        " LATERAL (VALUES (of_schema.oid), (reltoastrelid)) AS files(each)",
        place.schema,
    )
    paths = [server.folder / "data" / path for (path,) in rows if path is not None]
    return b"".join(path.read_bytes() for path in paths)
