"""One made-up person for each role of the demonstration, where the four stories play.

There is no password that everybody knows: one is made for each installation and kept in its data folder.
"""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from geoapp.demo import stories
from geoapp.domain.values import Viewer
from geoapp.errors import BadInput
from geoapp.services import accounts

FILE = "demonstration-password"


@dataclass(frozen=True, slots=True)
class Somebody:
    """A login, a name, a role and where it holds."""

    login: str
    name: str
    role: str
    place: str | None = None
    unit: str | None = None


TOWN = stories.SIDEWALK[:9]
EVERYBODY = (
    Somebody("steward", "刘管家（演示）", "steward", stories.SIDEWALK),
    Somebody("community", "李社工（演示）", "community", TOWN),
    Somebody("municipal", "王经办（演示）", "unit", unit="municipal"),
    Somebody("roads", "赵经办（演示）", "unit", unit="roads"),
    Somebody("secretary", "陈书记（演示）", "secretary", TOWN),
    Somebody("planner", "周规划（演示）", "planner"),
    Somebody("supervisor", "吴督查（演示）", "supervisor"),
    Somebody("admin", "郑管理（演示）", "administrator"),
)


def password(data_dir: Path) -> str:
    """This installation's password, made at the first call."""
    file = data_dir / FILE
    if not file.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as written:
            written.write(secrets.token_urlsafe(9))
    return file.read_text().strip()


def invite(viewer: Viewer, secret: str) -> None:
    """Make those accounts that are not there; whoever is keeps name, roles and password."""
    there = {account.login for account, _ in accounts.everybody(viewer)}
    for one in EVERYBODY:
        if one.login in there:
            continue
        try:
            accounts.add(viewer, one.login, one.name, secret, synthetic=True)
            accounts.grant(viewer, one.login, one.role, place=one.place, unit=one.unit)
        except BadInput:
            # A second start at the same time was faster.
            continue
