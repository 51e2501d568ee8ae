"""PromQL over catalogued metrics, for the workers, or the doors, that the dashboard's variables choose."""

from __future__ import annotations

import re

from dashboards.metrics import DOORS, MEANINGS, PARTS

#: Matchers of every selector: the choice of the dashboard's variables, of workers and of doors.
CHOSEN = 'job=~"$job",instance=~"$instance"'
CHOSEN_DOORS = 'job=~"$door_job",instance=~"$door"'
_NAME = re.compile(r"\b(?:parcelwatch|process)_[a-z0-9_]+")


def metric(name: str, matchers: str = "") -> str:
    """A selector; `matchers` are further ones. Raises `KeyError` where the catalogue lacks the metric."""
    if catalogued(name) not in MEANINGS:
        raise KeyError(name)
    chosen = CHOSEN_DOORS if catalogued(name) in DOORS else CHOSEN
    return f"{name}{{{','.join(filter(None, (chosen, matchers)))}}}"


def rate(name: str, matchers: str = "") -> str:
    """The increase of a counter in a second."""
    return f"rate({metric(name, matchers)}[$__rate_interval])"


def increase(name: str, matchers: str = "") -> str:
    """The increase of a counter in the time that the dashboard shows."""
    return f"increase({metric(name, matchers)}[$__range])"


def total(expr: str, *by: str) -> str:
    """The sum over all workers, for each value of the labels."""
    return _over("sum", expr, by)


def greatest(expr: str, *by: str) -> str:
    """The maximum over all workers, for each value of the labels."""
    return _over("max", expr, by)


def least(expr: str, *by: str) -> str:
    """The minimum over all workers, for each value of the labels."""
    return _over("min", expr, by)


def or_zero(expr: str, label: str = "") -> str:
    """0 where there is nothing; with a label, a series of that label's value `none`."""
    zero = f'label_replace(vector(0), "{label}", "none", "", "")' if label else "vector(0)"
    return f"{expr} or on() {zero}"


def behind(timestamp: str) -> str:
    """Seconds from a time to now."""
    return f"time() - {timestamp}"


def quantile(share: float, name: str, *by: str) -> str:
    """A quantile of a histogram."""
    return f"histogram_quantile({share}, {total(rate(f'{name}_bucket'), 'le', *by)})"


def catalogued(name: str) -> str:
    """The name in the catalogue of the metric that a time series belongs to."""
    return PARTS.get(name, name)


def names(expr: str) -> list[str]:
    """The catalogued metrics of an expression, in order."""
    return list(dict.fromkeys(map(catalogued, _NAME.findall(expr))))


def _over(operator: str, expr: str, by: tuple[str, ...]) -> str:
    return f"{operator} by ({', '.join(by)}) ({expr})" if by else f"{operator}({expr})"
