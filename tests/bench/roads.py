"""A matrix over the demonstration's streets: seconds for 60 stops, first and again: ``./run bench roads [STOPS]``."""

import sys

import numpy as np
import shapely

from geoapp import config
from geoapp.demo import land, stories, streets
from geoapp.domain.roads import Mode
from geoapp.domain.values import OPERATOR
from geoapp.services import roads, vectorfile
from tests.bench._place import place, timed


def main(count: int) -> None:
    ground = config.shipped("layers") / "data"
    drawn = land.draw(
        shapely.union_all(
            [f.geometry for f in vectorfile.read(ground / "qijiang_district.geojson", crs="gcj02").features]
        ),
        ground / "qijiang_places.csv",
    )
    seat = np.array(drawn.streets[stories.SIDEWALK[:9]].seat)
    points = [tuple(spot) for spot in (seat + np.random.default_rng(1).uniform(-0.015, 0.015, (count + 2, 2))).tolist()]
    with place():
        laid = timed(
            lambda: roads.store(
                OPERATOR, streets.lay(drawn), node_crossings=True, origin=streets.ORIGIN, synthetic=True
            )
        )
        print(f"{roads.standing().edges:,} edges stored in {laid:.2f} s")  # noqa: T201
        for mode in Mode:
            first = timed(lambda mode=mode: roads.matrix(points, mode=mode))
            again = timed(lambda mode=mode: roads.matrix(points, mode=mode))
            drawing = timed(lambda mode=mode: roads.legs(points, mode=mode))
            print(f"{mode}: {count} stops {first:.2f} s, again {again:.2f} s; lines of all legs {drawing:.2f} s")  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
