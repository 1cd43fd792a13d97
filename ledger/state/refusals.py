"""Why a transaction does not enter the log, and why a record that entered has no effect.

Closed lists of codes, of two kinds. A code of the first kind belongs to a transaction that leaves
no trace: it may be sent again, mended. A code of the second kind belongs to one record (or one
step) of a transaction that stands in the log and has consumed its number; the record changes
nothing, and its neighbours stand. A record that was executed has `EXECUTED`, the empty string.

Refusals are not stored: whoever executes the log again finds the same ones. Clients act on codes;
the texts are for people. Codes of what a status record may follow stand with that rule, in
`ledger.customs.transition`, those of governance in `ledger.state.governance_refusals`;
`refusal_texts` has the texts of all.

>>> sorted(NOT_ENTERED)[:3]
['AUTHOR_SUSPENDED', 'AUTHOR_UNKNOWN', 'BLOCK_FULL']
"""

from typing import Final

EXECUTED: Final = ""

# Transactions that do not enter the log, in the order of the checks (ledger-format, *Transaction*).
OVERSIZED: Final = "OVERSIZED"
MALFORMED: Final = "MALFORMED"
AUTHOR_UNKNOWN: Final = "AUTHOR_UNKNOWN"
AUTHOR_SUSPENDED: Final = "AUTHOR_SUSPENDED"
KEY_UNKNOWN: Final = "KEY_UNKNOWN"
SEQUENCE_USED: Final = "SEQUENCE_USED"
SEQUENCE_AHEAD: Final = "SEQUENCE_AHEAD"
VERIFIED_HEADER_UNKNOWN: Final = "VERIFIED_HEADER_UNKNOWN"
SIGNATURE_INVALID: Final = "SIGNATURE_INVALID"
BLOCK_FULL: Final = "BLOCK_FULL"

NOT_ENTERED: Final[dict[str, str]] = {
    OVERSIZED: "more bytes than a transaction may have",
    MALFORMED: "not a transaction in its one accepted encoding",
    AUTHOR_UNKNOWN: "the author is not a member",
    AUTHOR_SUSPENDED: "the author is suspended: its key is not trusted",
    KEY_UNKNOWN: "the key is not the author's key in force",
    SEQUENCE_USED: "the author has already used this number",
    SEQUENCE_AHEAD: "numbers of this author before this one are missing",
    VERIFIED_HEADER_UNKNOWN: "the header that the author verified is not on this chain",
    SIGNATURE_INVALID: "the signature is not the author's, or is for another network",
    BLOCK_FULL: "the block has as many transactions or bytes as the parameters allow",
}

# Records and steps that are refused, whatever they are about.
RECORD_MALFORMED: Final = "RECORD_MALFORMED"
ARRANGEMENT_UNKNOWN: Final = "ARRANGEMENT_UNKNOWN"
NOT_A_PARTY: Final = "NOT_A_PARTY"
ARRANGEMENT_NOT_SIGNED: Final = "ARRANGEMENT_NOT_SIGNED"
ARRANGEMENT_HAS_ENDED: Final = "ARRANGEMENT_HAS_ENDED"

# Alias records.
ALIAS_UNCHANGED: Final = "ALIAS_UNCHANGED"

# Arrangement steps.
STEP_MALFORMED: Final = "STEP_MALFORMED"
PARTY_UNKNOWN: Final = "PARTY_UNKNOWN"
TEXT_DIFFERS: Final = "TEXT_DIFFERS"
ALREADY_SIGNED: Final = "ALREADY_SIGNED"
ALREADY_SUSPENDED: Final = "ALREADY_SUSPENDED"
NOT_SUSPENDED: Final = "NOT_SUSPENDED"
NOTICE_TOO_SHORT: Final = "NOTICE_TOO_SHORT"
AMENDMENT_UNCHANGED: Final = "AMENDMENT_UNCHANGED"
AMENDMENT_KEY_DIFFERS: Final = "AMENDMENT_KEY_DIFFERS"
MEMBER_LEFT_OUT: Final = "MEMBER_LEFT_OUT"
START_NOT_STAGED: Final = "START_NOT_STAGED"
START_INCOMPLETE: Final = "START_INCOMPLETE"
START_HAS_BEGUN: Final = "START_HAS_BEGUN"
EPOCH_PENDING: Final = "EPOCH_PENDING"
EPOCH_WRONG: Final = "EPOCH_WRONG"
ALREADY_REPUBLISHED: Final = "ALREADY_REPUBLISHED"

# Report steps.
REPORT_MALFORMED: Final = "REPORT_MALFORMED"
SMALL_CELL: Final = "SMALL_CELL"
PERIOD_NOT_OVER: Final = "PERIOD_NOT_OVER"
PERIODS_OVERLAP: Final = "PERIODS_OVERLAP"
REPORT_UNCHANGED: Final = "REPORT_UNCHANGED"
REPORT_UNKNOWN: Final = "REPORT_UNKNOWN"
REPORT_OWN: Final = "REPORT_OWN"
REPORT_DIFFERS: Final = "REPORT_DIFFERS"

STEP_REFUSALS: Final[dict[str, str]] = {
    RECORD_MALFORMED: "not a record in its one accepted encoding",
    ARRANGEMENT_UNKNOWN: "no arrangement of that id was proposed",
    NOT_A_PARTY: "the author is not a party of the arrangement",
    ARRANGEMENT_NOT_SIGNED: "not every party has signed the arrangement",
    ARRANGEMENT_HAS_ENDED: "the arrangement has ended, or its end is on the ledger",
    ALIAS_UNCHANGED: "the ledger already says so",
    STEP_MALFORMED: "not a step, or text, in its one accepted form",
    PARTY_UNKNOWN: "a party of the text is not a member",
    TEXT_DIFFERS: "what was signed is not the text of the proposal",
    ALREADY_SIGNED: "the party has signed before",
    ALREADY_SUSPENDED: "the party has suspended the arrangement and not resumed it",
    NOT_SUSPENDED: "the party has not suspended the arrangement",
    NOTICE_TOO_SHORT: "the end comes sooner than the notice of the text allows",
    AMENDMENT_UNCHANGED: "the text in force, or the amendment that waits, already says so",
    AMENDMENT_KEY_DIFFERS: "an amended text keeps the lookup key commitment of the first",
    MEMBER_LEFT_OUT: "only a party that is no member any more can be left out",
    START_NOT_STAGED: "the text has no staged starts",
    START_INCOMPLETE: "a notice names a day for each party of the text, and for nobody else",
    START_HAS_BEGUN: "the day that the party has named has begun",
    EPOCH_PENDING: "an epoch of the lookup key is waiting to take over",
    EPOCH_WRONG: "not the number of the next epoch, or of the one that waits",
    ALREADY_REPUBLISHED: "the party has said so before",
    REPORT_MALFORMED: "not a report, or a signature of one, in its one accepted form",
    SMALL_CELL: "the report tells of too few operators or declarations",
    PERIOD_NOT_OVER: "the period of the report is not over",
    PERIODS_OVERLAP: "the party has reported on a part of the period",
    REPORT_UNCHANGED: "the ledger has this very report",
    REPORT_UNKNOWN: "no report of that party and period is on the ledger",
    REPORT_OWN: "the reporter stands by its own report already",
    REPORT_DIFFERS: "what was signed is not the newest report of the period",
}
