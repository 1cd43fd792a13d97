"""A second node of one member: its folder copied, with keys and guard, and started beside it.

What an operator does who starts the old machine after moving to a new one, and what a member does
that wants to tell two truths. The copy listens elsewhere; all else it shares with its original.
"""

import shutil
from typing import Final

from cometbft.network import Member
from service.engine.cometbft.home import NODE_KEY_FILE
from service.node.founding.ports import free_ports

_ADDRESSES: Final = ("grpc", "health", "metrics", "abci", "rpc", "p2p")


def twin_of(member: Member, *, known_as_another: bool) -> Member:
    """Copy the folder of a member that does not run; the copy is not started.

    `known_as_another`: with a peer key of its own, so that the others talk to both.
    """
    folder = member.folder.with_name(f"{member.economy}-twin")
    shutil.copytree(member.folder, folder)
    (folder / "node.log").unlink(missing_ok=True)
    home = folder / "cometbft"
    for log in home.glob("cometbft.*"):
        log.unlink()  # its log, and the process id of the original's
    if known_as_another:
        (home / NODE_KEY_FILE).unlink()  # made anew at the start
    own = folder / "node.toml"
    used = member.config["listen"] | member.config["engine"]["cometbft"]
    text = own.read_text()
    for name, port in zip(_ADDRESSES, free_ports(len(_ADDRESSES)), strict=True):
        assert text.count(f'"{used[name]}"') == 1, name
        host = used[name].rpartition(":")[0]
        text = text.replace(f'"{used[name]}"', f'"{host}:{port}"')
    own.write_text(text)
    return Member(folder, member.economy)
