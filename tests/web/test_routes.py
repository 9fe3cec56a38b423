"""Every route × every role: this table is the reviewed list, and a route that is not in it fails (TRUST T20)."""

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from geoapp.domain.boundaries import NewUnit
from geoapp.domain.values import OPERATOR, IssueState, Name, Point, Privacy
from geoapp.services import accounts, boundaries, keys, photos
from geoapp.store import session
from tests.builders import TODAY, a_category, a_place, an_issue, square, store
from tests.web.test_desk import shot

SECRET = "paving stones 62"  # noqa: S105
ROLES = {
    "resident": {},
    "steward": {"place": "C1"},
    "community": {"place": "C1"},
    "unit": {"unit": "U1"},
    "secretary": {"place": "C1"},
    "planner": {},
    "supervisor": {},
    "administrator": {},
}
VIEWERS = ("anonymous", "disabled", "elsewhere", *ROLES)
EVERYBODY = set(VIEWERS)
SIGNED_IN = EVERYBODY - {"anonymous", "disabled"}
STAFF = SIGNED_IN - {"resident"}
LOCAL = STAFF - {"elsewhere"}
PUBLIC_DOORS = (
    "account.code_page account.give_code account.sign_in account.sign_in_page account.sign_out api.duplicates_near "
    "api.features api.listed api.one api.search api.table api.whose base.tile base.whole_file feeds.latest "
    "feeds.of_issue health.live health.ready notices.confirm notices.confirm_page notices.follow "
    "notices.follow_page notices.leave notices.leave_page openapi.for_people openapi.for_programs openid.begin "
    "openid.callback page.static public.about public.issue_page public.list_page public.map_page "
    "place.show place.by_name outside.embed outside.poster outside.preview own.show own.own_photo own.export "
    "own.correct own.remark own.photo own.withdraw own.rate own.erase "
    "public.table reporting.form reporting.send reporting.manifest reporting.worker "
    "rest.add_own_photo rest.report rest.witness tiles.tile tiles.tilejson fieldwork.shell"
)
READ = (
    "meetings.listing meetings.show minutes.show minutes.as_pdf minutes.as_word lists.listing lists.resources_json "
    "lists.resource lists.need projects.show"
)
HELD = (
    "meetings.plan meetings.facts meetings.begin meetings.add meetings.item meetings.rest lists.new_resource "
    "lists.add_resource lists.change_resource lists.new_need lists.add_need lists.change_need"
)
PLANNED = (
    "projects.new projects.create projects.change projects.add_case projects.drop_case projects.add_need projects.use "
    "projects.release projects.book"
)
PROGRAMS = "work act edit enter_cost split settle add_photo change_photo inbox unclear_land me"
TABLE = {
    **dict.fromkeys(PUBLIC_DOORS.split(), EVERYBODY),
    "account.change_password": SIGNED_IN,
    "account.codes": SIGNED_IN,
    "account.make_key": SIGNED_IN,
    "account.revoke_key": SIGNED_IN,
    "account.choose_notices": SIGNED_IN,
    "account.end_session": SIGNED_IN,
    "account.own": SIGNED_IN,
    "desk.inbox": STAFF,
    "desk.act_on_many": STAFF,
    # An issue that is public in part is open to all staff; what they see of it is decided field by field.
    "desk.work": STAFF,
    "desk.feature": STAFF,
    # A visit is seen by whoever may visit everywhere it leads; for others it is not there (test_brief.py).
    **dict.fromkeys(("brief.show", "brief.paper", "brief.gpx", "brief.kml", "outcome.show", "outcome.paper"), STAFF),
    "editing.facts": {"community", "administrator"},
    "editing.cost": {"community", "unit", "secretary"},
    "editing.release": {"community", "administrator"},
    "editing.keep_filter": STAFF,
    "editing.forget_filter": STAFF,
    "desk.split": {"community", "secretary"},
    "desk.act": {"steward", "community", "unit", "secretary", "supervisor"},
    "dryrun.form": {"secretary", "planner", "administrator"},
    "dryrun.act": {"secretary", "planner", "administrator"},
    "lists.projects_json": STAFF,
    "planning.show": {"secretary", "planner", "supervisor", "administrator"},
    "planning.on_map": {"secretary", "planner", "supervisor", "administrator"},
    "planning.export": {"secretary", "planner", "supervisor", "administrator"},
    "planning.cases": {"secretary", "planner", "supervisor", "administrator"},
    "planning.standing": {"secretary", "planner", "supervisor", "administrator"},
    "planning.cancel": {"secretary", "planner", "supervisor", "administrator"},
    "plancrew.crew": {"secretary", "planner", "supervisor", "administrator"},
    "planprojects.effect": {"secretary", "planner", "supervisor", "administrator"},
    "planprojects.project_page": {"secretary", "planner"},
    "planprojects.make_project": {"secretary", "planner"},
    **dict.fromkeys(READ.split(), STAFF),
    # A meeting or a project that one may not see is not found, by whoever keeps such things elsewhere too.
    **{key: {"community", "secretary", "elsewhere"} for key in HELD.split()},
    **{key: {"community", "secretary", "elsewhere", "planner"} for key in PLANNED.split()},
    "meetings.close": {"secretary"},
    "land.worklist": STAFF,
    # What they show is of one's own realm alone; planning a visit is the secretary's.
    "field.survey_map": STAFF,
    "field.issues": STAFF,
    "field.past": STAFF,
    **{
        f"visits.{door}": {"secretary"} for door in ("listed", "new", "preview", "save", "show", "calendar", "carry_on")
    },
    "land.settlement_page": {"secretary", "administrator"},
    "land.settle": {"secretary", "administrator"},
    # Whose visit it is, is decided by its communities; here it is nobody's, and who may visit at all is told so.
    **{
        f"fieldwork.{door}": {"secretary"}
        for door in ("go", "line", "take", "take_map", "send", "show", "show_json", "decide", "tick", "come_home")
    },
    "photos.show": LOCAL,
    "photos.blur_page": {"community", "administrator"},
    "photos.blur": {"community", "administrator"},
    "moderation.queue": {"community", "administrator", "elsewhere"},
    "moderation.decide": {"community", "administrator"},
    # Programs: a key opens them, a cookie does not; the roles behind a key are the ones above.
    **{f"rest.{door}": set() for door in PROGRAMS.split()},
    "photos.add": {"steward", "community", "unit", "secretary", "supervisor"},
    "photos.change": {"community", "administrator"},
}
SECRETS = ("13800138000", "the owner is difficult", "Gate 2", "106.6503217", "人行道破损 hidden")


