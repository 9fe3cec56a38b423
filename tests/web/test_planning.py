"""The planners' pages over HTTP: who gets in, figures that equal their cases, files, keeping, and bad parameters."""

import json
import re
import threading
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import geopandas
import numpy as np
import pandas as pd
import pyogrio
import pytest
from sqlalchemy import text

from geoapp.domain.planning import Analysis, Ask
from geoapp.domain.values import OPERATOR, IssueState, Point
from geoapp.services import accounts, analysing, planning, residents
from geoapp.services.residents import Count
from geoapp.store import session
from tests.builders import a_place, an_issue, square, store
from tests.web.test_desk import SECRET, fields, ground, signed_in, words  # noqa: F401 - ground is a fixture

NOW = datetime.now(UTC)
FILES = ("csv", "geojson", "gpkg", "parquet")


def scattered(n, lon, lat, spread, prefix, *, seed, **changes):
    """Issues round a point, the same at each run; every third is closed and has cost something."""
    chance = np.random.default_rng(seed)
    for nth in range(n):
        east, north = chance.normal(0, spread, 2).tolist()
        closed = nth % 3 == 0
        at = NOW - timedelta(days=float(chance.uniform(20, 300)))
        done = (
            {"state": IssueState.CLOSED, "ended_at": at + timedelta(days=9), "cost_spent": 1000 + nth} if closed else {}
        )
        yield an_issue(f"{prefix}{nth}", point=Point(lon + east, lat + north), reported_at=at, **(done | changes))


