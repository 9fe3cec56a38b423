"""The category tree: brought in line with the operator's file."""

from pathlib import Path

from geoapp.domain.categories import parse
from geoapp.domain.values import Viewer
from geoapp.errors import BadFile
from geoapp.store import categories as stored
from geoapp.store import versions
from geoapp.store.session import transaction


def sync(viewer: Viewer, file: Path) -> int:
    """Make the database's tree that of ``file``; returns how many categories were added, changed or switched off.

    All or nothing. Raises BadFile when the file cannot be read or is no tree, BadLayer for a wrong key
    or value in it.
    """
    del viewer  # only the command line calls this, and the operator may do everything
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(str(file), f"cannot be read: {error}") from error
    nodes = parse(text, file=file.name)
    with transaction() as db:
        changed = stored.put_tree(db, nodes)
        if changed:
            versions.bump(db, "places")
    return changed
