"""The words of a search as SQL: looked up by grams, then compared as they stand.

The public finds issues only by what it may read. Two columns hold that apart: the grams of released words, and
those of all the others, which only staff ask (``migrations/versions/0010_search.py``).
"""

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from geoapp.domain import bigrams
from geoapp.domain.bigrams import Term

_GIVEN = "i.number, i.title, i.text, i.address, i.text_released, i.privacy"


def words(db: Session, searched: str, full: str) -> tuple[str, dict[str, Any]]:
    """The condition over ``issue i`` that each term occurs in the issue's words or in a name that it carries.

    ``full`` is SQL that is true where the searcher sees everything: only there hidden words are looked at, or
    a search could be used to guess them.

    Names are those of community and category. They are looked up first, because a plan made without knowing
    how many there are may read every issue.
    """
    parts = ("public",) if full == "false" else ("public", "hidden")
    sql: list[str] = []
    binds: dict[str, Any] = {}
    for n, term in enumerate(bigrams.terms(searched)):
        binds |= {f"term{n}": term.text, f"grams{n}": _query(term)}
        named, codes = _named(db, term, n)
        binds |= codes
        held = (_seen(part, full, f"i.{part}_grams @@ CAST(:grams{n} AS tsquery)") for part in parts)
        sql.append(_either(*named, *held))
        if not term.whole:
            # Apart from the line above, so that an index answers that one in full; ``strpos`` knows no wildcards.
            stands = (_seen(part, full, _stands(f"issue_{part}_words({_GIVEN})", n)) for part in parts)
            sql.append(_either(*named, *stands))
    return " AND ".join(sql) or "false", binds


def _seen(part: str, full: str, condition: str) -> str:
    return f"({full} AND {condition})" if part == "hidden" and full != "true" else condition


def _either(*conditions: str) -> str:
    return f"({' OR '.join(conditions)})"


def _stands(said: str, n: int) -> str:
    """As it was written, which is most often so and costs little, or folded."""
    return f"strpos({said}, :term{n}) > 0 OR strpos(search_fold({said}), :term{n}) > 0"


def _query(term: Term) -> str:
    """A tsquery; grams have no quotation marks, because these are gaps."""
    return " & ".join([*(f"'{gram}'" for gram in term.grams), *(f"'{start}':*" for start in term.beginnings)])


def _named(db: Session, term: Term, n: int) -> tuple[list[str], dict[str, Any]]:
    """Conditions, and their binds, that an issue carries a name in which the term occurs."""
    names = "concat_ws(chr(10), name_zh, name_en)"
    occurs = f"search_grams({names}) @@ CAST(:grams AS tsquery) AND strpos(search_fold({names}), :term) > 0"
    row = db.execute(
        text(
            f"SELECT ARRAY(SELECT id FROM place WHERE kind = 'community' AND {occurs}) AS places, "
            f"ARRAY(SELECT CAST(code AS text) FROM category WHERE {occurs}) AS categories"
        ),
        {"grams": _query(term), "term": term.text},
    ).one()
    found = {f"places{n}": ("i.community_id", row.places), f"categories{n}": ("i.category_code", row.categories)}
    used = {name: ids for name, (_, ids) in found.items() if ids}
    return [f"{found[name][0]} = ANY (:{name})" for name in used], used
