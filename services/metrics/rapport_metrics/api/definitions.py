"""Which definition of a KPI is meant: the one in force, or another version beside it."""

from difflib import get_close_matches
from typing import Final, NamedTuple

from rapport_runtime.http.problems import ApiError, FieldError

from rapport_metrics.domain.catalogue import Kpi
from rapport_metrics.domain.own import Options
from rapport_metrics.settings import MetricsSettings

_RECOUNTED: Final = frozenset({"ratio", "total", "distribution"})


class UnknownDefinitionError(ApiError):
    """There is no such version of the KPI."""

    status_code = 422

    def __init__(self, field: str, given: str, known: list[str]) -> None:
        close = get_close_matches(given, known, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        reason = f"no such definition; {hint}there is {', '.join(known)}"
        super().__init__(
            f"{field}: {reason}",
            errors=[FieldError(f"/{field}", reason, "unknown_definition", "query")],
        )


class Defined(NamedTuple):
    """A KPI as one version defines it. `is_recounted`: totals are not kept by it."""

    kpi: Kpi
    options: Options
    is_recounted: bool


def definitions_of(kpi: Kpi, settings: MetricsSettings) -> list[str]:
    """All versions of the KPI, the one in force first."""
    own = kpi.id + ".v"
    others = [name for name in settings.kpi.definitions if name.startswith(own)]
    return [kpi.definition, *sorted(others if kpi.shape in _RECOUNTED else [])]


def defined(
    kpi: Kpi, name: str | None, settings: MetricsSettings, field: str = "definition"
) -> Defined:
    """Raises UnknownDefinitionError; `field` is where the caller named it."""
    if name is None or name == kpi.definition:
        return Defined(kpi, settings.options(), is_recounted=False)
    known = definitions_of(kpi, settings)
    if name not in known:
        raise UnknownDefinitionError(field, name, known)
    version = int(name.removeprefix(kpi.id + ".v"))
    return Defined(kpi._replace(version=version), settings.options_of(name), is_recounted=True)
