"""The PostgreSQLs that are installed on this machine, and which of them have PostGIS."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

OLDEST = 15


@dataclass(frozen=True, slots=True)
class Programs:
    """One installed PostgreSQL: its major version and the folder of its programs."""

    version: int
    bin: Path
    postgis: bool


def find_programs(search: Sequence[Path] | None = None) -> list[Programs]:
    """Every PostgreSQL of this machine that is new enough, the best first: with PostGIS, then the newest."""
    if search is None:
        on_path = shutil.which("pg_ctl")
        search = [
            *Path("/usr/lib/postgresql").glob("*/bin"),
            *([Path(on_path).resolve().parent] if on_path else []),
        ]
    found = {folder: programs for folder in search if (programs := _look_at(folder))}
    return sorted(found.values(), key=lambda one: (one.postgis, one.version), reverse=True)


def _look_at(folder: Path) -> Programs | None:
    if not all((folder / name).is_file() for name in ("postgres", "initdb", "pg_ctl", "psql")):
        return None
    told = subprocess.run([folder / "postgres", "-V"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"\) (\d+)", told)
    if version is None or int(version[1]) < OLDEST:
        return None
    # Debian keeps what belongs to lib/postgresql/N/bin in share/postgresql/N; elsewhere pg_config knows.
    share = Path(*("share" if part == "lib" else part for part in folder.parent.parts))
    if not (share / "extension").is_dir() and (folder / "pg_config").is_file():
        asked = subprocess.run([folder / "pg_config", "--sharedir"], capture_output=True, text=True, check=False)
        share = Path(asked.stdout.strip())
    return Programs(int(version[1]), folder, (share / "extension" / "postgis.control").is_file())
