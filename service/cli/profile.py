"""How a command finds its node: a small TOML file, each key overridable.

    address = "127.0.0.1:7443"
    network_id = "9c5a..."          # 64 hex digits, from somebody you trust
    anchor = "anchor.json"          # what was verified last; kept by the client
    authorities = "authorities.pem"
    client_certificate = "risk-engine.pem"
    client_key = "risk-engine.key"
    server_name = ""                # the name in the node's certificate, if not the address's host
    plaintext = ""                  # "NZ/risk-engine" instead of TLS files: for loopback addresses
    deadline = 5.0                  # seconds for a call, retries included

Files are relative to the profile. A flag (`--server-name`) wins over a variable
(`AEO_SERVER_NAME`), and both win over the profile (`--profile FILE`, `AEO_PROFILE`).
"""

import inspect
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Final, Self

import typer
from cryptography import x509

from ledger.errors import FormatError
from service.cli.errors import InputRefused
from service.client import Connection, Plaintext, Tls, TrustFile
from service.client.connection import DEFAULT_DEADLINE
from service.keys.spiffe import AccessRole, parse_spiffe

_PANEL: Final = "The node"
_PROFILE_LIMIT: Final = 64 << 10
_FILES: Final = ("anchor", "authorities", "client_certificate", "client_key")


@dataclass(frozen=True, slots=True)
class Profile:
    """Where a node is, how to reach it, and what is believed about its network."""

    address: str = ""
    network_id: str = ""
    anchor: str = ""
    authorities: str = ""
    client_certificate: str = ""
    client_key: str = ""
    server_name: str = ""
    plaintext: str = ""
    deadline: float = DEFAULT_DEADLINE

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a profile; `InputRefused` for a key that means nothing or has the wrong type."""
        if path.stat().st_size > _PROFILE_LIMIT:
            raise InputRefused(f"{path}: a profile is small")
        try:
            said = tomllib.loads(path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise InputRefused(f"{path}: {error}") from None
        known = {field.name: field.type for field in fields(cls)}
        for name, value in said.items():
            if name not in known:
                raise InputRefused(f"{path}: {name} is none of {', '.join(known)}")
            allowed: tuple[type, ...] = (int, float) if known[name] is float else (str,)
            if not isinstance(value, allowed) or isinstance(value, bool):
                raise InputRefused(f"{path}: {name} must be of type {allowed[-1].__name__}")
        for name in _FILES:
            if said.get(name):
                said[name] = str(path.parent / said[name])
        return cls(**said)

    def security(self) -> Tls | Plaintext:
        """How to reach the node; `InputRefused` where the profile does not say."""
        if self.plaintext:
            economy, _, role = self.plaintext.partition("/")
            if role not in set(AccessRole):
                raise InputRefused(
                    f"plaintext: {self.plaintext!r} is not like NZ/risk-engine; "
                    f"access roles are {', '.join(AccessRole)}"
                )
            return Plaintext(economy, role)
        missing = [name for name in _FILES[1:] if not getattr(self, name)]
        if missing:
            raise InputRefused(
                f"the profile has no {', '.join(missing)}; give a profile (--profile FILE or "
                "AEO_PROFILE), as `aeo network init` writes them"
            )
        return Tls.files(
            self.authorities, self.client_certificate, self.client_key, self.server_name
        )

    def connect(self) -> Connection:
        """Prepare the connection; nothing is sent yet."""
        return Connection.open(self.node_address(), self.security(), self.deadline)

    def economy(self) -> str:
        """For whom the caller acts, as its certificate says; `InputRefused` where it does not."""
        security = self.security()
        if isinstance(security, Plaintext):
            return security.economy
        try:
            certificate = x509.load_pem_x509_certificate(security.certificate)
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            [uri] = names.value.get_values_for_type(x509.UniformResourceIdentifier)
            return parse_spiffe(uri).economy
        except (ValueError, x509.ExtensionNotFound, FormatError):
            raise InputRefused(
                f"{self.client_certificate}: the certificate names no economy of this exchange"
            ) from None

    def node_address(self) -> str:
        """`host:port`; `InputRefused` where there is none."""
        host, _, port = self.address.rpartition(":")
        if not host or not port.isdecimal():
            raise InputRefused(
                f"the node's address {self.address!r} is not host:port; give --address, or a "
                "profile with --profile FILE"
            )
        return self.address

    def network(self) -> bytes | None:
        """The network's id, None where it is not given."""
        return read_network_id(self.network_id) if self.network_id else None

    def trust_file(self) -> TrustFile | None:
        """What was verified last, None where the profile keeps nothing."""
        return TrustFile(self.anchor, self.network()) if self.anchor else None


def read_network_id(text: str) -> bytes:
    """Read 64 hex digits."""
    try:
        network_id = bytes.fromhex(text)
    except ValueError:
        network_id = b""
    if len(network_id) != 32:
        raise InputRefused(f"{text!r} is not a network id: 64 hex digits")
    return network_id


def calls_node(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a profile; it is called with `profile`, a `Profile`."""
    signature = inspect.signature(command, eval_str=True)
    own = [each for each in signature.parameters.values() if each.name != "profile"]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in _OPTIONS.items()
    ]

    @wraps(command)
    def called(**given: Any) -> None:
        flags = {name: given.pop(name) for name in _OPTIONS}
        command(**given, profile=_in_force(flags))

    parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own] + added
    vars(called)["__signature__"] = signature.replace(parameters=parameters)
    called.__annotations__ = {each.name: each.annotation for each in parameters}
    return called


def _in_force(flags: Mapping[str, Any]) -> Profile:
    path = flags["profile"]
    profile = Profile.read(path) if path is not None else Profile()
    given = {name: value for name, value in flags.items() if value is not None}
    given.pop("profile", None)
    return replace(profile, **given)


def _option(flag: str, help_text: str) -> Any:
    variable = "AEO_" + flag.removeprefix("--").replace("-", "_").upper()
    return typer.Option(flag, envvar=variable, help=help_text, rich_help_panel=_PANEL)


_OPTIONS: Final[dict[str, Any]] = {
    "profile": Annotated[
        Path | None,
        _option("--profile", "A file that says how to reach the node; see `aeo network init`."),
    ],
    "address": Annotated[str | None, _option("--address", "The node's host:port.")],
    "network_id": Annotated[
        str | None, _option("--network-id", "The network's id, 64 hex digits, known by hand.")
    ],
    "anchor": Annotated[
        str | None, _option("--anchor", "The file that keeps what was verified last.")
    ],
    "authorities": Annotated[
        str | None, _option("--authorities", "PEM of the authorities that issue node certificates.")
    ],
    "client_certificate": Annotated[
        str | None, _option("--client-certificate", "PEM of your own certificate.")
    ],
    "client_key": Annotated[str | None, _option("--client-key", "PEM of its key.")],
    "server_name": Annotated[
        str | None, _option("--server-name", "The name in the node's certificate.")
    ],
    "plaintext": Annotated[
        str | None,
        _option("--plaintext", "No TLS, as ECONOMY/ACCESS-ROLE: loopback addresses only."),
    ],
    "deadline": Annotated[
        float | None, _option("--deadline", "Seconds for a call, retries included.")
    ],
}
