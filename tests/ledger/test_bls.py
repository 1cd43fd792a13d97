"""Both backends: every vector, the identity, batches and what must not pass as one."""

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.bls.arkworks import ArkworksBackend
from ledger.bls.keygen import keygen, secret_key_from_bytes, secret_key_to_bytes
from ledger.bls.reference import ReferenceBackend
from ledger.bls.scheme import (
    G1_IDENTITY,
    G2_IDENTITY,
    ORDER,
    POSSESSION_DST,
    BlsBackend,
    default_backend,
    key_id,
)
from ledger.errors import FormatError

VECTORS = Path(__file__).parent.parent / "vectors" / "bls"
TEST_DST = b"QUUX-V01-CS02-with-BLS12381G2_XMD:SHA-256_SSWU_RO_"

ARKWORKS = ArkworksBackend()
REFERENCE = ReferenceBackend()
both = pytest.mark.parametrize("bls", [ARKWORKS, REFERENCE], ids=lambda backend: backend.name)


def cases(folder: str) -> Any:
    paths = sorted((VECTORS / folder).glob("*.json"))
    assert paths
    loaded = [json.loads(path.read_bytes()) for path in paths]
    return pytest.mark.parametrize("case", loaded, ids=[path.stem for path in paths])


def unhex(value: Any) -> Any:
    return [unhex(item) for item in value] if isinstance(value, list) else bytes.fromhex(value[2:])


def minus(point: bytes) -> bytes:
    """The negative of a compressed point: the other of the two y."""
    return bytes([point[0] ^ 0x20]) + point[1:]


def test_every_folder_of_vectors_is_used() -> None:
    used = {"aggregate", "aggregate_verify", "batch_verify", "deserialization_G1"}
    used |= {"deserialization_G2", "fast_aggregate_verify", "hash_to_G2", "sign", "verify"}
    assert {path.name for path in VECTORS.iterdir() if path.is_dir()} == used


@both
@cases("sign")
def test_sign(bls: BlsBackend, case: Any) -> None:
    secret = int(case["input"]["privkey"], 16)
    message = unhex(case["input"]["message"])
    if case["output"] is None:
        with pytest.raises(FormatError):
            bls.sign(secret, message)
    else:
        assert bls.sign(secret, message) == unhex(case["output"])


@both
@cases("verify")
def test_verify(bls: BlsBackend, case: Any) -> None:
    key, message, signature = (unhex(case["input"][n]) for n in ("pubkey", "message", "signature"))
    assert bls.verify(key, message, signature) is case["output"]
    assert bls.verify_one_key(key, [(message, signature)]) is case["output"]


@both
@cases("aggregate")
def test_aggregate(bls: BlsBackend, case: Any) -> None:
    if case["output"] is None:
        with pytest.raises(FormatError):
            bls.aggregate(unhex(case["input"]))
    else:
        assert bls.aggregate(unhex(case["input"])) == unhex(case["output"])


@both
@cases("aggregate_verify")
def test_aggregate_verify(bls: BlsBackend, case: Any) -> None:
    values = [unhex(case["input"][name]) for name in ("pubkeys", "messages", "signature")]
    assert bls.aggregate_verify(*values) is case["output"]


@both
@cases("fast_aggregate_verify")
def test_fast_aggregate_verify(bls: BlsBackend, case: Any) -> None:
    values = [unhex(case["input"][name]) for name in ("pubkeys", "message", "signature")]
    assert bls.fast_aggregate_verify(*values) is case["output"]


@both
@cases("batch_verify")
def test_batch_verify(bls: BlsBackend, case: Any) -> None:
    values = [unhex(case["input"][name]) for name in ("pubkeys", "messages", "signatures")]
    assert bls.batch_verify(*values) is case["output"]


@both
@cases("hash_to_G2")
def test_hash_to_g2(bls: BlsBackend, case: Any) -> None:
    point = bls.decode_g2(bls.hash_to_g2(case["input"]["msg"].encode(), TEST_DST))
    expected = (case["output"]["x"], case["output"]["y"])
    assert point == tuple(tuple(int(c, 16) for c in both.split(",")) for both in expected)


@both
@cases("deserialization_G1")
def test_decode_g1(bls: BlsBackend, case: Any) -> None:
    data = bytes.fromhex(case["input"]["pubkey"].removeprefix("0x"))
    if case["output"]:
        assert (bls.decode_g1(data) is None) == (data == G1_IDENTITY)
    else:
        with pytest.raises(FormatError):
            bls.decode_g1(data)


