"""Finds the most likely parameters, all of them positive."""

from collections.abc import Callable
from typing import Final, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

M = TypeVar("M")

_STARTS: Final = (0.1, 1.0)
_PATIENCE: Final = 4_000


class Fit(NamedTuple, Generic[M]):
    """A fitted model, its log likelihood, and how many customers it was learned from."""

    model: M
    log_likelihood: float
    customers: int


class NoFitError(ValueError):
    """The data do not determine the parameters."""


def fit_positive(
    loss: Callable[[NDArray[np.float64]], float], dimensions: int
) -> tuple[list[float], float]:
    """The parameters of least loss, and that loss. Raises NoFitError.

    On logarithms, so that nothing can become negative: first quickly by gradient, then Nelder and
    Mead to the last digits. The best of two starts (kpis.md 5.6).
    """

    def of_logarithms(logarithms: NDArray[np.float64]) -> float:
        value = loss(np.exp(np.clip(logarithms, -30, 30)))
        return value if np.isfinite(value) else 1e300

    best = None
    for start in _STARTS:
        rough = minimize(of_logarithms, np.full(dimensions, np.log(start)), method="L-BFGS-B")
        fine = minimize(
            of_logarithms,
            rough.x,
            method="Nelder-Mead",
            options={"xatol": 1e-9, "fatol": 1e-9, "maxiter": _PATIENCE},
        )
        if best is None or fine.fun < best.fun:
            best = fine
    if best is None or not np.isfinite(best.fun) or np.abs(best.x).max() >= 29:
        raise NoFitError("these purchases do not determine the model; collect more of them")
    return [float(value) for value in np.exp(best.x)], float(best.fun)
