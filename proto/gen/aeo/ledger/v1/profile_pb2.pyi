from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Profile(_message.Message):
    __slots__ = ("tin", "names", "addresses", "contacts", "certificate_numbers", "validations")
    TIN_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_NUMBERS_FIELD_NUMBER: _ClassVar[int]
    VALIDATIONS_FIELD_NUMBER: _ClassVar[int]
    tin: str
    names: _containers.RepeatedCompositeFieldContainer[ProfileName]
    addresses: _containers.RepeatedCompositeFieldContainer[ProfileAddress]
    contacts: _containers.RepeatedScalarFieldContainer[str]
    certificate_numbers: _containers.RepeatedScalarFieldContainer[str]
    validations: _containers.RepeatedCompositeFieldContainer[Validation]
    def __init__(self, tin: _Optional[str] = ..., names: _Optional[_Iterable[_Union[ProfileName, _Mapping]]] = ..., addresses: _Optional[_Iterable[_Union[ProfileAddress, _Mapping]]] = ..., contacts: _Optional[_Iterable[str]] = ..., certificate_numbers: _Optional[_Iterable[str]] = ..., validations: _Optional[_Iterable[_Union[Validation, _Mapping]]] = ...) -> None: ...

class ProfileName(_message.Message):
    __slots__ = ("text", "language")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    text: str
    language: str
    def __init__(self, text: _Optional[str] = ..., language: _Optional[str] = ...) -> None: ...

class ProfileAddress(_message.Message):
    __slots__ = ("text", "language", "country")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    text: str
    language: str
    country: str
    def __init__(self, text: _Optional[str] = ..., language: _Optional[str] = ..., country: _Optional[str] = ...) -> None: ...

class Validation(_message.Message):
    __slots__ = ("date", "scope")
    DATE_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    date: str
    scope: str
    def __init__(self, date: _Optional[str] = ..., scope: _Optional[str] = ...) -> None: ...
