"""When a version of a boundary begins, and what an import of boundaries reports."""

from datetime import date

import pytest

from geoapp.domain.boundaries import BoundaryReport, Gap, Overlap, Remark, Step, change
from geoapp.errors import BadInput

MAY, JUNE, JULY = date(2026, 5, 1), date(2026, 6, 1), date(2026, 7, 1)


@pytest.mark.parametrize(
    ("held", "begun", "same", "valid_from", "step", "begins"),
    [
        (False, None, False, None, Step.FIRST, None),
        (False, None, False, MAY, Step.FIRST, MAY),
        (True, None, True, None, Step.UNCHANGED, None),
        (True, MAY, True, JULY, Step.UNCHANGED, MAY),
        (True, None, False, None, Step.NEXT, JUNE),
        (True, None, False, MAY, Step.NEXT, MAY),
        (True, MAY, False, MAY.replace(day=2), Step.NEXT, MAY.replace(day=2)),
        (True, MAY, False, None, Step.NEXT, JUNE),
        (True, MAY, False, JULY, Step.NEXT, JULY),
        (True, JUNE, False, None, Step.REPLACE, JUNE),
        (True, MAY, False, MAY, Step.REPLACE, MAY),
    ],
)
def test_a_boundary_follows_the_newest_one_held(held, begun, same, valid_from, step, begins):  # noqa: PLR0917 - a table
    decided = change("K1", held=held, begun=begun, same=same, valid_from=valid_from, today=JUNE)

    assert (decided.step, decided.begins) == (step, begins)


@pytest.mark.parametrize(
    ("valid_from", "today"), [(MAY, JULY), (None, MAY)], ids=["an earlier day", "before a version that is yet to begin"]
)
def test_what_was_decided_for_a_later_day_is_not_written_anew(valid_from, today):
    with pytest.raises(BadInput) as refused:
        change("K1", held=True, begun=JUNE, same=False, valid_from=valid_from, today=today)

    error = refused.value
    assert (error.field, error.reason) == ("valid_from", "version_too_early")
    assert error.params == {"code": "K1", "since": "2026-06-01"}


def test_a_report_sums_its_areas_and_names_only_the_largest():
    report = BoundaryReport(
        read=14,
        stored=12,
        overlaps=tuple(Overlap(f"A{n}", f"B{n}", 100.0 - n) for n in range(12)),
        gaps=(Gap(("A1", "A2"), 7.5),),
        rejected=(Remark(3, "", "has no code"),),
        repaired=(Remark(4, "A4", "crossed itself"),),
        merged=(Remark(5, "A4", "joined with row 4"),),
        notes=("is in EPSG:4490",),
        dry_run=True,
    )

    told, lines = report.as_json(), "\n".join(report.lines())

    assert told["overlap_m2"] == sum(100.0 - n for n in range(12))
    assert (told["overlap_count"], len(told["overlaps"])) == (12, 10)
    assert told["gaps"] == [{"beside": ["A1", "A2"], "m2": 7.5}]
    assert told["rejections"] == [{"row": 3, "code": "", "what": "has no code"}]
    assert told["repairs"] == [{"row": 4, "code": "A4", "what": "crossed itself"}]
    assert told["merges"] == [{"row": 5, "code": "A4", "what": "joined with row 4"}]
    assert [told[key] for key in ("read", "stored", "rejected", "repaired", "merged")] == [14, 12, 1, 1, 1]
    assert (told["gap_m2"], told["gap_count"], told["notes"], told["dry_run"]) == (7.5, 1, ["is in EPSG:4490"], True)
    assert "dry run: nothing was kept" in lines
    for sentence in (
        "note: is in EPSG:4490",
        "rejected: row 3",
        "repaired: row 4 A4",
        "merged: row 5",
        "beside A1 / A2",
    ):
        assert sentence in lines


def test_a_report_counts_nothing_that_did_not_happen():
    assert {key for key, value in BoundaryReport().as_json().items() if value not in (0, "", [])} == set()


def test_a_report_of_nothing_remarkable_is_five_sentences():
    report = BoundaryReport(read=3, stored=1, updated=1, unchanged=1, units=2, rejudged=40, contested=5, orphan=6)

    assert report.lines() == [
        "read 3, stored 1, updated 1, unchanged 1, rejected 0, repaired 0",
        "overlaps between neighbours: 0 m² in 0",
        "gaps between neighbours: 0 m² in 0",
        "new units: 2; issues judged again: 40",
        "unclear land now: 5 contested and 6 orphan areas",
    ]