@pytest.fixture
def place(app):
    a_category()
    a_place("C1", square(106.64, 29.02))
    a_place("C2", square(106.70, 29.02))
    boundaries.store_units(OPERATOR, [NewUnit("U1", Name("", "U1")), NewUnit("U2", Name("", "U2"))], today=TODAY)
    blurred = {"privacy": Privacy.BLURRED, "text_released": False, "point": Point(106.6503217, 29.0301234)}
    store(
        an_issue("hidden", state=IssueState.HANDLING, unit="U1", address="Gate 2", text="call 13800138000", **blurred)
    )
    for login, where in {**ROLES, "elsewhere": {"place": "C2"}, "disabled": {}}.items():
        accounts.add(OPERATOR, login, login, SECRET)
        role = {"elsewhere": "community", "disabled": "supervisor"}.get(login, login)
        accounts.grant(OPERATOR, login, role, **where)
    return app


def browsers(app):
    """A client for each viewer, and the number of the issue."""
    found = {"anonymous": app.test_client()}
    for login in VIEWERS[1:]:
        token = accounts.sign_in(login, SECRET, address=login, browser="", now=datetime.now(UTC)).token
        found[login] = app.test_client()
        found[login].set_cookie("geoapp", token)
    accounts.disable(OPERATOR, "disabled", now=datetime.now(UTC))
    return found


def number():
    with session.snapshot() as db:
        return db.execute(text("SELECT number FROM issue")).scalar_one()


def token_of(client):
    for path in ("/account", "/sign-in"):
        if found := re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).get_data(as_text=True)):
            return found[1]
    raise AssertionError


def test_every_route_has_its_row(app):
    assert {rule.endpoint for rule in app.url_map.iter_rules()} == set(TABLE)


