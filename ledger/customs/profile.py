"""A profile: who a trader is. Never on the ledger, where a record has only its commitment.

    profile bytes  = aeo.ledger.v1.Profile, strict, at most 16,384 bytes
    commitment     = H("aeo/v1/profile", nonce (32) || profile bytes)

Each record has a nonce of its own, so that two records of one trader show nothing in common, and
nobody can try likely names. Whoever is shown (nonce, bytes) opens that one commitment; once both
are erased nothing does.

| field | form |
|---|---|
| tin | canonical |
| names | 1 to 16, each of 1 to 512 characters |
| addresses | at most 16, each of 1 to 1,024 characters; country ISO 3166-1 alpha-2, or none |
| contacts | at most 32, each of 1 to 256 characters |
| certificate numbers | at most 64, each of 1 to 256 characters |
| validations | at most 64: a day as YYYY-MM-DD, a scope of 1 to 256 characters or none |
| language | BCP 47: language, then script and region where given (en, zh-Hant, pt-BR); or none |

Text is NFC, without blanks around it and without control characters. Lists keep their order: the
first name is the legal one.

>>> who = Profile("HK12345678", (Name("Pearl River Trading Ltd", "en"),
...               Name("珠江貿易有限公司", "zh-Hant")), (Address("1 Queen's Road", "en", "HK"),))
>>> data, nonce = format_profile(who), bytes(32)
>>> data.hex()[:24], len(data), parse_profile(data) == who
('0a0a484b3132333435363738', 106, True)
>>> commitment = profile_commitment(nonce, data)
>>> open_profile(commitment, nonce, data) == who
True
>>> open_profile(commitment, bytes([1]) + nonce[1:], data)
Traceback (most recent call last):
ledger.errors.FormatError: the profile does not open its commitment
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final, NamedTuple

from aeo.ledger.v1 import profile_pb2 as pb
from ledger.chain.economy import CODES
from ledger.customs.tin import TIN_FORM
from ledger.errors import FormatError
from ledger.hashing import HASH_BYTES, tagged
from ledger.wire import format_strict, parse_strict

PROFILE_LIMIT: Final = 16_384
NONCE_BYTES: Final = 32
NAMES_LIMIT: Final = 16
ADDRESSES_LIMIT: Final = 16
CONTACTS_LIMIT: Final = 32
NUMBERS_LIMIT: Final = 64
VALIDATIONS_LIMIT: Final = 64
NAME_CHARACTERS: Final = 512
ADDRESS_CHARACTERS: Final = 1_024
TEXT_CHARACTERS: Final = 256

_COMMITMENT = tagged("aeo/v1/profile")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?", re.ASCII)
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class Name(NamedTuple):
    """A name, and its language with the script where that is not the usual one."""

    text: str
    language: str = ""


class Address(NamedTuple):
    """An address on one line."""

    text: str
    language: str = ""
    country: str = ""


class Validation(NamedTuple):
    """When customs last looked (YYYY-MM-DD), and at what."""

    date: str
    scope: str = ""


class Profile(NamedTuple):
    """Who a trader is."""

    tin: str
    names: tuple[Name, ...]
    addresses: tuple[Address, ...] = ()
    contacts: tuple[str, ...] = ()
    certificate_numbers: tuple[str, ...] = ()
    validations: tuple[Validation, ...] = ()


def format_profile(profile: Profile) -> bytes:
    """Write a profile; raises `FormatError` for one that no reader accepts."""
    _check(profile)
    message = pb.Profile(
        tin=profile.tin,
        names=[pb.ProfileName(text=text, language=tag) for text, tag in profile.names],
        addresses=[
            pb.ProfileAddress(text=text, language=tag, country=country)
            for text, tag, country in profile.addresses
        ],
        contacts=profile.contacts,
        certificate_numbers=profile.certificate_numbers,
        validations=[pb.Validation(date=day, scope=scope) for day, scope in profile.validations],
    )
    data = format_strict(message)
    if len(data) > PROFILE_LIMIT:
        raise FormatError(f"a profile has at most {PROFILE_LIMIT} bytes, not {len(data)}")
    return data


def parse_profile(data: bytes) -> Profile:
    """Read a profile, or raise `FormatError`."""
    profile = profile_of(parse_strict(pb.Profile, data, PROFILE_LIMIT))
    _check(profile)
    return profile


def profile_of(message: pb.Profile) -> Profile:
    """The value of a message as it is; `format_profile` says whether it has the form."""
    return Profile(
        message.tin,
        tuple(Name(name.text, name.language) for name in message.names),
        tuple(Address(each.text, each.language, each.country) for each in message.addresses),
        tuple(message.contacts),
        tuple(message.certificate_numbers),
        tuple(Validation(each.date, each.scope) for each in message.validations),
    )


def profile_commitment(nonce: bytes, data: bytes) -> bytes:
    """Return the 32 bytes that a record says of a profile's bytes, with a nonce of 32 bytes."""
    if len(nonce) != NONCE_BYTES:
        raise FormatError(f"a nonce has {NONCE_BYTES} bytes, not {len(nonce)}")
    return _COMMITMENT(nonce + data)


