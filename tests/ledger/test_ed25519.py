"""Ed25519: the vectors of RFC 8032, and every kind of key and signature that is not strict."""

import pytest

from ledger import ed25519
from ledger.errors import FormatError

FIELD = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, FIELD) % FIELD

# RFC 8032 section 7.1, tests 1 to 3: seed, public key, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]

Point = tuple[int, int]


def add(one: Point, two: Point) -> Point:
    """Add on -x^2 + y^2 = 1 + d*x^2*y^2."""
    (x1, y1), (x2, y2) = one, two
    product = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, FIELD)
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, FIELD)
    return x % FIELD, y % FIELD


def decode(data: bytes) -> Point | None:
    """Decode as RFC 8032 section 5.1.3 says, but let y be p or more."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, (number & 2**255 - 1) % FIELD
    square = (y * y - 1) * pow(D * y * y + 1, -1, FIELD) % FIELD
    x = pow(square, (FIELD + 3) // 8, FIELD)
    if x * x % FIELD != square:
        x = x * pow(2, (FIELD - 1) // 4, FIELD) % FIELD
    if x * x % FIELD != square:
        return None
    return (FIELD - x if x % 2 != sign else x), y


def small_order_encodings() -> list[bytes]:
    """Encode every point of order 1, 2, 4 or 8, also with y + p where that fits."""
    point = None
    y = 2
    while True:
        start = decode(y.to_bytes(32, "little"))
        if start is not None:
            point = (0, 1)
            for bit in bin(ORDER)[2:]:  # order * point: what is left has an order dividing 8
                point = add(point, point)
                if bit == "1":
                    point = add(point, start)
            if add(add(point, point), add(point, point)) != (0, 1):
                break
        y += 1
    points, current = [], (0, 1)
    for _ in range(8):
        points.append(current)
        current = add(current, point)
    assert current == (0, 1)
    assert len(set(points)) == 8
    found = set()
    for _, y in points:
        for encoded in (y, y + FIELD):
            for sign in (0, 1):
                if encoded < 2**255:
                    found.add((encoded | sign << 255).to_bytes(32, "little"))
    return sorted(found)


@pytest.mark.parametrize(("seed", "key", "message", "signature"), RFC_8032)
def test_rfc_8032(seed: str, key: str, message: str, signature: str) -> None:
    values = [bytes.fromhex(text) for text in (seed, key, message, signature)]
    assert ed25519.public_key(values[0]) == values[1]
    assert ed25519.sign(values[0], values[2]) == values[3]
    assert ed25519.verify(values[1], values[2], values[3])


def test_each_single_bit_change_is_refused() -> None:
    seed, message = bytes(32), b"message"
    key, signature = ed25519.public_key(seed), ed25519.sign(seed, message)
    for bit in range(512):
        changed = (int.from_bytes(signature) ^ 1 << bit).to_bytes(64)
        assert not ed25519.verify(key, message, changed)
    for bit in range(256):
        changed = (int.from_bytes(key) ^ 1 << bit).to_bytes(32)
        assert not ed25519.verify(changed, message, signature)


def test_s_must_be_below_the_order() -> None:
    seed, message = bytes(32), b"message"
    signature = ed25519.sign(seed, message)
    s = int.from_bytes(signature[32:], "little") + ORDER
    assert not ed25519.verify(
        ed25519.public_key(seed), message, signature[:32] + s.to_bytes(32, "little")
    )


def test_a_key_of_small_order_signs_nothing() -> None:
    # R the identity, S = 0: for A of order n this equation holds for one message in n.
    signature = (1).to_bytes(32, "little") + bytes(32)
    for key in small_order_encodings():
        for number in range(40):
            assert not ed25519.verify(key, number.to_bytes(2), signature)


def test_y_of_a_key_must_be_below_p() -> None:
    # y = 3..18 plus p still fits 255 bits: the same point in a second encoding, off the list above.
    signature = ed25519.sign(bytes(32), b"")
    encodings = [(y + FIELD).to_bytes(32, "little") for y in range(2, 19)]
    assert any(decode(key) for key in encodings)
    assert not any(ed25519.verify(key, b"", signature) for key in encodings)


def test_wrong_lengths() -> None:
    seed = bytes(32)
    key, signature = ed25519.public_key(seed), ed25519.sign(seed, b"")
    assert not ed25519.verify(key[:31], b"", signature)
    assert not ed25519.verify(key + b"\x00", b"", signature)
    assert not ed25519.verify(key, b"", signature[:63])
    assert not ed25519.verify(key, b"", signature + b"\x00")
    for call in (lambda: ed25519.public_key(bytes(31)), lambda: ed25519.sign(bytes(33), b"")):
        with pytest.raises(FormatError):
            call()
