"""Filters that a person keeps for the desk."""

from uuid import UUID, uuid4

from geoapp.domain.values import Viewer
from geoapp.errors import BadInput, NotFound, NotYours
from geoapp.store import saved
from geoapp.store.saved import Saved
from geoapp.store.session import snapshot, transaction

__all__ = ["Saved", "forget", "keep", "of"]

MOST, LONGEST_NAME, LONGEST_QUERY = 30, 60, 4000


def of(viewer: Viewer) -> list[Saved]:
    """One's own filters, the oldest first."""
    if viewer.person is None:
        return []
    with snapshot() as db:
        return saved.of(db, viewer.person)


def keep(viewer: Viewer, name: str, query: str, *, id: UUID | None = None) -> Saved:  # noqa: A002 - of the filter
    """Keep a filter, or with the ``id`` of one give it a new name and query. Raises NotYours and BadInput."""
    if viewer.person is None:
        raise NotYours("not_yours", "action")
    name = " ".join(name.split())
    if not name:
        raise BadInput("name", "missing")
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise BadInput("name", "too_long", most=LONGEST_NAME)
    if len(query) > LONGEST_QUERY:
        raise BadInput("query", "too_long", most=LONGEST_QUERY)
    kept = Saved(id or uuid4(), name, query)
    with transaction() as db:
        others = [one for one in saved.of(db, viewer.person) if one.id != kept.id]
        if len(others) >= MOST:
            raise BadInput("name", "too_many", most=MOST)
        saved.keep(db, viewer.person, kept)
    return kept


def forget(viewer: Viewer, saved_id: UUID) -> None:
    """Raises NotFound for one that this person does not keep."""
    with transaction() as db:
        if viewer.person is None or not saved.forget(db, viewer.person, saved_id):
            raise NotFound("filter", str(saved_id))