@both
@cases("deserialization_G2")
def test_decode_g2(bls: BlsBackend, case: Any) -> None:
    data = bytes.fromhex(case["input"]["signature"].removeprefix("0x"))
    if case["output"]:
        assert (bls.decode_g2(data) is None) == (data == G2_IDENTITY)
    else:
        with pytest.raises(FormatError):
            bls.decode_g2(data)


@pytest.mark.parametrize("secret", [1, 7, 2**200 + 5, ORDER - 1])
def test_backends_agree_byte_for_byte(secret: int) -> None:
    key = ARKWORKS.public_key(secret)
    signature = ARKWORKS.sign(secret, b"message")
    assert key == REFERENCE.public_key(secret)
    assert signature == REFERENCE.sign(secret, b"message")
    assert ARKWORKS.prove_possession(secret) == REFERENCE.prove_possession(secret)
    assert ARKWORKS.decode_g1(key) == REFERENCE.decode_g1(key)
    assert ARKWORKS.decode_g2(signature) == REFERENCE.decode_g2(signature)
    assert ARKWORKS.hash_to_g2(key) == REFERENCE.hash_to_g2(key)


@both
@pytest.mark.parametrize("secret", [-1, 0, ORDER, ORDER + 1])
def test_secrets_out_of_range_are_refused(bls: BlsBackend, secret: int) -> None:
    for call in (
        lambda: bls.public_key(secret),
        lambda: bls.sign(secret, b""),
        lambda: bls.prove_possession(secret),
        lambda: secret_key_to_bytes(secret),
    ):
        with pytest.raises(FormatError):
            call()


@both
@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(96),
        b"\xff" * 96,  # arkworks alone reads this as the identity
        b"\xe0" + bytes(95),  # the identity with a sign
        b"\xc0" + bytes(94) + b"\x01",
    ],
    ids=["empty", "zeros", "ones", "signed identity", "identity with x"],
)
def test_what_is_no_point_is_neither_signature_nor_key(bls: BlsBackend, data: bytes) -> None:
    key, signature = ARKWORKS.public_key(7), ARKWORKS.sign(7, b"m")
    short = data[:24] + data[-24:]
    with pytest.raises(FormatError):
        bls.decode_g2(data)
    with pytest.raises(FormatError):
        bls.decode_g1(short)
    with pytest.raises(FormatError):
        bls.aggregate([signature, data])
    assert not bls.verify(key, b"m", data)
    assert not bls.verify(short, b"m", signature)
    assert not bls.fast_aggregate_verify([key, short], b"m", signature)
    assert not bls.aggregate_verify([key, short], [b"m", b"m"], signature)
    assert not bls.batch_verify([key], [b"m"], [data])
    assert not bls.verify_one_key(key, [(b"m", data), (b"m", data)])


@both
def test_the_identity_is_neither_key_nor_signature(bls: BlsBackend) -> None:
    key, message = ARKWORKS.public_key(7), b"m"
    opposite = ARKWORKS.public_key(ORDER - 7)
    assert opposite == minus(key)
    # The sum of these two keys' signatures is the identity, for any message: nobody signed.
    assert not bls.fast_aggregate_verify([key, opposite], message, G2_IDENTITY)
    assert not bls.aggregate_verify([key, opposite], [message, message], G2_IDENTITY)
    assert not bls.verify(G1_IDENTITY, message, G2_IDENTITY)
    assert not bls.check_possession(G1_IDENTITY, G2_IDENTITY)
    assert not bls.verify_one_key(G1_IDENTITY, [(message, G2_IDENTITY), (b"n", G2_IDENTITY)])
    assert not bls.batch_verify([G1_IDENTITY], [message], [G2_IDENTITY])
    assert bls.decode_g1(G1_IDENTITY) is None
    assert bls.decode_g2(G2_IDENTITY) is None


@both
def test_nothing_and_lists_of_unequal_length_never_verify(bls: BlsBackend) -> None:
    key, signature = ARKWORKS.public_key(7), ARKWORKS.sign(7, b"m")
    assert not bls.verify_one_key(key, [])
    assert not bls.batch_verify([], [], [])
    assert not bls.batch_verify([key, key], [b"m"], [signature])
    assert not bls.batch_verify([key], [b"m"], [signature, signature])
    assert not bls.aggregate_verify([key], [b"m", b"m"], signature)


