"""Filling the ledger: every arrangement agreed by its parties, every certificate published.

Certificates are loaded as MIGRATED, since they were granted before the network began: each states a
validity that began before the earliest date shown and, where certificates end, was renewed to some
day after today. Recorded times are the real ones.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from time import monotonic, sleep
from typing import Final, Protocol

from aeo.exchange.v1 import consent_service_pb2
from aeo.exchange.v1 import publishing_service_pb2 as publishing
from aeo.exchange.v1.arrangement_service_pb2 import Arrangement
from aeo.ledger.v1 import arrangement_pb2
from aeo.ledger.v1 import status_pb2 as status
from ledger.customs.profile import Name, Profile
from service.client import (
    ApprovalClient,
    ArrangementClient,
    Connection,
    ConsentClient,
    Pending,
    ProfileClient,
    PublishingClient,
    taken,
)
from service.demo.figures import Figures
from service.demo.firms import Firm
from service.errors import Failed

# Before the earliest arrangement of the figures, of 2014.
VALID_SINCE: Final = date(2013, 1, 1)
_CHUNK: Final = 1_000
_CALLERS: Final = 8
_PATIENCE_S: Final = 30.0


class Callers(Protocol):
    """Members' people and programs, each calling the node of its own administration."""

    def connection(self, economy: str, access_role: str) -> Connection:
        """How a member's program or person calls its node."""


def agree(
    stage: Callers,
    texts: Mapping[str, arrangement_pb2.ArrangementText],
    days: Mapping[str, Mapping[str, date]],
    done: Callable[[int], None],
) -> dict[str, bytes]:
    """Have each text proposed by its first party and signed by all; their ids by name.

    Under staged starts each party that has named a day, in `days`, then gives notice of it. An
    officer prepares each step and an approver of the same administration approves it.
    """

    def approved(party: str, made: Arrangement | Pending[Arrangement]) -> Arrangement:
        return ApprovalClient(stage.connection(party, "approver")).complete(made)

    def one(text: arrangement_pb2.ArrangementText) -> bytes:
        first = text.parties[0]
        proposer = ArrangementClient(stage.connection(first, "officer"))
        shared = approved(first, proposer.propose(text, text.name))
        for party in text.parties:
            signer = ArrangementClient(stage.connection(party, "officer"))
            approved(party, signer.sign(shared.arrangement_id, shared.text_hash))
        for party, day in days.get(text.name, {}).items():
            starter = ArrangementClient(stage.connection(party, "officer"))
            approved(party, starter.start(shared.arrangement_id, day))
        return shared.arrangement_id

    with ThreadPoolExecutor(_CALLERS) as pool:
        ids: dict[str, bytes] = {}
        for name, made in zip(texts, pool.map(one, texts.values()), strict=True):
            ids[name] = made
            done(len(ids))
    return ids


def publish(
    stage: Callers,
    figures: Figures,
    firms: Mapping[str, Sequence[Firm]],
    texts: Mapping[str, arrangement_pb2.ArrangementText],
    ids: Mapping[str, bytes],
    done: Callable[[int], None],
) -> int:
    """Publish every certificate under the arrangements its firm takes part in; the records."""
    expected: dict[str, int] = {}
    fetched: dict[str, list[Firm]] = {}
    for economy, own in firms.items():
        shared = [name for name, text in texts.items() if economy in text.parties]
        rows = list(_submissions(figures, economy, own, shared, ids))
        _record_consents(
            stage, economy, own, [each for each in shared if texts[each].consent_required], ids
        )
        matched = {
            rule.recognising: [firm for firm in own if name not in firm.declined]
            for name, text in texts.items()
            for rule in text.rules
            if rule.issuing == economy and rule.party_match_required
        }
        _put_profiles(stage, economy, matched)
        if rows:
            expected[economy] = sum(len(row.arrangement_ids) for row in rows)
            _hand_over(stage, economy, rows)
        done(_recorded(stage, expected))
        fetched |= matched
    total = sum(expected.values())
    recorded = 0
    while recorded < total:
        sleep(0.1)
        recorded = _recorded(stage, expected)
        done(recorded)
    for economy, partners in fetched.items():
        _await_profiles(stage, economy, partners)
    return recorded


