"""How many people live in a place, as it was told, by year."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Count:
    """So many people in the place with this code in a year, says this source."""

    code: str
    residents: int
    year: int
    source: str
    synthetic: bool = False


def known(db: Session) -> list[Count]:
    """The newest count of each place."""
    rows = db.execute(
        text(
            "SELECT DISTINCT ON (p.id) p.code, r.residents, r.year, r.source, r.synthetic FROM residents_of_place r "
            "JOIN place p ON p.id = r.place_id ORDER BY p.id, r.year DESC"
        )
    )
    return [Count(*row) for row in rows]


def codes(db: Session) -> set[str]:
    """The codes of all places."""
    return set(db.execute(text("SELECT code FROM place")).scalars())


def keep(db: Session, counts: Iterable[Count]) -> None:
    """Store them; a count of the same place and year is replaced. Codes that several places share count for each."""
    db.execute(
        text(
            """
            INSERT INTO residents_of_place (place_id, year, residents, source, synthetic)
            SELECT p.id, :year, :residents, :source, :synthetic FROM place p WHERE p.code = :code
            ON CONFLICT (place_id, year) DO UPDATE SET residents = excluded.residents, source = excluded.source,
                synthetic = excluded.synthetic
            """
        ),
        [{"code": one.code, "year": one.year, "residents": one.residents, "source": one.source,
          "synthetic": one.synthetic} for one in counts],
    )  # fmt: skip
