"""The options that say when the goods of a question were dispatched, accepted and so on."""

from typing import Annotated, TypeAlias

import typer

from service.cli.civil import parse_moment
from service.client.goods import GoodsEvents

DispatchedOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="When the goods were dispatched: a date or an instant. A rule that has ended since "
        "may still hold for them."
    ),
]
AcceptedOption: TypeAlias = Annotated[
    str | None, typer.Option(help="When the declaration was accepted, where a rule goes by that.")
]
ArrivedOption: TypeAlias = Annotated[
    str | None, typer.Option(help="When the goods arrived, where a rule goes by that.")
]
ReleasedOption: TypeAlias = Annotated[
    str | None, typer.Option(help="When the goods were released, where a rule goes by that.")
]


def goods_events(
    zone: str,
    dispatched: str | None,
    accepted: str | None,
    arrived: str | None,
    released: str | None,
) -> GoodsEvents:
    """The events of a question; a date begins in `zone`."""
    said = (dispatched, accepted, arrived, released)
    return GoodsEvents(*(None if text is None else parse_moment(text, zone) for text in said))
