"""How many assets of a kind stand in a place, as it was told, by year."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Stock:
    """So many assets of a kind in the place with this code in a year, says this source."""

    code: str
    kind: str
    assets: int
    year: int
    source: str
    synthetic: bool = False


def known(db: Session, kind: str) -> list[Stock]:
    """The newest count of this kind in each place."""
    rows = db.execute(
        text(
            "SELECT DISTINCT ON (p.id) p.code, a.kind, a.assets, a.year, a.source, a.synthetic FROM assets_of_place a "
            "JOIN place p ON p.id = a.place_id WHERE a.kind = :kind ORDER BY p.id, a.year DESC"
        ),
        {"kind": kind},
    )
    return [Stock(*row) for row in rows]


def kinds(db: Session) -> list[str]:
    return list(db.execute(text("SELECT DISTINCT kind FROM assets_of_place ORDER BY kind")).scalars())


def keep(db: Session, stocks: Iterable[Stock]) -> None:
    """Store them; one of the same place, kind and year is replaced. Codes that several places share count for each."""
    db.execute(
        text(
            """
            INSERT INTO assets_of_place (place_id, kind, year, assets, source, synthetic)
            SELECT p.id, :kind, :year, :assets, :source, :synthetic FROM place p WHERE p.code = :code
            ON CONFLICT (place_id, kind, year) DO UPDATE SET assets = excluded.assets, source = excluded.source,
                synthetic = excluded.synthetic
            """
        ),
        [{"code": one.code, "kind": one.kind, "year": one.year, "assets": one.assets, "source": one.source,
          "synthetic": one.synthetic} for one in stocks],
    )  # fmt: skip
