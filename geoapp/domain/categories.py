"""The category tree as an operator writes it: text of a TOML file in, checked nodes out.

A table's dotted name is the category's code and its place in the tree. What a node does not say it
takes from the node above it. A wrong file is refused with its name, the key and what is known.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from geoapp.domain.values import SEVERITIES, CategoryKind, Name, Privacy, Release
from geoapp.errors import BadFile, BadLayer

STAGES = ("verify", "dispatch", "handle", "check")
"""The stages that have a deadline: 核实, 派遣, 处置, 核查."""
SPANS = ("urgent_hours", "work_hours", "work_days")
"""In what a deadline is counted: 紧急工作时, 工作时, 工作日."""
CONFIDENCE = ("published", "unverified", "local")
"""How sure the number of a category is."""
MAX_DEPTH = 4
MOST_CHECKS = 12
"""A longer list is not gone through on site, and does not fit on a printed page."""

Deadlines = Mapping[str, Mapping[str, int]]

_ITEM = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_OWN = ("name", "scheme", "scheme_code", "sort")
_INHERITED = ("kind", "icon", "colour", "severity", "privacy", "release", "deadlines", "checklist")
_KEYS = (*_OWN, *_INHERITED)


@dataclass(frozen=True, slots=True)
class Scheme:
    """A published table of numbers: what it is called, where we have it from, how sure it is."""

    name: str
    origin: str
    confidence: str


@dataclass(frozen=True, slots=True)
class CategoryNode:
    """A category: ``code`` is its dotted name, ``path`` its own code after those of all above it."""

    code: str
    name: Name
    kind: CategoryKind
    icon: str
    colour: str
    severity: int
    privacy: Privacy
    release: Release
    deadlines: Deadlines
    checklist: tuple[Name, ...]
    scheme: Scheme
    scheme_code: str
    sort: int

    @property
    def path(self) -> tuple[str, ...]:
        parts = self.code.split(".")
        return tuple(".".join(parts[: n + 1]) for n in range(len(parts)))

    @property
    def parent(self) -> str | None:
        return self.path[-2] if "." in self.code else None


@dataclass(frozen=True, slots=True)
class Checklists:
    """What to look at on site (现场清单), by category; ``general`` is for one that no file names."""

    by_code: Mapping[str, tuple[Name, ...]]
    general: tuple[Name, ...]

    def of(self, code: str) -> tuple[Name, ...]:
        """The list of a category, of the nearest one above it that is known, or the general one."""
        while code:
            if code in self.by_code:
                return self.by_code[code]
            code = code.rpartition(".")[0]
        return self.general


def checklists(text: str, *, file: str) -> Checklists:
    """The checklists of a tree; raises as ``parse`` does."""
    nodes = parse(text, file=file)
    default = tomllib.loads(text).get("default", {})
    general = _Reading(file).inherited("default", default, _ROOT).checklist
    return Checklists({node.code: node.checklist for node in nodes}, general)


def parse(text: str, *, file: str) -> tuple[CategoryNode, ...]:
    """Read the tree, parents before children, in the order of the file.

    Raises BadFile for text that is not TOML or holds no category, BadLayer for a wrong key or value;
    ``file`` is the name that the errors carry.
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadFile(file, f"is not TOML: {error}") from error
    reading = _Reading(file)
    schemes = {
        key: reading.scheme(key, table) for key, table in reading.table("schemes", tree.pop("schemes", {})).items()
    }
    default = reading.table("default", tree.pop("default", {}))
    reading.known("default", default, _INHERITED)
    root = reading.inherited("default", default, _ROOT)
    nodes = tuple(reading.branch(tree, above=root, schemes=schemes))
    if not nodes:
        raise BadFile(file, "holds no category; write one as [road] with name = { zh = …, en = … }")
    return nodes


_NO_SCHEME = Scheme(name="", origin="", confidence="local")
_ROOT = CategoryNode(
    code="",
    name=Name("", ""),
    kind=CategoryKind.OTHER,
    icon="dot",
    colour="#5f6b7a",
    severity=2,
    privacy=Privacy.PUBLIC,
    release=Release.AFTER_REVIEW,
    deadlines={},
    checklist=(),
    scheme=_NO_SCHEME,
    scheme_code="",
    sort=0,
)


