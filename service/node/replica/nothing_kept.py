"""What a replica does not hold, and therefore does not answer."""

from service.errors import Refused


class ProfilesElsewhere(Refused):
    """A question declares a name or an address, and profiles are kept at the node alone."""

    def __init__(self) -> None:
        super().__init__(
            "a replica holds no names and addresses: ask the administration's node about them"
        )
