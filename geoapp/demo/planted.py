"""What is planted in the demonstration, so that analyses can be checked against what is known to be there.

Besides these, reports fall at random: everywhere in a community with the same chance, and in each branch of
categories at a rate that grows evenly over the two years by ``GROWTH``.
"""

from dataclasses import dataclass

DAYS = 730
"""Reports come from so many days before the filling."""
GROWTH = 1.5
"""The background's rate on the last day, compared with that on the first."""
BACKGROUND = 2740
"""Reports that belong to no cluster."""
SEED = 20_261_120


@dataclass(frozen=True, slots=True)
class Cluster:
    """Reports of one category round a point, normally distributed with ``spread_m`` metres in each direction.

    The point lies ``east_m`` and ``north_m`` metres from the seat of ``street``. They were reported
    between ``first_day`` and ``last_day`` days before the filling; ``trend`` says how the rate goes.
    """

    name: str
    category: str
    street: str
    east_m: float
    north_m: float
    spread_m: float
    count: int
    first_day: int = DAYS
    last_day: int = 0
    trend: str = "persistent"


CLUSTERS = (
    Cluster("dumps behind the old works", "waste.dumping-site", "500110001", -1400, 900, 180, 52),
    Cluster(
        "dark lanes of Dongxi", "light.missing-street-light", "500110109", 350, -250, 220, 40, trend="intensifying"
    ),
    Cluster("leaking towers of Wansheng", "fire.leaking-pipe", "500110004", -600, 500, 120, 34, 420),
    Cluster("flooded underpass of Sanjiang", "water.flooded-road", "500110003", 250, 300, 150, 36, trend="summer"),
    Cluster(
        "rubbish before the collection began", "waste.exposed", "500110101", 300, -200, 200, 44, trend="diminishing"
    ),
    Cluster("covers stolen in Wenlong", "road.manhole-cover.storm", "500110002", 700, -500, 160, 30, 55, trend="new"),
    Cluster("guardrails on the bends of Datong", "fence.damaged-guardrail", "500110111", -500, 700, 250, 24),
)
"""Clusters whose place, reach, time and number are known."""
