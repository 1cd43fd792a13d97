"""Report steps: what is one, what it names, and what is too small to stand on the ledger."""

from aeo.ledger.v1 import report_pb2 as pb
from ledger.chain.keys import report_key
from ledger.customs.arrangement import arrangement_id
from ledger.customs.report import parse_report, parse_report_step
from ledger.customs.small_cells import small_figure
from ledger.wire import format_strict
from tests.vectors.registry import Case, section

SHARED = arrangement_id(b"n" * 32, "KR", 7)
BEGIN, END = 1_767_225_600_000, 1_775_001_600_000


def _times(declarations: int, operators: int, **fields: object) -> pb.ReleaseTimes:
    measured = pb.MeasuredTimes(
        declarations=declarations, operators=operators, sum=9_000, median=300, percentile_90=900
    )
    given = {
        "stage": pb.RELEASE_STAGE_LODGEMENT_TO_RELEASE,
        "transport_mode": 4,
        "clearance_mode": pb.CLEARANCE_MODE_FREE,
        "group": pb.RELEASE_GROUP_WITHOUT,
        "state": pb.FIGURE_STATE_GIVEN,
        "measured": measured,
    }
    return pb.ReleaseTimes(**(given | fields))


def _share(part: int, whole: int) -> pb.Share:
    return pb.Share(
        code=pb.SHARE_CODE_EXAMINATION,
        group=pb.RELEASE_GROUP_WITHOUT,
        state=pb.FIGURE_STATE_GIVEN,
        given=pb.ShareFigures(numerator=part, denominator=whole),
    )


def _report(**fields: object) -> bytes:
    given = {
        "arrangement_id": SHARED,
        "from": BEGIN,
        "to": END,
        "coverage": pb.COVERAGE_CENSUS,
        "release_times": [_times(30, 6)],
    }
    return format_strict(pb.MonitoringReport(**(given | fields)))


@section(
    "report_step",
    "aeo.ledger.v1.ReportStep: the report or the signature of one, its hash H(aeo/v1/report, report"
    " bytes), the key of its history; small: it is well formed and refused as SMALL_CELL",
)
def report_steps() -> dict[str, list[Case]]:
    withheld = _times(0, 0, state=pb.FIGURE_STATE_WITHHELD, measured=None)
    reports = [
        _report(),
        _report(coverage=pb.COVERAGE_SAMPLE, release_times=[], shares=[_share(0, 12)]),
        _report(
            release_times=[withheld],
            counts=[
                pb.Count(code=pb.COUNT_CODE_LOOK_UPS, state=pb.FIGURE_STATE_GIVEN, count=0),
                pb.Count(
                    code=pb.COUNT_CODE_APPLICATIONS_REFUSED,
                    reason="SOLVENCY",
                    state=pb.FIGURE_STATE_NOT_AVAILABLE,
                ),
            ],
        ),
        _report(release_times=[_times(9, 5)]),
        _report(release_times=[_times(10, 4)]),
        _report(shares=[_share(0, 39)]),
        _report(shares=[_share(30, 39)], release_times=[]),
    ]
    valid: list[Case] = []
    for data in reports:
        read = parse_report(data)
        valid.append(
            {
                "kind": "publish",
                "arrangement_id": SHARED,
                "reporter": "TW",
                "from": BEGIN,
                "to": END,
                "report_hash": read.report_hash,
                "key": report_key(SHARED, "TW", BEGIN, END),
                "small": small_figure(read.message) is not None,
                "bytes": format_strict(pb.ReportStep(publish=data)),
            }
        )
    hashed = valid[0]["report_hash"]
    named = {
        "arrangement_id": SHARED,
        "reporter": "TW",
        "from": BEGIN,
        "to": END,
        "report_hash": hashed,
    }

    def signature(**fields: object) -> bytes:
        return format_strict(pb.ReportStep(co_sign=pb.ReportSignature(**(named | fields))))

    signed = signature()
    parse_report_step(signed)
    valid.append(
        {
            "kind": "co_sign",
            **named,
            "key": report_key(SHARED, "TW", BEGIN, END),
            "small": False,
            "bytes": signed,
        }
    )

    def bad(why: str, **fields: object) -> Case:
        return {"why": why, "bytes": format_strict(pb.ReportStep(publish=_report(**fields)))}

    return {
        "valid": valid,
        "invalid": [
            {"why": "a step that does nothing", "bytes": b""},
            {"why": "two steps", "bytes": valid[0]["bytes"] + signed},
            {"why": "a signature that ends early", "bytes": signed[:-1]},
            {"why": "a report hash of 31 bytes", "bytes": signature(report_hash=hashed[:31])},
            {"why": "an arrangement id of 15 bytes", "bytes": signature(arrangement_id=SHARED[1:])},
            bad("a period that ends as it begins", to=BEGIN),
            bad("neither census nor sample", coverage=pb.COVERAGE_UNSPECIFIED),
            bad("one kind of declarations twice", release_times=[_times(30, 6), _times(30, 6)]),
            bad("a mode of transport beyond 8", release_times=[_times(30, 6, transport_mode=9)]),
            bad("times that are given and none", release_times=[_times(30, 6, measured=None)]),
            bad(
                "times that are withheld and given",
                release_times=[_times(30, 6, state=pb.FIGURE_STATE_WITHHELD)],
            ),
            bad("more operators than declarations", release_times=[_times(30, 31)]),
            bad("a part larger than the whole", shares=[_share(40, 39)]),
            bad("a share of nothing", shares=[_share(0, 0)]),
        ],
    }
