"""Every error of the ledger, in one tree. The message for people lives on the error.

LedgerError
├── FormatError         the bytes are not a well-formed value; the only error of a parser
│   └── TinError            not a trader identification number; has the verdict's reason
├── CheckError          well-formed, but not what it claims to be
│   ├── ProofError          a Merkle proof does not lead to the root
│   ├── SignatureError      a signature, share or seal does not verify
│   ├── AnchorError         not a descendant of the anchor, or anchored too long ago
│   ├── KeyringError        no lookup key that opens the arrangement's commitment
│   └── ChainError          a ledger contradicts itself; says where
├── NotEntered          a transaction that may not enter the log; has a code
├── NotKept             a question about a past of which a snapshot keeps too little
└── Misbehaviour        two signed statements that exclude each other; carries the evidence
"""


class LedgerError(Exception):
    """Root of the tree: nothing in this package raises anything else on purpose."""


class FormatError(LedgerError):
    """The bytes are not a well-formed value of the format asked for."""


class TinError(FormatError):
    """Not a trader identification number, or one that can be read in two ways.

    `reason` is the verdict's: TIN_MALFORMED or ALIAS_AMBIGUOUS.
    """

    def __init__(self, reason: int, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class CheckError(LedgerError):
    """The value is well-formed, but a root, signature or rule says otherwise."""


class ProofError(CheckError):
    """A Merkle proof does not lead to the root it is checked against."""


class SignatureError(CheckError):
    """A signature, share or seal does not verify, or its signers are too few."""


class AnchorError(CheckError):
    """The chain does not descend from the anchor, or the anchor is too old to rely on."""


class KeyringError(CheckError):
    """The lookup key of an arrangement is missing, or does not open the commitment in its text."""


class ChainError(CheckError):
    """A ledger contradicts itself.

    `place` names the item for people, for example ``header 12`` or ``transaction 7 of height 3``.
    """

    def __init__(self, place: str, message: str) -> None:
        super().__init__(f"{place}: {message}")
        self.place = place


class NotEntered(LedgerError):
    """A transaction that may not enter the log; `code` is from a closed list."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class NotKept(LedgerError):
    """What was known then cannot be said: this ledger began later, with a snapshot."""


class Misbehaviour(LedgerError):
    """Somebody signed two statements that exclude each other; `evidence` proves it to anyone."""

    def __init__(self, message: str, evidence: bytes) -> None:
        super().__init__(message)
        self.evidence = evidence
