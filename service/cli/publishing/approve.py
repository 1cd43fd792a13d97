"""`aeo approve`, `aeo reject`, `aeo approvals`: the second of the four eyes."""

from typing import Annotated, Any, TypeAlias

import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Group
from rich.text import Text

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from aeo.exchange.v1.arrangement_service_pb2 import Arrangement
from aeo.exchange.v1.membership_service_pb2 import Member, MemberProposal
from aeo.exchange.v1.reporting_service_pb2 import PublishedReport
from service.cli import exits
from service.cli.arranging.show import describe as describe_arrangement
from service.cli.civil import format_instant
from service.cli.commands import JsonOption, examples, group
from service.cli.governing.member_text import describe_member, describe_proposal
from service.cli.output import facts, plain, show, table
from service.cli.profile import Profile, calls_node
from service.cli.publishing.pending import describe_step, step_rows
from service.cli.publishing.publication import describe as describe_publication
from service.cli.publishing.publication import follow
from service.client import ApprovalClient, PublishingClient

app = group("See what waits for a second person.")

StepArgument: TypeAlias = Annotated[str, typer.Argument(help="The step's id.")]


def register(root: typer.Typer) -> None:
    """Add the commands to the root."""
    root.command(
        epilog=examples(
            "aeo approve 5f0c2d4e9a1b7c33 --profile clients/HK/approver.toml",
            "aeo approve 5f0c2d4e9a1b7c33 --json",
        )
    )(approve)
    root.command(epilog=examples("aeo reject 5f0c2d4e9a1b7c33 --reason 'the holder has appealed'"))(
        reject
    )
    root.add_typer(app, name="approvals")


@calls_node
def approve(
    step: StepArgument,
    *,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait until the ledger has every record.")
    ] = True,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Take a step that somebody else prepared. Takes an approver, never who prepared it."""
    with profile.connect() as connection:
        taken = ApprovalClient(connection).approve(step)
        result = describe_step(taken.step) | _outcome(taken.response)
        if wait and result.get("publication_id") and result.get("prepared"):
            client = PublishingClient(connection)
            result |= describe_publication(follow(client, result["publication_id"]))
    rows = [*step_rows(taken.step)[:3], *_rows(result)]
    show(result, lambda: facts(rows), as_json=json)
    if result.get("refused") or any(row["code"] for row in result.get("rows", ())):
        raise typer.Exit(exits.NO)


@calls_node
def reject(
    step: StepArgument,
    *,
    reason: Annotated[
        str, typer.Option(help="Why, without digits: it is kept, a trader's number must not be.")
    ] = "",
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """End a step that waits: as an approver any, as an officer what you prepared."""
    with profile.connect() as connection:
        ended = ApprovalClient(connection).reject(step, reason)
    rows = [("rejected", ended.step_id), ("method", ended.method)]
    show(describe_step(ended), lambda: facts(rows), as_json=json)


@app.command("list", epilog=examples("aeo approvals list --profile clients/HK/approver.toml"))
@calls_node
def list_(*, json: JsonOption = False, profile: Profile) -> None:
    """List what waits for a second person, oldest first."""
    with profile.connect() as connection:
        steps = ApprovalClient(connection).list()
    rows = [
        (each.step_id, each.prepared_by, format_instant(each.expires_at), each.summary)
        for each in steps
    ]
    show(
        [describe_step(each) for each in steps],
        lambda: table("step", "prepared by", "expires", "what", rows=rows),
        as_json=json,
    )


@app.command("get", epilog=examples("aeo approvals get 5f0c2d4e9a1b7c33 --json"))
@calls_node
def get(step: StepArgument, *, json: JsonOption = False, profile: Profile) -> None:
    """Show all that a step asks for, as its request has it."""
    with profile.connect() as connection:
        found, request = ApprovalClient(connection).get(step)
    asked = MessageToDict(request, preserving_proto_field_name=True)
    show(
        describe_step(found) | {"request": asked},
        lambda: Group(facts(step_rows(found)), Text(plain(f"\n{request}"))),
        as_json=json,
    )


def _outcome(response: Message) -> dict[str, Any]:
    """What a step came to, by the response of its method."""
    if isinstance(response, publishing.PublishResponse):
        return {
            "publication_id": response.publication_id,
            "prepared": response.prepared,
            "rows": [{"code": row.code, "message": row.message} for row in response.rows],
        }
    fields = {each.name: value for each, value in response.ListFields()}
    if isinstance(found := fields.get("arrangement"), Arrangement):
        return {"arrangement": describe_arrangement(found)}
    if isinstance(found := fields.get("proposal"), MemberProposal):
        return {"proposal": describe_proposal(found)}
    if isinstance(found := fields.get("member"), Member):
        return {"member": describe_member(found)}
    if isinstance(found := fields.get("report"), PublishedReport):
        return {"report_hash": found.report_hash.hex(), "signed_by": list(found.signed_by)}
    if "erasure_id" in fields:
        return {"erasure_id": fields["erasure_id"]}
    return {"response": MessageToDict(response, preserving_proto_field_name=True)}


def _rows(result: dict[str, Any]) -> list[tuple[str, str]]:
    rows = []
    if "publication_id" in result:
        rows.append(("publication", result["publication_id"]))
        refused = [row for row in result["rows"] if row["code"]]
        rows += [("not taken", f"{row['message']} ({row['code']})") for row in refused]
        if "state" in result:
            rows.append(("recorded", f"{result['recorded']} at height {result['height']}"))
            rows.append(("finality", result["finality"]))
            rows += [
                (f"refused under {each['arrangement_id']}", each["message"])
                for each in result["refused"]
            ]
    if "report_hash" in result:
        rows.append(("report", result["report_hash"]))
        rows.append(("signed by", ", ".join(result["signed_by"])))
    if "arrangement" in result:
        state = result["arrangement"]["state"].replace("_", " ").lower()
        rows += [("arrangement", result["arrangement"]["name"]), ("state", state)]
        rows.append(("amendment", _amendment(result["arrangement"])))
    if "proposal" in result:
        rows += _proposal_rows(result["proposal"])
    if "member" in result:
        member = result["member"]
        rows += [("member", member["economy"]), ("key in force", member["key_id"])]
    if "erasure_id" in result:
        rows.append(("erasure", f"{result['erasure_id']}: see aeo profile erasures"))
    return rows


def _amendment(arrangement: dict[str, Any]) -> str:
    """Who has yet to sign a text that waits."""
    if arrangement["amendment"] is None:
        return ""
    signed = set(arrangement["amendment_signatures"])
    parties = {*arrangement["parties"], *arrangement["amendment"]["parties"]}
    return f"waits for the signatures of {', '.join(sorted(parties - signed))}"


def _proposal_rows(proposal: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("proposal", proposal["proposal_id"]),
        ("change", proposal["change"]),
        ("state", proposal["state"].lower()),
        ("for", ", ".join(proposal["in_favour"])),
        ("against", ", ".join(proposal["against"])),
    ]
