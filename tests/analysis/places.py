"""The two places that the analyses are held to: the demonstration, and reports of Los Angeles where they lie."""

import csv
import gzip
import io
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from geoapp import config
from geoapp.domain.spatial.columns import Codes, Issues
from geoapp.domain.values import OPERATOR, IssueFilter
from geoapp.services import snapshots
from geoapp.store import session

ZONE = ZoneInfo("Asia/Shanghai")
LA = sorted((config.PACKAGE.parents[1] / "shared" / "data" / "la").glob("myla311_*.csv.gz"))


def demonstration(url):
    session.connect(url)
    issues = snapshots.read(OPERATOR, IssueFilter(), zone=ZONE, ids=True)
    session.disconnect()
    return issues


def los_angeles():
    """Every third report with a place in the city: type as category, day of creation."""
    if len(LA) != 4:
        pytest.skip("the sample files of Los Angeles are not in ../shared/data/la beside the project")
    rows = []
    for file in LA:
        with gzip.open(file) as packed:
            for raw in csv.DictReader(io.TextIOWrapper(packed, "utf-8-sig")):
                row = {key.lower(): value for key, value in raw.items() if key}
                if row["latitude"].startswith(("33", "34")):
                    rows.append((row["longitude"], row["latitude"], row["requesttype"], day_of(row["createddate"])))
    lon, lat, kind, day = (np.array(column) for column in zip(*rows[::3], strict=True))
    return Issues.points(
        lon.astype(float), lat.astype(float), category=Codes.of(kind), reported=day.astype("datetime64[s]")
    )


def day_of(text):
    date = text[:10]
    return f"{date[6:]}-{date[:2]}-{date[3:5]}" if "/" in date else date
