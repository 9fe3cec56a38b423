"""The category tree as an operator writes it; a wrong file is refused with its key."""

import pytest

from geoapp import config
from geoapp.domain.categories import checklists, parse
from geoapp.domain.values import CategoryKind, Name, Privacy
from geoapp.errors import BadFile, BadLayer

SHIPPED = config.shipped("layers") / "data" / "categories.toml"
NAME = 'name = { zh = "道路", en = "Roads" }\n'
ROAD = f"[road]\n{NAME}"


def tree(text):
    return {node.code: node for node in parse(text, file="mine.toml")}


def test_the_shipped_tree_has_the_categories_that_the_product_names():
    nodes = tree(SHIPPED.read_text(encoding="utf-8"))

    assert {
        "road.broken-sidewalk", "road.abandoned-path", "waste.dumping-site", "fire.leaking-pipe",
        "light.missing-street-light", "green.fallen-tree", "water.flooded-road", "fence.damaged-guardrail",
        "green.tree-blocking-light", "building.title",
    } <= set(nodes)  # fmt: skip
    assert all(node.name.zh and node.name.en for node in nodes.values())
    assert all(set(node.deadlines) == {"verify", "dispatch", "handle", "check"} for node in nodes.values())


def test_a_category_takes_from_above_what_it_does_not_say():
    nodes = tree(
        '[default]\nseverity = 3\ndeadlines = { check = { work_days = 1 } }\n'
        f'{ROAD}kind = "component"\ncolour = "#112233"\nprivacy = "blurred"\n'
        'deadlines = { handle = { work_days = 5 } }\n'
        '[road.path]\nname = { zh = "小路", en = "Path" }\nseverity = 1\ndeadlines = { handle = { work_hours = 4 } }\n'
    )  # fmt: skip

    path = nodes["road.path"]
    assert (path.kind, path.colour, path.privacy) == (CategoryKind.COMPONENT, "#112233", Privacy.BLURRED)
    assert (nodes["road"].severity, path.severity) == (3, 1)
    assert path.deadlines == {"check": {"work_days": 1}, "handle": {"work_hours": 4}}
    assert (path.path, path.parent, nodes["road"].parent) == (("road", "road.path"), "road", None)


def test_what_a_file_does_not_say_at_all_is_plain():
    road = tree(ROAD)["road"]

    assert (road.kind, road.icon, road.severity, road.privacy) == (CategoryKind.OTHER, "dot", 2, Privacy.PUBLIC)
    assert (road.deadlines, road.scheme.confidence, road.sort) == ({}, "local", 10)


def test_the_tree_may_have_four_levels():
    codes = ["a", "a.b", "a.b.c", "a.b.c.d"]

    nodes = tree("".join(f"[{code}]\n{NAME}" for code in codes))

    assert nodes["a.b.c.d"].path == tuple(codes)


def test_scheme_and_number_are_always_a_categorys_own():
    nodes = tree(
        '[schemes.cj]\nname = "CJ/T 214"\norigin = "published"\nconfidence = "published"\n'
        f'{ROAD}scheme = "cj"\nscheme_code = "01"\nsort = 5\n[road.path]\nname = {{ zh = "小路", en = "Path" }}\n'
    )

    assert (nodes["road"].scheme.name, nodes["road"].scheme_code, nodes["road"].sort) == ("CJ/T 214", "01", 5)
    assert (nodes["road.path"].scheme.name, nodes["road.path"].scheme_code) == ("", "")
    assert nodes["road"].name == Name("道路", "Roads")


def test_categories_come_in_the_order_of_the_file_parents_first():
    nodes = tree(f"[b]\n{NAME}[b.z]\n{NAME}[b.a]\n{NAME}[a]\n{NAME}")

    assert list(nodes) == ["b", "b.z", "b.a", "a"]
    assert [node.sort for node in nodes.values()] == [10, 10, 20, 20]


@pytest.mark.parametrize(
    ("text", "why"),
    [("[road", "is not TOML"), ("", "holds no category"), ("[default]", "holds no"), ("[schemes]", "holds no")],
)
def test_a_file_that_is_no_tree_is_refused(text, why):
    with pytest.raises(BadFile, match=f"mine.toml: {why}"):
        tree(text)


