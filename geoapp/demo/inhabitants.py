"""Made-up numbers of residents for the communities of the demonstration; of a few none is known, as in real life."""

import random
from collections.abc import Iterable

from geoapp.domain.values import Viewer
from geoapp.services import residents
from geoapp.services.residents import Count

YEAR, SOURCE = 2025, "演示数据（虚构） / made up for the demonstration"
UNKNOWN = 0.04
"""The share of communities whose residents nobody has counted."""


def settle(viewer: Viewer, communities: Iterable[str]) -> None:
    """The same numbers at each filling: a community's depends on its code alone."""
    counts = []
    for code in communities:
        chance = random.Random(code)  # noqa: S311 - no secret
        if chance.random() >= UNKNOWN:
            counts.append(Count(code, round(chance.lognormvariate(8.3, 0.45) / 10) * 10, YEAR, SOURCE, synthetic=True))
    residents.store_all(viewer, counts)
