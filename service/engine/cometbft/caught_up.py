"""Whether our CometBFT has all that the others have decided.

It may say so of itself as soon as it has a peer, a day of blocks behind. So the peers' own heights
count, but for the highest: as many as may lie could name any. Of strangers any number may connect;
so where the ids of members are known, theirs count alone. Who knows one member believes that one.
"""

from collections.abc import Collection

from service.engine.cometbft.rpc import Rpc


def caught_up(rpc: Rpc, members: Collection[str] = ()) -> bool:
    """Whether CometBFT has all that the others have decided; `members` are ids of peers.

    Raises `CometBftUnreachable`.
    """
    status, validators = rpc.status(), len(rpc.validators())
    if status.catching_up or validators == 1:
        return not status.catching_up
    told = rpc.peer_heights().items()
    heights = sorted((each for peer, each in told if not members or peer in members), reverse=True)
    liars = (len(members) or validators - 1) // 3
    return len(heights) > liars and status.height + 1 >= heights[liars]
