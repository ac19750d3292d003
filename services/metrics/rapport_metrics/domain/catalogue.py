"""Every KPI by its id: what it adds up, what it divides by, and where its definition comes from.

The ids are those that the world uses (kpis.md, section 2). A definition has a version: when its
meaning changes, the next version is counted beside it, over all history.
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from rapport_metrics.domain.instants import DAY

Shape = Literal["ratio", "total", "distribution", "level", "mix", "persons"]
"""What kind of number it is.

`ratio`: numerator by denominator. `total`: a sum. `distribution`: sum, mean and percentiles.
`level`: how many there are at the end of a window. `mix`: each group's share of all groups.
`persons`: counted over persons, not facts.
"""

Column = Literal["num", "den"]

SERVICE: Final = ("channel", "team", "agent", "topic", "priority", "about")
SURVEY: Final = ("channel", "team", "agent", "about", "segment")
CALL: Final = ("channel", "team", "agent", "topic")
CONTACT: Final = ("channel", "team", "agent", "topic")
MONEY: Final = ("channel", "currency")
LOOP: Final = ("agent",)
NONE: Final[tuple[str, ...]] = ()

_SHARES_OF_PERSONS: Final = {
    "repeat_purchase_rate", "returning_customer_rate", "ccr", "crr", "ccr_contractual",
    "crr_contractual", "ccr_contractual_stripe",
}  # fmt: skip


class Term(NamedTuple):
    """A column of a metric's facts, added or subtracted."""

    metric: str
    column: Column = "num"
    sign: int = 1


class Kpi(NamedTuple):
    """One KPI. `scale`: 100 for a percentage. `lookahead`: microseconds after which it is final."""

    id: str
    name: str
    unit: str
    shape: Shape
    num: tuple[Term, ...]
    den: tuple[Term, ...]
    dims: tuple[str, ...]
    source: str
    scale: int = 100
    lookahead: int = 0
    version: int = 1
    beside: frozenset[str] = frozenset()
    """Metrics that say how far it may be off: promoters and detractors."""

    @property
    def definition(self) -> str:
        return f"{self.id}.v{self.version}"

    @property
    def metrics(self) -> frozenset[str]:
        """The metrics whose facts it needs."""
        return frozenset(term.metric for term in (*self.num, *self.den))

    @property
    def is_share(self) -> bool:
        """Whether each unit counts as 0 or 1."""
        if self.shape == "persons":
            return self.id in _SHARES_OF_PERSONS
        same = [term.metric for term in self.num] == [term.metric for term in self.den]
        return self.unit == "percent" and same


def _share(
    id_: str, name: str, metric: str, dims: tuple[str, ...], source: str, lookahead: int = 0
) -> Kpi:
    """A percentage of the facts of one metric."""
    num, den = (Term(metric),), (Term(metric, "den"),)
    return Kpi(id_, name, "percent", "ratio", num, den, dims, source, lookahead=lookahead)


def _score(id_: str, name: str) -> Kpi:
    """A net promoter score."""
    beside = frozenset({f"{id_}_promoters", f"{id_}_detractors"})
    return _share(id_, name, id_, SURVEY, "2.1")._replace(unit="points", beside=beside)


def _mean(id_: str, name: str, unit: str, metric: str, dims: tuple[str, ...], source: str) -> Kpi:
    return Kpi(
        id_, name, unit, "ratio", (Term(metric),), (Term(metric, "den"),), dims, source, scale=1
    )


def _spread(id_: str, name: str, metric: str, dims: tuple[str, ...], source: str) -> Kpi:
    """A distribution of durations in seconds."""
    num, den = (Term(metric),), (Term(metric, "den"),)
    return Kpi(id_, name, "seconds", "distribution", num, den, dims, source, scale=1)


def _total(id_: str, name: str, unit: str, metric: str, dims: tuple[str, ...], source: str) -> Kpi:
    num, den = (Term(metric),), (Term(metric, "den"),)
    return Kpi(id_, name, unit, "total", num, den, dims, source, scale=1)


def _persons(id_: str, name: str, unit: str, source: str, scale: int = 100) -> Kpi:
    return Kpi(id_, name, unit, "persons", (), (), NONE, source, scale=scale)