@dataclass(frozen=True, slots=True)
class _Reading:
    """One file being read: every refusal names it."""

    file: str

    def refuse(self, key: str, why: str) -> BadLayer:
        return BadLayer(self.file, key, why)

    def branch(
        self, tables: Mapping[str, Any], *, above: CategoryNode, schemes: Mapping[str, Scheme]
    ) -> Iterator[CategoryNode]:
        """The nodes of one level, each followed by those below it."""
        for position, (item, found) in enumerate(tables.items(), start=1):
            code = f"{above.code}.{item}".removeprefix(".")
            table = self._category(code, item, found)
            own = {key: value for key, value in table.items() if key in _KEYS}
            node = replace(
                self.inherited(code, own, above),
                code=code,
                name=self._name(code, own.get("name")),
                scheme=self._scheme_of(code, own, schemes),
                scheme_code=self._text(f"{code}.scheme_code", own.get("scheme_code", ""), least=0),
                sort=self._number(f"{code}.sort", own.get("sort", position * 10), range(100_000)),
            )
            yield node
            below = {key: value for key, value in table.items() if key not in _KEYS}
            yield from self.branch(below, above=node, schemes=schemes)

    def inherited(self, key: str, own: Mapping[str, Any], above: CategoryNode) -> CategoryNode:
        """``above`` with everything changed that ``own`` says of what is handed down."""
        return replace(
            above,
            kind=CategoryKind(self._one_of(f"{key}.kind", own.get("kind", above.kind), tuple(CategoryKind))),
            icon=self._matching(f"{key}.icon", own.get("icon", above.icon), _ITEM, "a short key such as street-light"),
            colour=self._matching(f"{key}.colour", own.get("colour", above.colour), _COLOUR, "a colour as #1a2b3c"),
            severity=self._number(f"{key}.severity", own.get("severity", above.severity), SEVERITIES),
            privacy=Privacy(self._one_of(f"{key}.privacy", own.get("privacy", above.privacy), tuple(Privacy))),
            release=Release(self._one_of(f"{key}.release", own.get("release", above.release), tuple(Release))),
            deadlines={**above.deadlines, **self._deadlines(f"{key}.deadlines", own.get("deadlines", {}))},
            checklist=self._checklist(f"{key}.checklist", own["checklist"]) if "checklist" in own else above.checklist,
        )

    def scheme(self, key: str, found: Any) -> Scheme:
        name = f"schemes.{key}"
        table = self.table(name, found)
        self.known(name, table, ("name", "origin", "confidence"))
        return Scheme(
            name=self._text(f"{name}.name", table.get("name")),
            origin=self._text(f"{name}.origin", table.get("origin")),
            confidence=self._one_of(f"{name}.confidence", table.get("confidence"), CONFIDENCE),
        )

    def table(self, key: str, found: Any) -> dict[str, Any]:
        if not isinstance(found, dict):
            raise self.refuse(key, "must be a table")
        return found

    def known(self, key: str, table: Mapping[str, Any], keys: tuple[str, ...]) -> None:
        for name in table:
            if name not in keys:
                raise self.refuse(f"{key}.{name}", f"is not known here; known are {', '.join(keys)}")

    def _category(self, code: str, item: str, found: Any) -> dict[str, Any]:
        if not isinstance(found, dict):
            raise self.refuse(code, f"is no key of a category; known are {', '.join(_KEYS)}")
        if not _ITEM.fullmatch(item):
            raise self.refuse(code, "a code has small letters, digits and single hyphens only")
        if code.count(".") >= MAX_DEPTH:
            raise self.refuse(code, f"lies too deep; the tree may have {MAX_DEPTH} levels")
        return found

    def _name(self, code: str, found: Any) -> Name:
        if not isinstance(found, dict) or set(found) != {"zh", "en"}:
            raise self.refuse(f"{code}.name", 'must say both languages: name = { zh = "…", en = "…" }')
        return Name(self._text(f"{code}.name.zh", found["zh"]), self._text(f"{code}.name.en", found["en"]))

    def _checklist(self, key: str, found: Any) -> tuple[Name, ...]:
        if not isinstance(found, list) or len(found) > MOST_CHECKS:
            raise self.refuse(key, f'must be a list of at most {MOST_CHECKS} lines: [{{ zh = "…", en = "…" }}, …]')
        lines = [self.table(f"{key}.{nth}", line) for nth, line in enumerate(found, start=1)]
        for nth, line in enumerate(lines, start=1):
            self.known(f"{key}.{nth}", line, ("zh", "en"))
        return tuple(
            Name(self._text(f"{key}.{nth}.zh", line.get("zh")), self._text(f"{key}.{nth}.en", line.get("en")))
            for nth, line in enumerate(lines, start=1)
        )

    def _scheme_of(self, code: str, own: Mapping[str, Any], schemes: Mapping[str, Scheme]) -> Scheme:
        if "scheme" not in own:
            if "scheme_code" in own:
                raise self.refuse(f"{code}.scheme", "must say which table the scheme_code is from")
            return _NO_SCHEME
        return schemes[self._one_of(f"{code}.scheme", own["scheme"], tuple(schemes))]

    def _deadlines(self, key: str, found: Any) -> dict[str, dict[str, int]]:
        stages = self.table(key, found)
        self.known(key, stages, STAGES)
        return {stage: self._span(f"{key}.{stage}", span) for stage, span in stages.items()}

    def _span(self, key: str, found: Any) -> dict[str, int]:
        span = self.table(key, found)
        self.known(key, span, SPANS)
        if len(span) != 1:
            raise self.refuse(key, f"must give one number, in one of {', '.join(SPANS)}")
        return {unit: self._number(f"{key}.{unit}", number, range(1, 1000)) for unit, number in span.items()}

    def _text(self, key: str, found: Any, *, least: int = 1) -> str:
        most = 200
        if not isinstance(found, str) or not least <= len(found.strip()) <= most:
            raise self.refuse(key, f"must be a text of {least} to {most} characters in quotation marks")
        return found.strip()

    def _one_of(self, key: str, found: Any, allowed: tuple[str, ...]) -> str:
        if not isinstance(found, str) or found not in allowed:
            raise self.refuse(key, f"must be one of {', '.join(allowed)}")
        return found

    def _number(self, key: str, found: Any, allowed: range | tuple[int, ...]) -> int:
        if not isinstance(found, int) or isinstance(found, bool) or found not in allowed:
            raise self.refuse(key, f"must be a whole number from {allowed[0]} to {allowed[-1]}")
        return found

    def _matching(self, key: str, found: Any, rule: re.Pattern[str], words: str) -> str:
        if not isinstance(found, str) or not rule.fullmatch(found):
            raise self.refuse(key, f"must be {words}")
        return found
