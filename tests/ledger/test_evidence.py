"""A fork convicts whoever signed both headers; evidence altered convicts nobody."""

from dataclasses import replace

import pytest

from ledger.audit.evidence import check_evidence, format_fork
from ledger.chain.header import Header, format_header, header_hash, parse_header
from ledger.chain.seal import aggregate_seal, sign_share
from ledger.errors import CheckError, LedgerError, SignatureError
from ledger_world import BACKEND, World, bls_secret


@pytest.fixture(scope="module")
def world() -> World:
    world = World(("HK", "NZ", "SG"))
    world.commit(world.transaction("HK"))
    return world


def sealed(world: World, header: Header, *signers: str) -> tuple[bytes, bytes]:
    """A header's bytes and a seal by some."""
    data = format_header(header)
    hashed, network_id = header_hash(data), world.view.network_id
    shares = {
        economy: sign_share(bls_secret(economy), BACKEND, network_id, hashed, header.time)
        for economy in signers
    }
    members = world.view.signing_sets.current
    return data, aggregate_seal(members, hashed, header.time, shares, BACKEND)


def fork(world: World, other: Header | None = None, *, second: tuple[str, ...] = ("NZ", "SG")):
    header = parse_header(world.view.header_bytes)
    other = other or replace(header, map_root=b"\x07" * 32)
    return format_fork(
        world.genesis.data, *sealed(world, header, "HK", "NZ"), *sealed(world, other, *second)
    )


def test_who_signed_both_is_named(world: World):
    assert check_evidence(fork(world), world.view.network_id, BACKEND) == ("NZ",)
    both = fork(world, second=("HK", "NZ", "SG"))
    assert check_evidence(both, world.view.network_id, BACKEND) == ("HK", "NZ")


def test_what_convicts_nobody(world: World):
    header = parse_header(world.view.header_bytes)
    network_id = world.view.network_id
    for evidence in (
        fork(world, header),
        fork(world, replace(header, height=2, log_size=2)),
        fork(world, replace(header, network_id=bytes(32))),
        fork(world, replace(header, signing_set_hash=bytes(32))),
    ):
        with pytest.raises(CheckError):
            check_evidence(evidence, network_id, BACKEND)
    with pytest.raises(CheckError):
        check_evidence(fork(world), bytes(32), BACKEND)


def test_a_seal_of_another_header_is_none(world: World):
    header = parse_header(world.view.header_bytes)
    one = sealed(world, header, "HK", "NZ")
    other = sealed(world, replace(header, map_root=b"\x07" * 32), "HK", "NZ")
    exchanged = format_fork(world.genesis.data, one[0], other[1], other[0], one[1])
    with pytest.raises(SignatureError):
        check_evidence(exchanged, world.view.network_id, BACKEND)


def test_evidence_altered(world: World):
    evidence = fork(world)
    for bit in range(0, 8 * len(evidence), 149):
        altered = bytearray(evidence)
        altered[bit // 8] ^= 0x80 >> bit % 8
        with pytest.raises(LedgerError):
            check_evidence(bytes(altered), world.view.network_id, BACKEND)
    for end in range(0, len(evidence), 50):
        with pytest.raises(LedgerError):
            check_evidence(evidence[:end], world.view.network_id, BACKEND)
