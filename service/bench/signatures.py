"""BLS signatures on both backends: one signed, one verified, many of one key verified together."""

from typing import Final

from ledger.bls.arkworks import ArkworksBackend
from ledger.bls.keygen import keygen
from ledger.bls.reference import ReferenceBackend
from ledger.bls.scheme import BlsBackend
from service.bench.figures import Figure
from service.bench.process import SERVER_CORE, measured
from service.bench.timing import microseconds_each

_MESSAGES: Final = 64
# The reference takes a third of a second for each.
_REFERENCE_MESSAGES: Final = 2
_MS: Final = 1e3


def signature_figures(rounds: int) -> list[Figure]:
    """Figures of both backends; they have no bounds of their own."""
    figures = []
    for title, count in (("compiled", _MESSAGES), ("reference", _REFERENCE_MESSAGES)):
        repeats = rounds if title == "compiled" else 1
        sign, verify, many = measured(SERVER_CORE, measure_bls, title, count, repeats)
        name = f"bls.{title}"
        figures += [
            Figure.of(f"{name}.sign", f"BLS, {title} backend: sign", sign, "ms"),
            Figure.of(f"{name}.verify", f"BLS, {title} backend: verify", verify, "ms"),
            Figure.of(
                f"{name}.verify_many",
                f"BLS, {title} backend: verify, {count} of one key together",
                many,
                "ms",
                note="for each signature",
            ),
        ]
    return figures


def measure_bls(
    title: str, count: int, rounds: int
) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds for a signature, a verification, and one of many verifications."""
    backend: BlsBackend = ArkworksBackend() if title == "compiled" else ReferenceBackend()
    secret = keygen(bytes(range(32)))
    public_key = backend.public_key(secret)
    messages = [number.to_bytes(32) for number in range(1, count + 1)]
    sign = microseconds_each(lambda message: backend.sign(secret, message), messages, rounds)
    pairs = [(message, backend.sign(secret, message)) for message in messages]
    verify = microseconds_each(lambda pair: backend.verify(public_key, *pair), pairs, rounds)
    many = microseconds_each(
        lambda given: backend.verify_one_key(public_key, given), [pairs], rounds
    )
    return (
        [each / _MS for each in sign],
        [each / _MS for each in verify],
        [each / _MS / count for each in many],
    )