_KPIS: Final = (
    _score("nps", "Net promoter score"),
    _share("nps_promoters", "Promoters", "nps_promoters", SURVEY, "2.1"),
    _share("nps_detractors", "Detractors", "nps_detractors", SURVEY, "2.1"),
    _score("nps_transactional", "NPS after a contact"),
    _share("csat", "Customer satisfaction", "csat", SURVEY, "2.2"),
    _share("csat_product", "Satisfaction with the product", "csat_product", SURVEY, "2.2"),
    _share("csat_service", "Satisfaction with the service", "csat_service", SURVEY, "2.2"),
    _mean("csat_mean", "Mean satisfaction", "score", "csat_mean", SURVEY, "2.2"),
    _share("ces", "Customer effort: made easy", "ces", SURVEY, "2.3"),
    _mean("ces_mean", "Mean effort score", "score", "ces_mean", SURVEY, "2.3"),
    *(
        _share(
            f"response_rate_{kind}",
            f"Surveys answered: {kind.upper()}",
            f"response_rate_{kind}",
            SURVEY,
            "2.4",
            14 * DAY,
        )
        for kind in ("nps", "csat", "ces")
    ),
    _spread("loop_time", "Follow-ups of feedback: time to close", "loop_time", LOOP, "feedback"),
    _share("loop_informed", "Follow-ups: the customer was told", "loop_informed", LOOP, "feedback"),
    _share("loop_in_time", "Follow-ups closed in time", "loop_in_time", LOOP, "feedback"),
    _mean("aht", "Average handle time", "seconds", "aht", CALL, "2.5"),
    _mean("aht_leg", "Average handle time of an agent", "seconds", "aht_leg", CALL, "2.5"),
    _spread("handle_time", "Handle time of a call", "aht", CALL, "2.5"),
    _mean("outbound_aht", "Handle time, outbound", "seconds", "outbound_aht", CALL, "2.5"),
    _spread("frt", "First reply time", "frt", SERVICE, "2.7"),
    _spread("ttr_first", "Time to first resolution", "ttr_first", SERVICE, "2.8"),
    _spread("ttr_full", "Time to full resolution", "ttr_full", SERVICE, "2.8"),
    _share("reopen_rate", "Reopened tickets", "reopen_rate", SERVICE, "2.9", 14 * DAY),
    _share("one_touch", "Solved with one reply", "one_touch", SERVICE, "2.9"),
    Kpi(
        "backlog_end", "Open tickets", "count", "level", (Term("backlog"),), (), SERVICE, "2.9",
        scale=1,
    ),
    _share("sla_frt", "First replies in time", "sla_frt", SERVICE, "2.10"),
    _share("sla_res", "Resolutions in time", "sla_res", SERVICE, "2.10"),
    _share("sla_next", "Further replies in time", "sla_next", SERVICE, "2.10"),
    _share("abandonment", "Calls given up", "abandonment", CALL, "2.11"),
    _share("service_level", "Calls answered in time", "service_level", CALL, "2.11"),
    _mean("asa", "Average speed of answer", "seconds", "asa", CALL, "2.11"),
    _share("transfer_rate", "Calls passed on", "transfer_rate", CALL, "2.11"),
    _total("contacts", "Contacts", "count", "contacts", CONTACT, "2.12"),
    Kpi(
        "channel_mix", "Contacts by channel", "percent", "mix", (Term("contacts", "den"),),
        (Term("contacts", "den"),), CONTACT, "2.12",
    ),
    Kpi(
        "contact_rate_orders", "Contacts per 100 orders", "percent", "ratio",
        (Term("contacts", "den"),), (Term("revenue_gross", "den"),), ("channel",), "2.12",
    ),
    _persons("contact_rate_customers", "Contacts per 100 active customers", "percent", "2.12"),
    _share("fcr", "First contact resolution", "fcr", CONTACT, "2.12", 7 * DAY),
    _share("fcr_survey", "Solved, as customers say", "fcr_survey", SURVEY, "2.12"),
    _share("fcr_net", "FCR of what can be solved", "fcr_net", CONTACT, "2.12", 7 * DAY),
    _share("self_service", "Helped themselves", "self_service", NONE, "2.12", DAY),
    _mean("sentiment", "Mean sentiment", "score", "sentiment", SERVICE, "2.13"),
    _share("negative_share", "Negative messages", "negative_share", SERVICE, "2.13"),
    _mean("aov", "Average order value", "minor_units", "aov", MONEY, "2.14"),
    _mean("aov_gross", "Average order value, gross", "minor_units", "revenue_gross", MONEY, "2.14"),
    _total("revenue_gross", "Revenue, gross", "minor_units", "revenue_gross", MONEY, "2.14"),
    _total("refunds", "Refunds", "minor_units", "refunds", MONEY, "2.14"),
    Kpi(
        "revenue_net", "Revenue, net", "minor_units", "total",
        (Term("revenue_gross"), Term("refunds", sign=-1)), (), MONEY, "2.14", scale=1,
    ),
    _persons("active_buyers", "Buyers", "count", "2.15", 1),
    _persons("active_customers", "Active customers", "count", "2.15", 1),
    _persons("purchase_frequency", "Orders per buyer", "ratio", "2.15", 1),
    _persons("repeat_purchase_rate", "Buyers who bought again", "percent", "2.15"),
    _persons("returning_customer_rate", "Buyers who had bought before", "percent", "2.15"),
    _persons("ccr", "Churn", "percent", "2.16"),
    _persons("crr", "Retention", "percent", "2.16"),
    _persons("crr_classic", "Retention, by the textbook", "percent", "2.16"),
    _persons("ccr_contractual", "Churn of subscribers", "percent", "2.16"),
    _persons("crr_contractual", "Retention of subscribers", "percent", "2.16"),
    _persons("ccr_contractual_stripe", "Churn of subscribers, new ones too", "percent", "2.16"),
    _persons("nps_customers", "NPS by customers, not answers", "points", "2.1"),
    _persons("clv_historic", "Net revenue per buyer", "minor_units", "2.17", 1),
    _persons("clv_predicted", "Value of a buyer in the next year", "minor_units", "5.4", 1),
    _persons("lifecycle", "Customers by stage", "count", "4.2", 1),
    _persons("rfm", "Buyers by recency, frequency, money", "count", "4.1", 1),
)  # fmt: skip

CATALOGUE: Final[Mapping[str, Kpi]] = {kpi.id: kpi for kpi in _KPIS}


def kpis_of(metric: str) -> list[str]:
    """The KPIs that change with a metric's totals; of one that only stands beside, whose it is."""
    made_of = [kpi.id for kpi in _KPIS if metric in kpi.metrics]
    return made_of or [kpi.id for kpi in _KPIS if metric in kpi.beside]


def kpis_alone(metric: str) -> list[str]:
    """Those whose numerator and denominator are the metric's, and nothing else's."""
    return [kpi.id for kpi in _KPIS if kpi.metrics == {metric} and kpi.shape != "mix"]
