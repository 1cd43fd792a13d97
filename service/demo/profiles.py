"""Who is meant: names and addresses, which never reach the ledger, and how they are forgotten.

Two firms of Hong Kong are certified with their profiles. New Zealand's node fetches these, opens
what the records commit to, and tells declared names and addresses apart; a declaration without a
number is answered by name. Then one profile is erased, at home and by the partner, who acknowledges
it, and the status goes on.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from time import monotonic, sleep
from typing import Final

from rich.console import Console

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from aeo.exchange.v1.verdict_pb2 import NameMatch
from aeo.ledger.v1 import status_pb2 as status
from ledger.customs.profile import Address, Name, Profile
from service.client import (
    ApprovalClient,
    NameAndAddress,
    ProfileClient,
    PublishingClient,
    Question,
    StatusClient,
    Verdict,
    taken,
)
from service.demo.firms import Firm
from service.demo.questions import SEA, certified
from service.demo.stage import Stage
from service.demo.telling import Unexpected, show_table, styled

PATIENCE_S: Final = 10.0
_ARRANGEMENT: Final = "HK-NZ"


def show_profiles(
    stage: Stage,
    console: Console,
    firms: Mapping[str, Sequence[Firm]],
    ids: Mapping[str, bytes],
) -> None:
    """Match, search and erase; raises `Unexpected` where something goes otherwise."""
    level = certified(firms["HK"], "EX", _ARRANGEMENT).certificates[0].level
    pearl, star = _profiles(firms["HK"])
    hk, nz = (ProfileClient(stage.connection(economy, "officer")) for economy in ("HK", "NZ"))
    if hk.put([pearl, star]):
        raise Unexpected("a profile was not taken")
    _publish(stage, [pearl, star], level, ids[_ARRANGEMENT])
    _until(lambda: all(nz.get(each.tin).HasField("profile") for each in (pearl, star)))

    engine = StatusClient(stage.connection("NZ", "risk-engine"))

    def ask(name: str, address: str = "", *, search: bool = False) -> Verdict:
        named = {"party": NameAndAddress(name, address)} if search else {"tin": pearl.tin}
        declared = {} if search else {"declared_name": name, "declared_address": address}
        return engine.ask(Question(function="EX", mode=SEA, **named, **declared))  # type: ignore[arg-type]

    house = pearl.addresses[0].text
    rows = []
    for shows, verdict, match, tin in (
        ("as on file", ask("PEARL ORIENT TRADING LIMITED", house), "EXACT", pearl.tin),
        ("in Chinese, simplified", ask("东方明珠贸易有限公司"), "EXACT", pearl.tin),
        ("a letter short", ask("Pearl Orient Tradng"), "CLOSE", pearl.tin),
        ("a sister company", ask("Pearl Orient Holdings Ltd"), "DIFFERENT", pearl.tin),
        ("another house", ask("Pearl Orient Trading Ltd", "9 Canton Rd"), "DIFFERENT", pearl.tin),
        ("no number: by name", ask("Pearl Orient Trading", search=True), "CLOSE", pearl.tin),
        ("no number: nobody", ask("Nobody At All Ltd", search=True), "NOT_CHECKED", ""),
    ):
        found = NameMatch.Name(verdict.message.name_match).removeprefix("NAME_MATCH_")
        if (found, verdict.tin) != (match, tin):
            raise Unexpected(f"{shows}: {found} {verdict.tin}, not {match} {tin}")
        rows.append((shows, found, verdict.tin, styled(verdict)))
    title = "Names and addresses, compared with profiles that partners exchanged"
    show_table(console, title, ("declared", "match", "TIN", "verdict"), rows)

    approver = ApprovalClient(stage.connection("HK", "approver"))
    erasure = approver.complete(hk.erase(pearl.tin))
    _until(lambda: _acknowledged(hk, erasure))
    gone = not any(each.get(pearl.tin).HasField("profile") for each in (hk, nz))
    unknown = ask("Pearl Orient Trading", search=True)
    after = engine.lookup(pearl.tin, function="EX", direction="IMPORT", mode=SEA)
    if not gone or unknown.reason != "ALIAS_UNKNOWN" or after.status != "CERTIFIED":
        raise Unexpected("an erased profile is still there, or took the status with it")
    console.print(
        f"Erased: the profile of {pearl.tin}, in Hong Kong and in New Zealand, which acknowledged"
        f" it.\nIts status is still {after.status}; a rule that compares names says "
        f"{styled(after)}",
        highlight=False,
    )


def _profiles(firms: Sequence[Firm]) -> tuple[Profile, Profile]:
    """Two firms more, with numbers that no other has."""
    taken_already = {firm.tin for firm in firms}
    digits = len(firms[0].tin) - 2
    free = (f"HK{n:0{digits}d}" for n in range(10**digits - 1, 0, -1))
    first, second = islice((tin for tin in free if tin not in taken_already), 2)
    pearl = Profile(
        first,
        (Name("Pearl Orient Trading Ltd", "en"), Name("東方明珠貿易有限公司", "zh-Hant")),
        (Address("7 Canton Road, Kowloon", "en", "HK"),),
    )
    star = Profile(second, (Name("Orient Star Freight Ltd", "en"),))
    return pearl, star


def _publish(stage: Stage, profiles: Sequence[Profile], level: str, arrangement: bytes) -> None:
    terms = status.StatusTerms(
        event=status.EVENT_GRANT,
        status=status.STATUS_CERTIFIED,
        roles=[status.CertifiedRole(code="EX")],
        level=level,
    )
    rows = [
        publishing.Submission(
            tin=each.tin,
            certificate_number="DEMO-PROFILE",
            valid_from=1_704_067_200_000,
            terms=terms,
            arrangement_ids=[arrangement],
        )
        for each in profiles
    ]
    client = PublishingClient(stage.connection("HK", "officer"))
    answer = taken(client.publish(str(uuid.uuid4()), rows))
    if any(row.code for row in answer.rows):
        raise Unexpected(f"not published: {answer.rows[0].code} {answer.rows[0].message}")


def _acknowledged(client: ProfileClient, erasure_id: str) -> bool:
    (erasure,) = (each for each in client.erasures() if each.erasure_id == erasure_id)
    return all(notice.acknowledged_at for notice in erasure.notices)


def _until(true: Callable[[], bool]) -> None:
    deadline = monotonic() + PATIENCE_S
    while not true():
        if monotonic() > deadline:
            raise Unexpected("a partner's node did not fetch, or erase, a profile in time")
        sleep(0.02)
