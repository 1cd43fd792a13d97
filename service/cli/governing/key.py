"""`aeo key new`: all keys of a member, in files."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from ledger.bls.scheme import default_backend
from ledger.ed25519 import public_key
from service.cli.commands import JsonOption, examples, group
from service.cli.errors import InputRefused
from service.cli.output import facts, say, show, stderr
from service.keys.key_file import read_passphrase
from service.keys.member_keys import make_member_keys

app = group("Make keys.")


PassphraseOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        help="A file whose first line is the passphrase; nobody else may read it. "
        "Without it you are asked.",
    ),
]
HostOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--host",
        help="A name or address by which the node is reached; repeat it for more. "
        "This machine's own names are always there.",
    ),
]


@app.command(
    epilog=examples(
        "aeo key new keys/NZ --economy NZ --network 'APEC pilot' --host nz-node.example",
    )
)
def new(
    folder: Annotated[Path, typer.Argument(help="Where the keys go; they are never overwritten.")],
    economy: Annotated[
        str, typer.Option(help="Whose keys: two letters (ISO 3166-1 alpha-2, or EU).")
    ],
    network: Annotated[str, typer.Option(help="The network's name; certificates carry it.")],
    host: HostOption = None,
    passphrase_file: PassphraseOption = None,
    json: JsonOption = False,
) -> None:
    """Make all keys of a member: BLS (EIP-2335 keystore), Ed25519, its authority, its node's."""
    if len(economy) != 2 or not economy.isascii() or not economy.isupper():
        raise InputRefused(f"{economy!r} is not an economy: two upper-case letters")
    # A whole node hangs from it, and no other command should wait for that to load.
    from service.node.founding.folder import LOCAL_HOSTS  # noqa: PLC0415

    keys = make_member_keys(
        folder,
        economy,
        network_name=network,
        hosts=(*LOCAL_HOSTS, *(host or ())),
        passphrase=new_passphrase(passphrase_file),
        now=datetime.now(UTC),
        backend=default_backend(),
    )
    made: dict[str, Any] = {
        "folder": str(folder),
        "economy": economy,
        "key_id": keys.key_id.hex(),
        "bls_public_key": keys.bls_public_key.hex(),
        "ed25519_public_key": public_key(keys.ed25519_seed).hex(),
        "files": sorted(path.name for path in folder.iterdir()),
    }
    show(
        made,
        lambda: facts(
            [
                ("folder", made["folder"]),
                ("key id", made["key_id"]),
                ("BLS public key", made["bls_public_key"]),
                ("Ed25519 public key", made["ed25519_public_key"]),
                ("files", ", ".join(made["files"])),
            ]
        ),
        as_json=json,
    )
    say("The authority's key (authority.key) is only needed to issue certificates: keep it apart.")


def new_passphrase(path: Path | None) -> str:
    """Read a passphrase for new keys; from a terminal it is asked for twice."""
    if path is not None:
        return read_passphrase(path)
    if not stderr().is_terminal:
        raise InputRefused("there is no terminal to ask for a passphrase: give --passphrase-file")
    passphrase = read_passphrase(None)
    if read_passphrase(None, "The same again") != passphrase:
        raise InputRefused("the two are not the same")
    return passphrase
