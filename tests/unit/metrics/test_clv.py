"""The published CDNOW figures come out of our own sufficient statistics."""

import csv
import gzip
import math
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from rapport_metrics.clv import bgnbd, gamma_gamma
from rapport_metrics.clv.bgnbd import BgNbd, Row
from rapport_metrics.clv.fitting import Fit
from rapport_metrics.clv.gamma_gamma import GammaGamma, Spending
from rapport_metrics.clv.value import lifetime_value
from rapport_metrics.domain.instants import DAY
from rapport_metrics.domain.statistics import Occasions, occasions

DATA = Path(__file__).parent / "data" / "cdnow.csv.gz"
CALIBRATION_DAYS = 273
"""Until 1997-09-30: 39 weeks."""
WEEK = 7

PAPER = BgNbd(0.242595, 4.413602, 0.792922, 2.425907)
"""Time in weeks."""


@pytest.fixture(scope="module")
def cdnow() -> list[Occasions]:
    purchases: dict[str, list[tuple[int, int]]] = defaultdict(list)
    with gzip.open(DATA, "rt") as file:
        for row in csv.DictReader(file):
            # Some got a record for nothing: a purchase all the same, in the published figures.
            purchases[row["customer"]].append((int(row["day"]) * DAY, int(row["cents"]) or 1))
    found = (occasions(one, CALIBRATION_DAYS * DAY) for one in purchases.values())
    return [one for one in found if one is not None]


@pytest.fixture(scope="module")
def fitted(cdnow: list[Occasions]) -> Fit[BgNbd]:
    counted = Counter((one.x, one.t_x, one.T) for one in cdnow)
    return bgnbd.fit([Row(*key, count) for key, count in counted.items()])


def in_weeks(model: BgNbd) -> BgNbd:
    return model._replace(alpha=model.alpha / WEEK)


def test_the_sample_is_the_published_one(cdnow: list[Occasions]) -> None:
    assert (len(cdnow), sum(one.x for one in cdnow)) == (2357, 2457)


def test_bg_nbd_finds_the_published_parameters(fitted: Fit[BgNbd]) -> None:
    assert in_weeks(fitted.model) == pytest.approx(PAPER, rel=2e-6)


def test_bg_nbd_finds_the_published_likelihood(fitted: Fit[BgNbd], cdnow: list[Occasions]) -> None:
    repeats = sum(one.x for one in cdnow)

    assert fitted.log_likelihood + repeats * math.log(WEEK) == pytest.approx(-9582.4292, abs=1e-4)


def test_bg_nbd_expects_the_published_purchases(fitted: Fit[BgNbd]) -> None:
    model = in_weeks(fitted.model)

    assert bgnbd.expected(model, 2, 30.43, 38.86, 39) == pytest.approx(1.226, abs=5e-4)
    assert bgnbd.expected_of_anybody(model, 1) == pytest.approx(0.0532, abs=5e-5)
    assert bgnbd.expected_of_anybody(model, 78) == pytest.approx(1.858, abs=5e-4)


def test_gamma_gamma_finds_the_published_parameters(cdnow: list[Occasions]) -> None:
    spent = [Spending(one.x, one.repeat_amount / 100 / one.x) for one in cdnow if one.x]

    found = gamma_gamma.fit(spent)

    assert found.model == pytest.approx(GammaGamma(6.2496, 3.7442, 15.4435), rel=2e-5)
    assert found.log_likelihood == pytest.approx(-4055.9177, abs=1e-3)
    assert abs(gamma_gamma.correlation(spent)) < gamma_gamma.CORRELATION_LIMIT


def test_a_long_history_overflows_nothing() -> None:
    assert 0 < bgnbd.expected(PAPER, 500, 90.0, 91.0, 52.0) < 500


def test_customers_who_all_leave_alike_overflow_nothing() -> None:
    alike = PAPER._replace(a=8e8, b=2.4e9)

    assert bgnbd.expected(alike, 2, 30.43, 38.86, 39) == pytest.approx(
        bgnbd.expected(PAPER._replace(a=8e4, b=2.4e5), 2, 30.43, 38.86, 39), rel=1e-3
    )


def test_where_the_formula_is_singular_it_is_continuous() -> None:
    at, beside = (bgnbd.expected(PAPER._replace(a=a), 2, 30.43, 38.86, 39) for a in (1.0, 1.000_01))

    assert at == pytest.approx(beside, rel=1e-4)


def test_the_risk_of_leaving_grows_with_the_silence() -> None:
    risks = [bgnbd.churn_risk(PAPER, 3, 20.0, age, 13.0) for age in (20.0, 25.0, 30.0, 39.0)]

    assert risks == sorted(risks)
    assert all(0 < risk < 1 for risk in risks)


def test_who_has_probably_left_has_no_next_purchase() -> None:
    assert bgnbd.days_to_next(PAPER, 8, 5.0, 39.0, 0.5) is None
    assert bgnbd.days_to_next(PAPER, 8, 38.0, 39.0, 0.5) == pytest.approx(4.2, abs=1)


def test_a_customer_is_worth_the_discounted_purchases_of_a_year() -> None:
    buying = PAPER._replace(alpha=PAPER.alpha * WEEK)
    spending = GammaGamma(6.2496, 3.7442, 1544.35)
    often, once = Occasions(2, 213, 272, 6_000), Occasions(0, 0, 272, 0)

    often_value, once_value = (lifetime_value(buying, spending, one) for one in (often, once))

    undiscounted = bgnbd.expected(buying, 2, 213, 272, 360) * gamma_gamma.expected_amount(
        spending, 2, 3_000
    )
    assert 0.85 * undiscounted < often_value < undiscounted
    assert 0 < once_value < often_value
    assert lifetime_value(buying, spending, often, margin=0.5) == pytest.approx(often_value / 2)


def test_nobody_who_bought_again_teaches_nothing() -> None:
    with pytest.raises(ValueError, match="more than once"):
        bgnbd.fit([Row(0, 0, 100, 50)])
    with pytest.raises(ValueError, match="more than once"):
        gamma_gamma.fit([Spending(0, 0.0)])
