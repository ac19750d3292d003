"""Asks a metrics service for every number of the worked example, and says what is different."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rapport_metrics.domain.catalogue import CATALOGUE
from rapport_metrics.domain.instants import moment

from tests.support.kpi_example import Window, windows

Ask = Callable[[str, Mapping[str, str]], Awaitable[Sequence[Mapping[str, Any]]]]
"""Answers the series of a KPI for a query string."""

_DIMENSIONS: Final = {"subject": "about"}
_CHURN: Final = ("ccr", "crr", "crr_classic")


async def differences(ask: Ask, kpis: Mapping[str, Any]) -> list[str]:
    """Everything in `kpis.json` that the service says otherwise; empty when all is exact."""
    spans = {window.name: window for window in windows(kpis)}
    asking = _Asking(ask, _text(spans["all"].end))
    for name, by_kpi in kpis["windows"].items():
        for kpi, wanted in by_kpi.items():
            await asking.compare(kpi, spans[name], wanted)
    for dim, values in kpis["by"].items():
        await asking.compare_groups(_DIMENSIONS.get(dim, dim), spans["all"], values)
    await asking.compare_mix(spans["all"], kpis["channel_mix"])
    await _compare_persons(asking, spans, kpis["persons"])
    return asking.wrong


async def _compare_persons(
    asking: "_Asking", spans: Mapping[str, Window], wanted: Mapping[str, Any]
) -> None:
    for name, by_kpi in wanted["windows"].items():
        for kpi, numbers in by_kpi.items():
            await asking.compare(kpi, spans[name], numbers)
    churn = [(name, *item) for name, by in wanted["churn"].items() for item in by.items()]
    for name, days, numbers in churn:
        for kpi in _CHURN:
            await asking.compare(kpi, spans[name], numbers[kpi], window_days=days[1:])
    for name, stages in wanted["lifecycle"].items():
        await asking.compare_counts("lifecycle", "stage", spans.get(name, spans["all"]), stages)
    await asking.compare_counts("rfm", "rfm", spans["all"], wanted["rfm"])
    await asking.compare("clv_historic", spans["all"], wanted["clv"]["historic_mean"])


class _Asking:
    def __init__(self, ask: Ask, as_of: str) -> None:
        self._ask, self._as_of = ask, as_of
        self.wrong: list[str] = []

    async def compare(self, kpi: str, window: Window, wanted: Any, **more: str) -> None:  # noqa: ANN401 - as in the file
        [point] = await self._series(kpi, window, **more)
        self._note(kpi, window.name, _published(kpi, point, wanted), wanted)

    async def compare_groups(
        self, dim: str, window: Window, values: Mapping[str, Mapping[str, Any]]
    ) -> None:
        for kpi in {kpi for by_kpi in values.values() for kpi in by_kpi}:
            series = await self._series(kpi, window, group_by=dim)
            points = {point["dims"][dim]: point for point in series}
            for value, by_kpi in values.items():
                if value in points or _counted(by_kpi[kpi]):
                    found = _published(kpi, points[value], by_kpi[kpi])
                    self._note(kpi, f"{dim}={value}", found, by_kpi[kpi])

    async def compare_counts(
        self, kpi: str, dim: str, window: Window, wanted: Mapping[str, int]
    ) -> None:
        series = await self._series(kpi, window)
        found = {point["dims"][dim]: point["num"] for point in series}
        self._note(kpi, window.name, found, wanted)

    async def compare_mix(self, window: Window, wanted: Mapping[str, Mapping[str, Any]]) -> None:
        series = await self._series("channel_mix", window, group_by="channel")
        found = {
            point["dims"]["channel"]: {name: point[name] for name in ("num", "den", "value")}
            for point in series
        }
        self._note("channel_mix", window.name, found, wanted)

    async def _series(self, kpi: str, window: Window, **more: str) -> Sequence[Mapping[str, Any]]:
        span = {"from": _text(window.start), "to": _text(window.end), "as_of": self._as_of}
        return await self._ask(kpi, {**span, **more})

    def _note(self, kpi: str, where: str, found: object, wanted: object) -> None:
        if found != wanted:
            self.wrong.append(f"{kpi} {where}: {found}, not {wanted}")


def _published(kpi: str, point: Mapping[str, Any], wanted: Any) -> Any:  # noqa: ANN401 - as in the file
    """A point of our series as the file writes it; only the parts that the file has."""
    if isinstance(wanted, int):
        return point["value"]
    found = {name: point[name] for name in ("num", "den", "value", "pending")}
    if "count" in wanted:
        found = {"count": point["den"], "sum": point["num"]}
        if CATALOGUE[kpi].shape == "distribution":
            found["mean"] = point["value"]
            found |= {f"{name}_hist": p for name, p in point["percentiles"].items()}
            # Those without a histogram are of another kind of counting.
            found |= {name: wanted[name] for name in ("p50", "p90", "p99")}
    return {name: value for name, value in found.items() if name in wanted}


def _counted(wanted: Mapping[str, Any]) -> bool:
    return bool(wanted.get("den") or wanted.get("count") or wanted.get("pending"))


def _text(at: int) -> str:
    instant: datetime = moment(at)
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