def _put_profiles(stage: Callers, economy: str, matched: Mapping[str, Sequence[Firm]]) -> None:
    """Profiles of the firms whose names partners compare, before their records commit to them."""
    named = {firm.tin: firm.name for firms in matched.values() for firm in firms}
    profiles = [Profile(tin, (Name(name, "en"),)) for tin, name in named.items()]
    if profiles and ProfileClient(stage.connection(economy, "officer")).put(profiles):
        raise Failed(f"{economy}: a profile was not taken")


def _await_profiles(stage: Callers, economy: str, firms: Sequence[Firm]) -> None:
    """Wait until a member's node has fetched what its partners' records commit to."""
    client = ProfileClient(stage.connection(economy, "officer"))
    deadline = monotonic() + _PATIENCE_S
    for firm in firms:
        while not client.get(firm.tin).HasField("profile"):
            if monotonic() > deadline:
                raise Failed(f"{economy}: the profile of {firm.tin} did not come")
            sleep(0.05)


def _record_consents(
    stage: Callers,
    economy: str,
    firms: Sequence[Firm],
    asking: Sequence[str],
    ids: Mapping[str, bytes],
) -> None:
    """Record whose firms agreed, under each arrangement that asks: else nothing is taken."""
    steps = [
        consent_service_pb2.ConsentStep(tin=firm.tin, arrangement_id=ids[name], given=True)
        for name in asking
        for firm in firms
        if name not in firm.declined
    ]
    officer = ConsentClient(stage.connection(economy, "officer"))
    for start in range(0, len(steps), _CHUNK):
        faults = officer.record(steps[start : start + _CHUNK]).faults
        if faults:
            raise Failed(f"{economy}: {faults[0].code}: {faults[0].message}")


def certificate_count(
    firms: Mapping[str, Sequence[Firm]], texts: Mapping[str, arrangement_pb2.ArrangementText]
) -> int:
    """How many records the certificates come to, one under each arrangement."""
    return sum(
        len(firm.certificates)
        for economy, own in firms.items()
        for firm in own
        for name, text in texts.items()
        if economy in text.parties and name not in firm.declined
    )


def _submissions(
    figures: Figures,
    economy: str,
    firms: Sequence[Firm],
    shared: Sequence[str],
    ids: Mapping[str, bytes],
) -> Iterator[publishing.Submission]:
    valid_from = figures.instant(VALID_SINCE, economy)
    years = figures.validity_years.get(economy)
    today = date.today()  # to the day is enough: the ends are made up
    for number, firm in enumerate(firms):
        own = [ids[name] for name in shared if name not in firm.declined]
        valid_to = 0
        if years:
            ends = date(today.year + 1 + number % years, 1 + number % 12, 1 + number % 28)
            valid_to = figures.instant(ends, economy)
        for certificate in firm.certificates:
            if own:
                yield publishing.Submission(
                    tin=firm.tin,
                    certificate_number=certificate.number,
                    valid_from=valid_from,
                    valid_to=valid_to,
                    effective_from=valid_from,
                    terms=status.StatusTerms(
                        event=status.EVENT_GRANT,
                        status=status.STATUS_CERTIFIED,
                        roles=[
                            status.CertifiedRole(code=code, mode=mode)
                            for code, mode in certificate.roles
                        ],
                        level=certificate.level,
                        operator_class=(
                            status.OPERATOR_CLASS_SMALL
                            if firm.small
                            else status.OPERATOR_CLASS_UNSPECIFIED
                        ),
                        migrated=True,
                    ),
                    arrangement_ids=own,
                )


def _hand_over(stage: Callers, economy: str, rows: Sequence[publishing.Submission]) -> None:
    officer = PublishingClient(stage.connection(economy, "officer"))
    for start in range(0, len(rows), _CHUNK):
        answer = taken(officer.publish(uuid.uuid4().hex, rows[start : start + _CHUNK]))
        faulty = [row for row in answer.rows if row.code]
        if faulty:
            raise Failed(f"{economy}: {faulty[0].code}: {faulty[0].message}")


def _recorded(stage: Callers, economies: Mapping[str, int]) -> int:
    """Records of these members that are in the log by now."""
    recorded = 0
    for economy, expected in economies.items():
        publications = list(PublishingClient(stage.connection(economy, "officer")).list(500))
        refused = sum(each.refused for each in publications)
        if refused:
            raise Failed(f"{economy}: {refused} records were refused")
        recorded += min(expected, sum(each.recorded for each in publications))
    return recorded
