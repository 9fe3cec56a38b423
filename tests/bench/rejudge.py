"""Judging all issues again after a boundary has changed, against the bare join: ``./run bench rejudge [--rows N]``."""

import sys
from collections.abc import Sequence

import shapely
from sqlalchemy import text

from geoapp.config import Settings
from geoapp.domain.boundaries import NewJurisdiction, NewUnit
from geoapp.domain.values import OPERATOR, Name
from geoapp.services import judging as service
from geoapp.store import boundaries, judging, session
from tests.bench._place import TODAY, Burnt, fill, place, timed
from tests.bench._report import Goal, Options, Series, median_ratio, options, tell

LIMIT, US = "bare spatial join", "ours"
UNIT = "bench"


def main(argv: Sequence[str]) -> None:
    asked = options(argv, rows=100_000, rounds=3)
    with place() as (settings, url):
        measure(asked, settings, url)


def measure(asked: Options, settings: Settings, url: str) -> dict[str, Series]:  # noqa: ARG001 - as all measurements
    """In a database that has categories and no issues; without peers."""
    fill(asked.rows)
    service.judge_all(OPERATOR, today=TODAY)
    with session.bulk() as db:
        boundaries.write_unit(db, NewUnit(UNIT, Name("", UNIT)))
        db.execute(text("ANALYZE"))
    series = {way: Series() for way in (LIMIT, US)}
    changed = []
    burnt = dict.fromkeys(series, 0.0)
    burning = Burnt()
    for nth in range(asked.rounds):
        burnt[LIMIT] += burning.of(lambda: series[LIMIT].seconds.append(timed(bare_join)))
        burnt[US] += burning.of(lambda: changed.append(one_change(nth, series[US])))  # noqa: B023 - called at once
    tell(
        "rejudge", asked, series,
        [Goal("7: against the bare join", 2, median_ratio(series[US], series[LIMIT]), at_most=True)],
        verdicts_changed=changed,
        seconds_of_processor={way: round(sum_ / asked.rounds, 2) for way, sum_ in burnt.items()},
    )  # fmt: skip
    return series


def one_change(nth: int, into: Series) -> int:
    """A jurisdiction over a part of a town moves a little; how many issues have another verdict then."""
    land = shapely.box(106.64 + nth / 500, 29.015, 106.65 + nth / 500, 29.025)
    found = []
    with session.bulk() as db:
        boundaries.write_jurisdiction(
            db, NewJurisdiction(UNIT, UNIT, Name("", UNIT), shapely.to_wkb(land), categories=("road",)), today=TODAY
        )
        into.seconds.append(timed(lambda: found.append(judging.rejudge(db, today=TODAY))))
    return found[0]


def bare_join() -> None:
    """Which pieces hold each issue, of communities and of jurisdictions, and nothing besides."""
    with session.bulk() as db:
        for of in ("boundary", "jurisdiction"):
            db.execute(
                text(
                    f"CREATE TEMP TABLE bare_{of} ON COMMIT DROP AS SELECT issue.id, part.{of}_id "  # noqa: S608 - our words
                    f"FROM issue JOIN {of}_part part ON ST_Intersects(part.area, issue.geom)"
                )
            )


if __name__ == "__main__":
    main(sys.argv[1:])
