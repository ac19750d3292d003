"""`rapport rebuild` and `rapport verify`: projections built again from the log, or compared."""

from pathlib import Path
from typing import Annotated, Any

import typer

from rapport_cli.failure import CliError
from rapport_cli.output import AsJson, say, show, show_json
from rapport_cli.stack.command import Line, Running
from rapport_cli.stackfile import DEFAULT_STACK_FILE, StackFile

_Name = Annotated[str, typer.Argument(help="Whose projection: profile or metrics.")]

_DIFFERENT = 1
_SAYS = {
    "building": "Building version {build} beside the live one.",
    "resuming": "Carrying on with version {build}.",
    "applying": "{applied:,} of {of:,} events.",
    "sampled": "Folding {customers:,} customers from the log.",
    "comparing": "Comparing each customer.",
    "compared": "{differing:,} differences.",
    "waiting": "Trying again to change places: {reason}.",
}


class NotRebuiltError(CliError):
    code = "RPT-R001"

    def __init__(self, what: str, detail: str) -> None:
        super().__init__(
            f"`{what}` was not done: {detail}.",
            "The live version is as it was; what was built is carried on by the next try.",
        )


def rebuild(
    service: _Name,
    stack: StackFile = DEFAULT_STACK_FILE,
    *,
    promote: Annotated[
        bool, typer.Option(help="Make it the live version when it is equal.")
    ] = True,
    force_promote: Annotated[
        bool, typer.Option("--force-promote", help="Also when it differs.")
    ] = False,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Make the previous version live again.")
    ] = False,
    status: Annotated[bool, typer.Option("--status", help="List the rebuilds.")] = False,
    definition: Annotated[
        list[str] | None,
        typer.Option(help="Keep totals by this version, too: fcr.v2. Of metrics; may be repeated."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Build a projection again from the log, beside the live one, and let it take its place.

    Example: rapport rebuild profile

    Example: rapport rebuild profile --no-promote --json

    Example: rapport rebuild metrics --definition fcr.v2
    """
    chosen = [
        option
        for option, wanted in (
            ("--status", status),
            ("--rollback", rollback),
            ("--force-promote", force_promote),
            ("--no-promote", not promote),
        )
        if wanted
    ]
    if len(chosen) > 1:
        raise typer.BadParameter(f"{' and '.join(chosen)} exclude each other")
    if definition and (service != "metrics" or status or rollback):
        raise typer.BadParameter("--definition is for building the metrics again")
    kept = [word for name in definition or () for word in ("--definition", name)]
    report = _run(stack, service, ["rebuild", *chosen, *kept])
    if status:
        show(
            report["builds"],
            ("id", "status", "started_at", "updated_at", "finished_at"),
            as_json=as_json,
        )
        return
    if not as_json:
        say(f"Version {report['build']} is {report['status'].replace('_', ' ')}.")
    _show(report, as_json=as_json)


def verify(
    service: _Name,
    stack: StackFile = DEFAULT_STACK_FILE,
    sample: Annotated[
        int | None, typer.Option(min=1, help="How many customers: 1,000 of profile.")
    ] = None,
    *,
    everybody: Annotated[bool, typer.Option("--all", help="All that there is.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare what a service shows with what the log says.

    Example: rapport verify profile

    Example: rapport verify profile --all --json

    Example: rapport verify metrics
    """
    if service == "metrics" and sample is not None:
        raise typer.BadParameter("--sample: a total is of everybody, so metrics are verified whole")
    words = ["--all"] if everybody else [] if sample is None else ["--sample", str(sample)]
    report = _run(stack, service, ["verify", *words])
    if not as_json:
        part, count = next(iter(report["compared"].items()))
        what = "customers" if part == "state" else f"{part}s"
        say(f"{count:,} {what} compared, {report['differing']:,} differ.")
    _show(report, as_json=as_json)


def _run(stack: Path, service: str, words: list[str]) -> dict[str, Any]:
    """Tells the steps as they come; the report. Raises NotRebuiltError."""
    running, last = Running(stack, service, words), Line(step="")
    for last in running:
        if (sentence := _SAYS.get(last["step"])) is not None:
            say(sentence.format_map(last))
    if last["step"] != "done":
        detail = last.get("detail") or f"it ended with status {running.status}"
        raise NotRebuiltError(" ".join(words), detail)
    return last


def _show(report: dict[str, Any], *, as_json: bool) -> None:
    """The differences; unless they are meant, they make the exit status 1."""
    differences = report.get("differences", [])
    if as_json:
        show_json(report)
    elif differences:
        show(differences, ("subject", "part", "live_rows", "other_rows"), as_json=False)
    if report.get("differing") and report.get("status") != "promoted":
        raise typer.Exit(_DIFFERENT)