@pytest.mark.parametrize(
    ("text", "key", "why"),
    [
        ("[road]", "road.name", "both languages"),
        ('[road]\nname = "Roads"', "road.name", "both languages"),
        ('[road]\nname = { zh = "路", en = " " }', "road.name.en", "1 to 200 characters"),
        ('[road]\nname = { zh = 5, en = "Roads" }', "road.name.zh", "1 to 200 characters"),
        (f"{ROAD}color = 5", "road.color", "is no key of a category; known are name"),
        (f"{ROAD}[road.Path]\n{NAME}", "road.Path", "small letters"),
        (f"{ROAD}[road.a.b.c.d]\n{NAME}", "road.a.name", "both languages"),
        (
            "".join(f"[{code}]\n{NAME}" for code in ("a", "a.b", "a.b.c", "a.b.c.d", "a.b.c.d.e")),
            "a.b.c.d.e",
            "4 levels",
        ),
        (f'{ROAD}kind = "thing"', "road.kind", "must be one of component, event, other"),
        (f"{ROAD}kind = 3", "road.kind", "must be one of"),
        (f'{ROAD}icon = "Road!"', "road.icon", "a short key"),
        (f'{ROAD}colour = "red"', "road.colour", "a colour as #1a2b3c"),
        (f"{ROAD}severity = 9", "road.severity", "from 1 to 4"),
        (f"{ROAD}severity = 0", "road.severity", "from 1 to 4"),
        (f"{ROAD}severity = 2.5", "road.severity", "from 1 to 4"),
        (f"{ROAD}severity = true", "road.severity", "from 1 to 4"),
        (f"{ROAD}sort = -1", "road.sort", "from 0 to 99999"),
        (f'{ROAD}privacy = "secret"', "road.privacy", "must be one of public, blurred, private"),
        (f'{ROAD}scheme = "cj"', "road.scheme", "must be one of"),
        (f'{ROAD}scheme_code = "01"', "road.scheme", "must say which table"),
        (f"{ROAD}scheme_code = 1", "road.scheme", "must say which table"),
        (f"{ROAD}deadlines = 5", "road.deadlines", "must be a table"),
        (f"{ROAD}deadlines = {{ lunch = {{ work_days = 1 }} }}", "road.deadlines.lunch", "known are verify, dispatch"),
        (f"{ROAD}deadlines = {{ handle = {{ weeks = 1 }} }}", "road.deadlines.handle.weeks", "known are urgent_hours"),
        (f"{ROAD}deadlines = {{ handle = {{ }} }}", "road.deadlines.handle", "must give one number"),
        (f"{ROAD}deadlines = {{ handle = 5 }}", "road.deadlines.handle", "must be a table"),
        (
            f"{ROAD}deadlines = {{ handle = {{ work_days = 1, work_hours = 8 }} }}",
            "road.deadlines.handle",
            "must give one number",
        ),
        (f"{ROAD}deadlines = {{ handle = {{ work_days = 0 }} }}", "road.deadlines.handle.work_days", "from 1 to 999"),
        (f"[schemes.cj]\nname = 'x'\n{ROAD}", "schemes.cj.origin", "1 to 200 characters"),
        (f"[schemes.cj]\nnumber = 5\n{ROAD}", "schemes.cj.number", "known are name, origin, confidence"),
        (
            f"[schemes.cj]\nname = 'x'\norigin = 'y'\nconfidence = 'sure'\n{ROAD}",
            "schemes.cj.confidence",
            "must be one of published, unverified, local",
        ),
        (f"[schemes]\ncj = 5\n{ROAD}", "schemes.cj", "must be a table"),
        (f"default = 5\n{ROAD}", "default", "must be a table"),
        (f"[default]\nseverity = 7\n{ROAD}", "default.severity", "from 1 to 4"),
        (f'[road]\nname = {{ zh = "路", en = "{"x" * 201}" }}', "road.name.en", "1 to 200 characters"),
        (f"[road-]\n{NAME}", "road-", "single hyphens"),
        (f"schemes = 5\n{ROAD}", "schemes", "must be a table"),
        (f"[default]\nname = 'x'\n{ROAD}", "default.name", "known are kind, icon"),
    ],
)
def test_a_wrong_key_or_value_is_refused_by_its_name(text, key, why):
    with pytest.raises(BadLayer) as refused:
        tree(text)

    assert f"mine.toml: {key}" in str(refused.value)
    assert why in str(refused.value)


def test_a_checklist_is_handed_down_until_a_category_has_its_own():
    nodes = tree(
        '[default]\nchecklist = [{ zh = "看", en = "Look" }]\n'
        f'{ROAD}[road.path]\n{NAME}checklist = [{{ zh = "走", en = "Walk" }}, {{ zh = "量", en = "Measure" }}]\n'
        f"[road.path.steps]\n{NAME}[road.none]\n{NAME}checklist = []\n"
    )

    assert nodes["road"].checklist == (Name("看", "Look"),)
    assert nodes["road.path.steps"].checklist == (Name("走", "Walk"), Name("量", "Measure"))
    assert nodes["road.none"].checklist == ()


@pytest.mark.parametrize(
    ("lines", "key"),
    [
        ('"look"', "road.checklist"),
        ("[" + '{ zh = "看", en = "Look" },' * 13 + "]", "road.checklist"),
        ('["look"]', "road.checklist.1"),
        ('[{ zh = "看" }]', "road.checklist.1.en"),
        ('[{ zh = "看", en = "Look", fr = "Voir" }]', "road.checklist.1.fr"),
    ],
)
def test_a_wrong_line_of_a_checklist_is_refused_by_its_number(lines, key):
    with pytest.raises(BadLayer) as refusal:
        tree(f"{ROAD}checklist = {lines}\n")

    assert key in str(refusal.value)


def test_a_category_that_no_file_names_has_the_list_of_the_nearest_above_it_or_the_general_one():
    known = checklists(
        f'[default]\nchecklist = [{{ zh = "看", en = "Look" }}]\n{ROAD}checklist = [{{ zh = "量", en = "Measure" }}]\n',
        file="mine.toml",
    )

    assert known.of("road") == known.of("road.by-import.deeper") == (Name("量", "Measure"),)
    assert known.of("31-potholes") == known.general == (Name("看", "Look"),)


def test_every_shipped_category_but_the_rest_has_something_of_its_own_to_look_at():
    text = SHIPPED.read_text(encoding="utf-8")
    known = checklists(text, file="categories.toml")

    assert {code for code, lines in known.by_code.items() if lines == known.general} <= {
        "other", "other.stray-animals", "other.unlisted"
    }  # fmt: skip
    assert all(3 <= len(lines) <= 6 for lines in known.by_code.values())
