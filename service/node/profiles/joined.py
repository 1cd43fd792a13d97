"""What a register says of a trader, beside a fuller profile that is in force.

A register has one name and one address a row, and neither language nor country. So its names take
the place of names without a language, and its addresses of those without language and country;
what says more stays. Contacts and validations, which a register never has, stay too.

>>> from ledger.customs.profile import Address, Name, Validation
>>> fuller = Profile(
...     "HK12345678",
...     (Name("Pearl River Trading Ltd", "en"), Name("Pearl Ltd")),
...     (Address("1 Queen's Road", "en", "HK"),),
...     ("desk@pearl.example",),
...     ("AEO-1",),
...     (Validation("2025-03-01", "warehouse"),),
... )
>>> row = Profile("HK12345678", (Name("Pearl River Trading Ltd"),), (Address("2 Pier Road"),))
>>> joined = join_register(fuller, row)
>>> [name.text for name in joined.names]
['Pearl River Trading Ltd']
>>> [address.text for address in joined.addresses]
["1 Queen's Road", '2 Pier Road']
>>> joined.contacts == fuller.contacts and joined.validations == fuller.validations
True
>>> join_register(joined, row) == joined
True
"""

from ledger.customs.profile import Profile


def join_register(kept: Profile, said: Profile) -> Profile:
    """The profile in force and what a register says, together."""
    named = tuple(each for each in kept.names if each.language)
    placed = tuple(each for each in kept.addresses if each.language or each.country)
    names = {each.text for each in named}
    addresses = {each.text for each in placed}
    return Profile(
        kept.tin,
        named + tuple(each for each in said.names if each.text not in names),
        placed + tuple(each for each in said.addresses if each.text not in addresses)
        if said.addresses
        else kept.addresses,
        kept.contacts,
        tuple(dict.fromkeys(kept.certificate_numbers + said.certificate_numbers)),
        kept.validations,
    )