def open_profile(commitment: bytes, nonce: bytes, data: bytes) -> Profile:
    """Return the profile that a commitment on the ledger is of, or raise `FormatError`."""
    if len(commitment) != HASH_BYTES or len(data) > PROFILE_LIMIT:
        raise FormatError("a commitment has 32 bytes, and a profile at most 16,384")
    if profile_commitment(nonce, data) != commitment:
        raise FormatError("the profile does not open its commitment")
    return parse_profile(data)


def _check(profile: Profile) -> None:
    if not TIN_FORM.fullmatch(profile.tin):
        raise FormatError("tin: not a canonical trader identification number")
    if not profile.names:
        raise FormatError("names: a profile has at least one")
    _count("names", profile.names, NAMES_LIMIT)
    _count("addresses", profile.addresses, ADDRESSES_LIMIT)
    _count("contacts", profile.contacts, CONTACTS_LIMIT)
    _count("certificate_numbers", profile.certificate_numbers, NUMBERS_LIMIT)
    _count("validations", profile.validations, VALIDATIONS_LIMIT)
    for name in profile.names:
        _text("names.text", name.text, NAME_CHARACTERS)
        _tag("names.language", name.language)
    for address in profile.addresses:
        _text("addresses.text", address.text, ADDRESS_CHARACTERS)
        _tag("addresses.language", address.language)
        if address.country and address.country not in CODES:
            raise FormatError("addresses.country: two capitals of ISO 3166-1, or none")
    for contact in profile.contacts:
        _text("contacts", contact, TEXT_CHARACTERS)
    for number in profile.certificate_numbers:
        _text("certificate_numbers", number, TEXT_CHARACTERS)
    for validation in profile.validations:
        _day("validations.date", validation.date)
        if validation.scope:
            _text("validations.scope", validation.scope, TEXT_CHARACTERS)


def _count(field: str, values: Sequence[object], limit: int) -> None:
    if len(values) > limit:
        raise FormatError(f"{field}: at most {limit}, not {len(values)}")


def _text(field: str, text: str, limit: int) -> None:
    # Never quotes the text: what refuses a profile may end in a log.
    if not 1 <= len(text) <= limit:
        raise FormatError(f"{field}: 1 to {limit} characters")
    if text != text.strip() or any(unicodedata.category(each) == "Cc" for each in text):
        raise FormatError(f"{field}: no blanks around it, no control characters")
    if not unicodedata.is_normalized("NFC", text):
        raise FormatError(f"{field}: not in Unicode's form NFC")


def _tag(field: str, language: str) -> None:
    if language and not _LANGUAGE.fullmatch(language):
        raise FormatError(f"{field}: a language of BCP 47, as en or zh-Hant, or none")


def _day(field: str, day: str) -> None:
    if not _DAY.fullmatch(day):
        raise FormatError(f"{field}: a day as YYYY-MM-DD")
    year, month, number = (int(part) for part in day.split("-"))
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not year or not 1 <= month <= 12:
        raise FormatError(f"{field}: there is no such day")
    if not 1 <= number <= _DAYS[month - 1] + (month == 2 and leap):
        raise FormatError(f"{field}: there is no such day")
