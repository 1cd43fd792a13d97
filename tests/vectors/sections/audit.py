"""Vectors of evidence, and of verdicts on a ledger that is given whole."""

from dataclasses import replace

from aeo.ledger.v1 import evidence_pb2
from ledger.audit.evidence import check_evidence, format_fork
from ledger.chain.header import Header, format_header
from ledger.wire import format_strict
from tests.vectors import sample
from tests.vectors.registry import Case, section

MEMBERS = ("AU", "JP", "NZ", "SG")


def sealed(header: Header, *signers: str) -> tuple[bytes, bytes]:
    """A header's bytes and a seal by some of the members."""
    return format_header(header), sample.seal(header, signers, members=sample.signing_set(MEMBERS))


@section(
    "evidence",
    "aeo.ledger.v1.Evidence of a fork in a network of AU, JP, NZ, SG of weight 1 each; convicts:"
    " who signed both headers; invalid ones convict nobody in the network of network_id",
)
def evidence() -> dict[str, list[Case]]:
    genesis = sample.genesis(MEMBERS)
    network_id = genesis.network_id
    one = replace(
        sample.first_header(),
        network_id=network_id,
        height=1,
        previous=b"\x21" * 32,
        log_size=2,
        signing_set_hash=genesis.signing_set.hash,
    )
    other = replace(one, map_root=b"\x13" * 32)
    a, b = sealed(one, "AU", "JP"), sealed(other, "JP", "NZ", "SG")

    def fork(first: tuple[bytes, bytes], second: tuple[bytes, bytes]) -> bytes:
        return format_fork(genesis.data, *first, *second)

    valid = []
    for data in (fork(a, b), fork(b, a), fork(a, sealed(other, *MEMBERS))):
        convicts = check_evidence(data, network_id, sample.BACKEND)
        valid.append({"network_id": network_id, "convicts": list(convicts), "bytes": data})

    good = fork(a, b)
    wrong = {
        "one header twice": fork(a, sealed(one, "JP", "SG")),
        "headers of two heights": fork(a, sealed(replace(other, height=2), "JP", "SG")),
        "nobody signed both": fork(a, sealed(other, "NZ", "SG")),
        "the seals exchanged": fork((a[0], b[1]), (b[0], a[1])),
        "a seal by a quarter of the weight": fork(a, sealed(other, "JP")),
        "a header of another network": fork(
            a, sealed(replace(other, network_id=sample.genesis().network_id), "JP", "SG")
        ),
        "a header of a set that is not given": fork(
            a, sealed(replace(other, signing_set_hash=sample.signing_set().hash), "JP", "SG")
        ),
        "the genesis of another network": format_fork(sample.genesis().data, *a, *b),
        "a signature changed": good[:-1] + bytes([good[-1] ^ 1]),
        "no statement": format_strict(evidence_pb2.Evidence(genesis=genesis.data)),
        "an unknown field": good + b"\x78\x01",
        "cut short": good[:-1],
    }
    return {
        "valid": valid,
        "invalid": [
            {"why": why, "network_id": network_id, "bytes": data} for why, data in wrong.items()
        ],
    }
