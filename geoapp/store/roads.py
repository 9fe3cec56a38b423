"""The road network: put in place as a whole, read for the surroundings of a question."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain.roads import RoadClass
from geoapp.domain.values import Box

AT_ONCE = 5_000
MOST = 300_000
"""Edges that are read for one question; where there are more, the small roads are left out."""


@dataclass(frozen=True, slots=True)
class NewEdge:
    """``line`` is WKB in EPSG:4326; a one-way edge runs along it."""

    line: bytes
    kind: RoadClass
    oneway: bool
    name: str
    metres: float


@dataclass(frozen=True, slots=True)
class Edge:
    line: bytes
    kind: RoadClass
    oneway: bool
    metres: float


@dataclass(frozen=True, slots=True)
class Standing:
    """What is loaded: edges, their length, whose they are, and whether any of it is made up."""

    edges: int
    metres: float
    origins: tuple[str, ...]
    synthetic: bool


def put(db: Session, edges: Sequence[NewEdge], *, origin: str, synthetic: bool) -> int:
    """Store these edges in place of all that are there; returns how many those were."""
    gone = remove(db)
    for start in range(0, len(edges), AT_ONCE):
        some = edges[start : start + AT_ONCE]
        db.execute(
            text(
                "INSERT INTO road (geom, class, oneway, name, metres, origin, synthetic) "
                "SELECT ST_GeomFromWKB(line, 4326), class, oneway, name, metres, :origin, :synthetic "
                "FROM unnest(CAST(:lines AS bytea[]), CAST(:kinds AS text[]), CAST(:oneway AS boolean[]), "
                "CAST(:names AS text[]), CAST(:metres AS float8[])) AS e (line, class, oneway, name, metres)"
            ),
            {
                "origin": origin,
                "synthetic": synthetic,
                "lines": [edge.line for edge in some],
                "kinds": [str(edge.kind) for edge in some],
                "oneway": [edge.oneway for edge in some],
                "names": [edge.name for edge in some],
                "metres": [edge.metres for edge in some],
            },
        )
    db.execute(text("ANALYZE road"))
    return gone


def remove(db: Session) -> int:
    """Take all edges away; returns how many there were."""
    gone = int(db.execute(text("SELECT count(*) FROM road")).scalar_one())
    db.execute(text("DELETE FROM road"))
    return gone


def within(db: Session, box: Box) -> list[Edge]:
    """The edges that touch a box, the great roads first."""
    found = db.execute(
        text(
            "SELECT ST_AsBinary(geom) AS line, class, oneway, metres FROM road "
            "WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326) "
            "ORDER BY array_position(CAST(:ranks AS text[]), class::text), id LIMIT :most"
        ),
        {
            "west": box.west, "south": box.south, "east": box.east, "north": box.north,
            "ranks": [str(kind) for kind in RoadClass], "most": MOST,
        },
    )  # fmt: skip
    return [Edge(bytes(row.line), RoadClass(row[1]), row.oneway, row.metres) for row in found]


def lines(db: Session, box: Box) -> list[bytes]:
    """The lines of all edges that touch a box, as WKB in EPSG:4326: for lengths, of which none may be left out."""
    found = db.execute(
        text(
            "SELECT ST_AsBinary(geom) AS line FROM road "
            "WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326) ORDER BY id"
        ),
        {"west": box.west, "south": box.south, "east": box.east, "north": box.north},
    )
    return [bytes(row.line) for row in found]


def stamp(db: Session) -> str:
    """Another text for every state of the network; of a database that was filled anew, too."""
    # The version alone begins again at 1 there; the transaction that wrote it does not come again.
    found = db.execute(text("SELECT version || '/' || xmin FROM data_version WHERE part = 'roads'")).scalar()
    return str(found or "")


def standing(db: Session) -> Standing:
    row = db.execute(
        text(
            "SELECT count(*) AS edges, coalesce(sum(metres), 0) AS metres, "
            "coalesce(bool_or(synthetic), false) AS made, "
            "coalesce(array_agg(DISTINCT origin) FILTER (WHERE origin <> ''), '{}') AS origins FROM road"
        )
    ).one()
    return Standing(int(row.edges), float(row.metres), tuple(row.origins), bool(row.made))