@both
def test_possession_is_not_a_signature(bls: BlsBackend) -> None:
    key, other = ARKWORKS.public_key(7), ARKWORKS.public_key(8)
    proof = bls.prove_possession(7)
    assert bls.check_possession(key, proof)
    assert bls.verify(key, key, proof, POSSESSION_DST)
    assert not bls.verify(key, key, proof)
    assert not bls.check_possession(other, proof)
    assert not bls.check_possession(key, ARKWORKS.sign(7, key))


@both
def test_one_key_batch_refuses_what_one_by_one_refuses(bls: BlsBackend) -> None:
    key = ARKWORKS.public_key(7)
    first, second = ARKWORKS.sign(7, b"first"), ARKWORKS.sign(7, b"second")
    assert bls.verify_one_key(key, [(b"first", first), (b"second", second)])
    assert not bls.verify_one_key(key, [(b"first", second), (b"second", first)])
    assert not bls.verify_one_key(ARKWORKS.public_key(8), [(b"first", first), (b"second", second)])
    # Two wrong signatures whose errors cancel: their sum is right, so an aggregate verifies.
    error = ARKWORKS.sign(9, b"error")
    wrong = [ARKWORKS.aggregate([first, error]), ARKWORKS.aggregate([second, minus(error)])]
    assert bls.aggregate_verify([key, key], [b"first", b"second"], ARKWORKS.aggregate(wrong))
    assert not bls.verify_one_key(key, [(b"first", wrong[0]), (b"second", wrong[1])])
    assert not bls.batch_verify([key, key], [b"first", b"second"], wrong)


def test_one_wrong_signature_spoils_a_large_batch() -> None:
    key = ARKWORKS.public_key(7)
    pairs = [(bytes([i]), ARKWORKS.sign(7, bytes([i]))) for i in range(40)]
    assert ARKWORKS.verify_one_key(key, pairs)
    for index in (0, 20, 39):
        spoiled = list(pairs)
        spoiled[index] = (b"another", pairs[index][1])
        assert not ARKWORKS.verify_one_key(key, spoiled)
        assert [ARKWORKS.verify(key, *pair) for pair in spoiled].count(False) == 1


def test_each_single_bit_change_of_a_signature_and_key_is_refused() -> None:
    key, signature = ARKWORKS.public_key(7), ARKWORKS.sign(7, b"m")
    for bit in range(8 * len(signature)):
        changed = (int.from_bytes(signature) ^ 1 << bit).to_bytes(len(signature))
        assert not ARKWORKS.verify(key, b"m", changed)
    for bit in range(8 * len(key)):
        changed = (int.from_bytes(key) ^ 1 << bit).to_bytes(len(key))
        assert not ARKWORKS.verify(changed, b"m", signature)


def test_default_backend_is_the_compiled_one() -> None:
    assert isinstance(default_backend(), ArkworksBackend)
    assert default_backend() is default_backend()


def test_key_id_is_the_beginning_of_the_hash() -> None:
    assert len(key_id(bytes(48))) == 8
    assert key_id(bytes(48)) != key_id(bytes(47) + b"\x01")


# The first two test cases of EIP-2333: seed, master secret key.
@pytest.mark.parametrize(
    ("seed", "secret"),
    [
        (
            (
                "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e5349553"
                "1f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04"
            ),
            6083874454709270928345386274498605044986640685124978867557563392430687146096,
        ),
        (
            "3141592653589793238462643383279502884197169399375105820974944592",
            29757020647961307431480504535336562678282505419141012933316116377660817309383,
        ),
    ],
)
def test_keygen(seed: str, secret: int) -> None:
    assert keygen(bytes.fromhex(seed)) == secret
    assert keygen(bytes.fromhex(seed), b"info") != secret


def test_keygen_refuses_short_material() -> None:
    with pytest.raises(FormatError):
        keygen(bytes(31))


def test_secret_keys_have_one_encoding() -> None:
    for secret in (1, ORDER - 1):
        assert secret_key_from_bytes(secret_key_to_bytes(secret)) == secret
    for data in (bytes(32), ORDER.to_bytes(32), b"\xff" * 32, bytes(30) + b"\x07", bytes(33)):
        with pytest.raises(FormatError):
            secret_key_from_bytes(data)
