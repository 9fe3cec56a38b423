"""The category tree: brought in line with the operator's file; and the checklists that the file holds."""

from pathlib import Path

from geoapp.domain import categories
from geoapp.domain.categories import Checklists, parse
from geoapp.domain.values import Viewer
from geoapp.errors import BadFile
from geoapp.store import categories as stored
from geoapp.store import versions
from geoapp.store.session import transaction

__all__ = ["Checklists", "read_checklists", "sync"]


def read_checklists(file: Path) -> Checklists:
    """What to look at on site, by category. Not kept in the database: it changes only with the file.

    Raises BadFile and BadLayer as ``sync`` does.
    """
    return categories.checklists(_read(file), file=file.name)


def sync(viewer: Viewer, file: Path) -> int:
    """Make the database's tree that of ``file``; returns how many categories were added, changed or switched off.

    All or nothing. Raises BadFile when the file cannot be read or is no tree, BadLayer for a wrong key
    or value in it.
    """
    del viewer  # only the command line calls this, and the operator may do everything
    nodes = parse(_read(file), file=file.name)
    with transaction() as db:
        changed = stored.put_tree(db, nodes)
        if changed:
            versions.bump(db, "places")
    return changed


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(str(file), f"cannot be read: {error}") from error