@pytest.fixture
def staff(app):
    """A crowd in C1, some elsewhere in it, and a few issues in C2; planners of all, of C2 alone, and an officer."""
    a_place("C3", square(106.6599, 29.02))
    a_place("C4", square(106.64, 29.0399))
    store(
        *scattered(40, 106.645, 29.026, 0.0003, "crowd", seed=1),
        *(
            an_issue(f"far{n}", point=Point(106.641 + n % 6 * 0.003, 29.021 + n // 6 * 0.003), reported_at=NOW)
            for n in range(30)
        ),
        *scattered(12, 106.71, 29.03, 0.004, "other", seed=2),
    )  # fmt: skip
    for login, role, where in (
        ("planner", "planner", {}), ("secretary", "secretary", {"place": "C1"}), ("abroad", "planner", {"place": "C2"}),
    ):  # fmt: skip
        accounts.add(OPERATOR, login, login, SECRET)
        accounts.grant(OPERATOR, login, role, **where)
    return {login: signed_in(app, login) for login in ("planner", "secretary", "abroad", "staff", "officer")}


def figures(page):
    """Each figure of a page that leads to its cases: what it says, and where."""
    found = re.findall(r'<a (?:class="count" )?href="(/planning/cases[^"]*)"[^>]*>(?:n = )?([\d,]+)</a>', page)
    return [(int(n.replace(",", "")), url.replace("&amp;", "&")) for url, n in found]


def counted(page):
    return int(re.search(r'id="case-count">([\d,]+)', page)[1].replace(",", ""))


def test_every_figure_leads_to_exactly_so_many_cases(staff):
    strays = []
    for analysis in Analysis:
        page = staff["planner"].get(f"/planning?lang=en&analysis={analysis}&cell=300")
        found = figures(words(page))
        assert found, (analysis, re.findall(r'role="alert">([^<]*)', words(page)))
        for n, url in found[:3] + found[-2:]:
            cases = words(staff["planner"].get(url))
            if (counted(cases), cases.count('class="what"')) != (n, min(n, 50)):
                strays.append((n, url, counted(cases)))

    assert strays == []


def test_pages_of_cases_hold_each_case_once(staff):
    url = "/planning/cases?analysis=compare&part=all&lang=en"

    first, second = (words(staff["planner"].get(f"{url}&start={start}")) for start in (0, 50))

    numbers = re.findall(r"<small>([^ ]+) ·", first) + re.findall(r"<small>([^ ]+) ·", second)
    assert len(numbers) == len(set(numbers)) == counted(words(staff["planner"].get(url)))


def test_a_planner_of_another_district_sees_none_of_it(staff):
    page = staff["abroad"].get("/planning?lang=en&analysis=compare")
    cases = staff["abroad"].get("/planning/cases?lang=en&analysis=compare&part=all")
    foreign = staff["abroad"].get("/planning?lang=en&analysis=compare&place=C1")
    file = staff["abroad"].get("/planning/compare.geojson?lang=en").get_json()

    with session.snapshot() as db:
        hidden = db.execute(
            text("SELECT number FROM issue i JOIN place p ON p.id = i.community_id WHERE p.code = 'C1'")
        )
        assert not any(number in words(cases) for number in hidden.scalars())
    assert counted(words(cases)) == 13
    assert {one["properties"]["code"] for one in file["features"]} == {"C2"}
    assert 'value="C1"' not in words(page)
    assert (foreign.status_code, "place" in words(foreign)) == (400, True)


def test_nobody_opens_what_is_kept_for_others(staff):
    staff["planner"].get("/planning?analysis=clusters")
    with session.snapshot() as db:
        key = db.execute(text("SELECT key FROM analysis_result")).scalar_one()

    assert staff["planner"].get(f"/planning/jobs/{key}.json").get_json()["state"] == "done"
    assert staff["abroad"].get(f"/planning/jobs/{key}.json").status_code == 404
    assert staff["staff"].get("/planning").status_code == 403
    assert staff["officer"].get("/planning/clusters.csv").status_code == 403


def test_two_who_ask_the_same_compute_once_and_a_change_computes_anew(staff, monkeypatch):
    runs = []
    compute = analysing.compute
    monkeypatch.setattr(analysing, "compute", lambda *given: runs.append(1) or compute(*given))
    address = "/planning/hotspots.csv?cell=300"

    told = [staff["planner"].get(address).data, staff["planner"].get(f"{address}&method=hdbscan").data]
    once = len(runs)
    store(an_issue("new", point=Point(106.645, 29.026), reported_at=NOW))
    staff["planner"].get(address)

    assert told[0] == told[1]
    assert (once, len(runs)) == (1, 2)


def test_two_at_the_same_moment_compute_once(staff, monkeypatch):  # noqa: ARG001 - it fills the place
    entered, go = threading.Event(), threading.Event()
    compute, runs, seen = analysing.compute, [], []

    def slow(*given):
        runs.append(1)
        entered.set()
        go.wait(20)
        return compute(*given)

    monkeypatch.setattr(analysing, "compute", slow)
    ask = Ask(Analysis.CLUSTERS, NOW.date())
    zone = ZoneInfo("UTC")
    other = threading.Thread(target=lambda: seen.append(planning.look(OPERATOR, ask, now=NOW, zone=zone)))
    other.start()
    assert entered.wait(20)

    meanwhile = planning.look(OPERATOR, ask, now=NOW, zone=zone)
    go.set()
    other.join()

    assert (meanwhile.state, meanwhile.result) == ("working", None)
    assert seen[0].state == "done"
    assert planning.look(OPERATOR, ask, now=NOW, zone=zone).result is not None
    assert len(runs) == 1


def test_a_long_one_is_done_by_the_worker_and_can_be_cancelled(staff, app, monkeypatch):
    monkeypatch.setattr(planning, "LONG_USUALLY", 10)
    page = staff["planner"].get("/planning?analysis=clusters&lang=en")
    key = re.search(r"/planning/jobs/(\w+)/cancel", words(page))[1]
    later = staff["planner"].get("/planning/clusters.csv")
    with session.snapshot() as db:
        job = db.execute(text("SELECT task_name, args ->> 'key' FROM procrastinate_jobs")).one()
    assert tuple(job) == ("analyse", key)
    assert (later.status_code, later.get_json()["state"]) == (202, "waiting")

    token = fields(page)["csrf_token"]
    staff["planner"].post(f"/planning/jobs/{key}/cancel", data={"csrf_token": token, "analysis": "clusters"})
    planning.answer(key, zone=app.config["GEOAPP"].zone)
    assert staff["planner"].get(f"/planning/jobs/{key}.json").get_json()["state"] == "cancelled"

    staff["planner"].get("/planning?analysis=clusters&again=1")
    planning.answer(key, zone=app.config["GEOAPP"].zone)
    assert staff["planner"].get(f"/planning/jobs/{key}.json").get_json()["state"] == "done"
    assert staff["planner"].get("/planning/clusters.csv").status_code == 200


def test_what_nobody_looks_at_is_swept(staff):
    staff["planner"].get("/planning?analysis=clusters")

    assert planning.sweep(now=NOW + timedelta(days=1)) == 0
    assert planning.sweep(now=NOW + timedelta(days=9)) == 1


BAD = (
    ("hotspots", "cells=circle", "cells"), ("hotspots", "cell=tiny", "cell"), ("hotspots", "cell=1", "cell"),
    ("hotspots", "per=head", "per"), ("hotspots", "per=km2", "per"), ("compare", "per=residents", "per"),
    ("clusters", "method=magic", "method"), ("clusters", "within=-5", "within"), ("clusters", "least=1", "least"),
    ("density", "bandwidth=nan", "bandwidth"), ("density", "place=nowhere", "place"), ("magic", "", "analysis"),
    ("trends", "category=nothing", "category"), ("trends", "from=2026-13-01", "from"),
    ("repeats", "state=lost", "state"),
    ("repeats", "from=2026-02-01&to=2026-01-01", "to"), ("clusters", "part=magic", "part"),
)  # fmt: skip


def test_bad_parameters_name_their_field(staff):
    strays = []
    for analysis, query, field in BAD:
        page = staff["planner"].get(f"/planning?lang=en&analysis={analysis}&{query}")
        file = staff["planner"].get(f"/planning/{analysis}.geojson?{query}", headers={"Accept": "application/json"})
        said = file.get_json().get("error", {})
        if file.status_code not in {400, 422} or said.get("field") != field:
            strays.append((query, file.status_code, said))
        if field != "part" and (page.status_code not in {400, 422} or 'role="alert"' not in words(page)):
            strays.append((query, page.status_code))

    assert strays == []


def test_a_figure_that_is_not_there_is_said(staff):
    nowhere = ("part=magic", "part=clusters&row=999", "part=clusters&row=x", "part=categories&code=no")

    answers = [staff["planner"].get(f"/planning/cases?analysis=clusters&{query}").status_code for query in nowhere]

    assert answers == [400] * 4
    assert staff["planner"].get("/planning/clusters.exe").status_code == 404


def test_files_hold_the_same_rows_system_and_attributes_in_both_languages(staff, tmp_path):
    tables = {}
    for kind in FILES:
        answer = staff["planner"].get(f"/planning/clusters.{kind}?least=5&lang=en")
        file = tmp_path / f"clusters.{kind}"
        file.write_bytes(answer.data)
        assert "no-store" in answer.headers["Cache-Control"]
        tables[kind] = {"csv": pd.read_csv, "parquet": geopandas.read_parquet}.get(kind, geopandas.read_file)(file)
    drivers = {kind: pyogrio.read_info(tmp_path / f"clusters.{kind}") for kind in ("geojson", "gpkg")}

    first = tables["geojson"]
    assert len(first) > 0
    assert {info["crs"] for info in drivers.values()} == {"EPSG:4326"}
    assert {info["features"] for info in drivers.values()} == {len(first)}
    assert {tables[kind].crs.to_epsg() for kind in FILES[1:]} == {4326}
    for table in tables.values():
        assert set(table.columns) - {"wkt"} == set(first.columns) - {"geometry"} | ({"geometry"} & set(table.columns))
        assert table["count"].tolist() == first["count"].tolist() == table["issues"].tolist()
        assert set(table["category_zh"]) == {"道路"}
        assert set(table["category_en"]) == {"Roads"}
    assert tables["parquet"].geometry.geom_equals_exact(tables["gpkg"].geometry, 1e-9).all()
    assert tables["parquet"].attrs["how"]["method"] == "dbscan"
    assert json.loads(staff["planner"].get("/planning/clusters.geojson").data)["how"]["version"]


def test_a_picture_says_what_it_shows_and_its_figures_are_links(staff):
    svg = staff["planner"].get("/planning/clusters.svg?least=5&lang=zh").get_data(as_text=True)
    bars = staff["planner"].get("/planning/compare.svg?figure=bars&lang=en").get_data(as_text=True)

    assert all(said in svg for said in ("聚类", "EPSG:", "n = ", "/planning/cases?analysis=clusters"))
    assert all(said in bars for said in ("n=", "issues", "/planning/cases?analysis=compare"))
    assert staff["planner"].get("/planning/clusters.png?least=5").data[:4] == b"\x89PNG"


def test_residents_are_said_and_never_guessed(staff, tmp_path):
    file = tmp_path / "residents.csv"
    file.write_text("code,residents,year,source\nC1,4200,2025,census\nC9,10,2025,x\nC2,many,2025,x\nC2,5,3000,x\n")

    report = residents.import_file(OPERATOR, file, today=NOW.date())
    page = words(staff["planner"].get("/planning?lang=en&analysis=compare&per=residents"))

    assert (report.taken, [row for row, *_ in report.rejected]) == (1, [3, 4, 5])
    assert residents.known() == [Count("C1", 4200, 2025, "census")]
    assert "Residents are known of 1 of 4 areas (2025; census). Of 3 areas they are not known, and not guessed." in page
    assert "residents not known" in page


def test_a_cluster_becomes_a_project_with_its_cases_boundary_and_cost(staff):
    form = staff["planner"].get("/planning/project?analysis=clusters&least=10&part=clusters&row=0&lang=en")
    sent = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', words(form)))
    counted_ = counted(words(staff["planner"].get("/planning/cases?analysis=clusters&least=10&part=clusters&row=0")))

    answers = [staff["planner"].post("/planning/project", data=sent | {"title": "Pave the lanes"}) for _ in range(2)]

    assert "Similar closed issues nearby cost" in words(form)
    assert {answer.status_code for answer in answers} == {303}
    with session.snapshot() as db:
        row = db.execute(
            text("SELECT id, title, budget_low, budget_high, ST_Area(area) > 0 AS drawn FROM project")
        ).one()
        cases = db.execute(text("SELECT count(*) FROM project_case")).scalar_one()
    assert answers[0].location.startswith(f"/projects/{row.id}")
    assert (row.title, cases, row.drawn) == ("Pave the lanes", counted_, True)
    # A third is solved: only the others still cost something.
    assert 600 * cases <= row.budget_low <= row.budget_high <= 750 * cases
    assert staff["officer"].get("/planning/project?analysis=clusters").status_code == 403


def test_whether_a_project_worked_is_said_plainly(staff):
    form = staff["planner"].get("/planning/project?analysis=clusters&least=10&part=clusters&row=0&lang=en")
    sent = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', words(form)))
    made = staff["planner"].post("/planning/project", data=sent | {"title": "Pave"}).location.partition("?")[0][-36:]
    address = f"/planning/effect?project={made}&lang=en"

    undated = words(staff["planner"].get(address))
    with session.transaction() as db:
        db.execute(text("UPDATE project SET begins = current_date - 150, ends = current_date - 120"))
    told = words(staff["planner"].get(address))

    assert "no first or last day" in undated
    assert "The data cannot tell." in told
    assert staff["planner"].get("/planning/effect?project=x").status_code == 400
    assert staff["abroad"].get(address).status_code in {403, 404}
