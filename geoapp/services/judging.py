"""Judging again (权责判定) without any change of boundaries: when days have come on which versions begin."""

from datetime import date

from geoapp.domain.values import Viewer
from geoapp.store import judging, locks
from geoapp.store.locks import Lock
from geoapp.store.session import bulk


def judge_all(viewer: Viewer, *, today: date) -> int:  # noqa: ARG001 - whoever holds the command line may
    """Judge every issue as of ``today``, or of the day it ended; returns how many verdicts changed."""
    with bulk() as db:
        locks.alone(db, Lock.BOUNDARIES)
        return judging.rejudge(db, today=today)