def test_each_role_enters_the_doors_of_its_row_and_no_other(place, settings):
    strays = []
    clients, issue = browsers(place), number()
    tokens = {who: token_of(client) for who, client in clients.items()}
    photo = photos.add(
        OPERATOR, issue, shot().read(), phase="before", caption="", folder=settings.data_dir / "photos",
        now=datetime.now(UTC), zone=settings.zone,
    ).photo.id  # fmt: skip
    names = {"number": issue, "name": issue, "photo": str(photo), "action": "note", "size": "large",
             "change": "release", "mark": "x", "step": "begin", "kept": str(photo), "review": str(photo),
             "visit": str(photo), "issue": str(photo), "record": str(photo), "choice": "mine", "finding": str(photo),
             "key": str(photo), "meeting": str(photo), "resource": str(photo), "need": str(photo),
             "project": str(photo), "analysis": "hotspots", "form": "csv", "z": "1", "x": "1", "y": "1",
             "path": "css/base.css"}  # fmt: skip
    # A photo is released at last: after that everybody may see it.
    for rule in sorted(place.url_map.iter_rules(), key=lambda rule: rule.endpoint == "photos.change"):
        if TABLE[rule.endpoint] == EVERYBODY:
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda match: names[match[1]], rule.rule)
        (method,) = rule.methods - {"HEAD", "OPTIONS"}
        for who, client in clients.items():
            given = {"csrf_token": tokens[who], "note": "x", "phase": "before", "do": "rehearse",
                     "old": SECRET, "new": SECRET}  # fmt: skip
            how = {"headers": {"X-CSRF-Token": tokens[who]}, "json": {"note": "x"}} if method == "PUT" else {}
            if method == "POST":
                how = {"data": given | ({"photo": (shot(), "x.jpg")} if rule.endpoint == "photos.add" else {})}
            with client.open(path, method=method, **how) as answer:
                turned_away = answer.status_code in {401, 403} or (answer.location or "").startswith("/sign-in")
                turned_away |= answer.status_code == 404 and rule.endpoint == "photos.show"
                if turned_away == (who in TABLE[rule.endpoint]):
                    strays.append((rule.endpoint, who, answer.status_code))
                assert answer.status_code < 500

    assert strays == []


def test_nobody_outside_reads_what_is_hidden_through_any_door(place):
    clients, issue = browsers(place), number()
    doors = (
        "/", "/issues", "/issues.csv", f"/issues/{issue}", "/api/issues", f"/api/issues/{issue}", "/about",
        "/feed.atom", f"/issues/{issue}.atom",
        f"/desk/issues/{issue}", f"/desk/issues/{issue}.json", "/desk?in=all",
        "/api/issues?bbox=106.6502,29.0300,106.6504,29.0302",
    )  # fmt: skip
    clients["community"].post(
        f"/desk/issues/{issue}/note",
        data={"note": "the owner is difficult", "version": "1", "csrf_token": token_of(clients["community"])},
    )
    leaks = []
    for who in EVERYBODY - LOCAL:
        for door in doors:
            said = clients[who].get(door).get_data(as_text=True)
            leaks += [(who, door, secret) for secret in SECRETS if secret in said]
    inside = clients["community"].get(f"/desk/issues/{issue}.json").get_data(as_text=True)

    assert leaks == []
    assert all(secret in inside for secret in SECRETS)


def test_a_program_acts_with_the_version_it_has_read(place):
    client, issue = place.test_client(), number()
    head = {"Authorization": f"Bearer {keys.make_for(OPERATOR, 'community', 'tests', now=datetime.now(UTC))}"}
    work = client.get(f"/api/issues/{issue}/work", headers=head)

    def post(action, sent, tag):
        return client.post(f"/api/issues/{issue}/actions/{action}", json=sent, headers=head | tag)

    done = post("shelve", {"note": "no money this year"}, {"If-Match": work.headers["ETag"]})
    late = post("note", {"note": "x"}, {"If-Match": work.headers["ETag"]})
    assert (done.status_code, done.get_json()["state"], done.headers["ETag"]) == (200, "shelved", '"2"')
    assert (late.status_code, late.headers["ETag"], late.get_json()["error"]["code"]) == (409, '"2"', "conflict")
    assert post("note", {"note": "x"}, {}).status_code == 428
    assert post("resume", {"note": 5}, {"If-Match": '"2"'}).get_json()["error"]["field"] == "note"
    assert post("resume", {"colour": "red"}, {"If-Match": '"2"'}).status_code == 400
    assert post("resume", ["x"], {"If-Match": '"2"'}).status_code == 400
    refused = post("close", {}, {"If-Match": '"2"'})
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (409, "refused")
    assert post("dispatch", {"unit": "U2", "helping": ["U1"]}, {"If-Match": '"2"'}).get_json()["version"] == 3
