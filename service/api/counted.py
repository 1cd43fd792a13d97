"""A number and what it counts, in words for people.

>>> counted(1, "rule"), counted(1200, "rule"), counted(0, "entry", "entries")
('1 rule', '1,200 rules', '0 entries')
"""


def counted(number: int, one: str, many: str = "") -> str:
    """`1 rule`, `2 rules`; `many` where the plural takes more than an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
