"""How many assets of a kind stand where: brought in from a CSV file, given to whoever counts issues per asset."""

from datetime import date
from pathlib import Path

from geoapp.domain.permissions import Right, may_anywhere
from geoapp.domain.values import Viewer
from geoapp.errors import NotYours
from geoapp.services.residents import Report, number_and_year, rows_of, sifted
from geoapp.store import assets, residents, versions
from geoapp.store.assets import Stock
from geoapp.store.session import snapshot, transaction

__all__ = ["Report", "Stock"]

COLUMNS = ("code", "kind", "assets", "year", "source")
LONGEST = 60


def known(kind: str) -> list[Stock]:
    """The newest count of this kind of each place that one is known of."""
    with snapshot() as db:
        return assets.known(db, kind)


def kinds() -> list[str]:
    """Of what there is a count of some place."""
    with snapshot() as db:
        return assets.kinds(db)


def import_file(viewer: Viewer, file: Path, *, today: date) -> Report:
    """Take assets from a CSV file with the columns code, kind, assets, year, source. Raises NotYours and BadFile."""
    if not may_anywhere(viewer, Right.PEOPLE):
        raise NotYours("not_yours", "action")
    rows = rows_of(file, needs={"code", "kind", "assets", "year"}, columns=COLUMNS)
    with transaction() as db:
        places = residents.codes(db)
        good, bad = sifted(rows, lambda row: _stock(row, places, today.year))
        if good:
            assets.keep(db, good)
            versions.bump(db, "places")
    return Report(len(good), bad)


def _stock(row: dict[str, str], places: set[str], this_year: int) -> Stock | str:
    """A row as a count, or what is wrong with it."""
    code, kind = ((row.get(name) or "").strip() for name in ("code", "kind"))
    if code not in places:
        return "no place has this code"
    if not kind or len(kind) > LONGEST or not kind.isprintable():
        return f"kind {kind[:20]!r} is no name of a kind of assets"
    found = number_and_year(row, "assets", this_year)
    return found if isinstance(found, str) else Stock(code, kind, *found, (row.get("source") or "").strip()[:200])
