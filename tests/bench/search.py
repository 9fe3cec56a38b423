"""Searching issues through the service, against LIKE over the same columns: ``./run bench search [ISSUES]``."""

import re
import sys
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import text

from geoapp import config
from geoapp.demo import __file__ as demo
from geoapp.domain.values import ANONYMOUS, OPERATOR, IssueFilter
from geoapp.services import imports, issues
from geoapp.store import session
from tests.bench._place import MAPPING, TODAY, place, timed

ROUNDS, LIKES = 40, 3
UTC_ZONE = ZoneInfo("UTC")
ENGLISH = (
    "broken sidewalk near the gate of", "street light dark since Monday at", "garbage piled behind the market of",
    "manhole cover missing on lane", "flooded road after rain near", "fallen tree blocks the path to",
)  # fmt: skip
LIKE = (
    "SELECT count(*) FROM issue WHERE public_geom IS NOT NULL AND text_released AND "
    "(title ILIKE :like OR text ILIKE :like OR number ILIKE :like OR address ILIKE :like)"
)
SIGNS = (
    "永安新城文化龙虎山河江溪桥沙石古南北东西中心金银玉兴盛通惠三"
    "角打隆横扶欢赶水安稳丁篆塘沱湾菜坝天星云海春秋梅兰竹菊德仁义礼智信和平"
)
STATES = ("accepted", "handling", "closed")


def main(count: int) -> None:
    with place(), TemporaryDirectory() as folder:
        file, mapping = a_table(Path(folder), count)
        bring(file, mapping)
        say(f"{count:,} issues; index {size()}")
        say(f"{'':24}  page of 50 and count              LIKE, count only")
        for name, ask in searches(count).items():
            against(name, ask)
        slower(Path(folder), min(count, 50_000))


def against(name: str, ask: Callable[[Any], str]) -> None:
    random = np.random.default_rng(3)
    asked = [ask(random) for _ in range(ROUNDS)]
    own = np.array([timed(lambda words=words: search(words)) for words in asked])
    found = [search(words) for words in asked]
    like = np.array([timed(lambda words=words: plain(words)) for words in asked[:LIKES]])
    ratio = like.mean() / own.mean()
    say(
        f"{name:24}  p50 {ms(own, 50)}  p95 {ms(own, 95)} ms  {ms(like, 50)} ms  {ratio:6.1f} × as fast;"
        f" {np.median(found):,.0f} found, at most {max(found):,}"
    )


def ms(seconds: "np.typing.NDArray[np.float64]", percent: int) -> str:
    return f"{np.percentile(seconds, percent) * 1000:7.1f}"


def search(words: str) -> int:
    return issues.search(ANONYMOUS, IssueFilter(words=words), zone=UTC_ZONE, limit=50).matched


def plain(words: str) -> None:
    with session.snapshot() as db:
        db.execute(text(LIKE), {"like": f"%{words}%"}).scalar()


def searches(count: int) -> dict[str, Callable[[Any], str]]:
    """What is asked: any piece of what some issues say, the rare as often as the common."""
    with session.snapshot() as db:
        found = db.execute(text("SELECT title || ' ' || text || ' ' || address FROM issue ORDER BY id LIMIT 3000"))
        texts = found.scalars().all()
        runs = {run for said in texts for run in re.findall("[一-龥]+", said)}
    english = sorted({word for said in texts for word in re.findall("[a-zA-Z]{4,}", said)})

    def cut(size: int) -> Callable[[Any], str]:
        pieces = sorted({run[at : at + size] for run in runs for at in range(len(run) - size + 1)})
        return lambda random: str(random.choice(pieces))

    return {
        "1 Chinese character": cut(1),
        "2 Chinese characters": cut(2),
        "4 Chinese characters": cut(4),
        "English word": lambda random: str(random.choice(english)),
        "beginning of a word": lambda random: str(random.choice(english))[:4],
        "number, whole": lambda random: f"QJ-2026-{random.integers(1, count):06d}",
        "number, last part": lambda random: f"{random.integers(1, count):06d}",
        "two words": lambda random: f"{cut(2)(random)} {cut(2)(random)}",
        "not there": lambda random: "鑫淼" + str(random.integers(10**6)),
    }


def slower(folder: Path, count: int) -> None:
    """What columns and indexes cost an import; without them nothing can be searched any more."""
    file, mapping = a_table(folder, count)
    spent = []
    for dropped in ((), ("public_grams", "hidden_grams")):
        with session.bulk() as db:
            db.execute(text("TRUNCATE issue CASCADE"))
            for column in dropped:
                db.execute(text(f"ALTER TABLE issue DROP COLUMN {column}"))
        spent.append(timed(lambda: bring(file, mapping)))
    say(f"import of {count:,}: {spent[0]:.1f} s, without search {spent[1]:.1f} s: "
        f"{spent[0] / spent[1]:.2f} × as long")  # fmt: skip


def size() -> str:
    with session.bulk() as db:
        db.execute(text("SELECT gin_clean_pending_list('ix_issue_public_grams')"))
        return str(db.execute(text("SELECT pg_size_pretty(pg_relation_size('ix_issue_public_grams'))")).scalar())


def a_table(folder: Path, count: int) -> tuple[Path, Path]:
    """A CSV of issues in all categories with titles and texts as in the demonstration, every fifth in English.

    Each names a road and a building; there are some thousand of these, as in a real city.
    """
    random = np.random.default_rng(1)
    said = tomllib.loads(Path(demo).with_name("titles.toml").read_text(encoding="utf-8"))
    places = (config.shipped("layers") / "data" / "qijiang_places.csv").read_text(encoding="utf-8").split("\n")
    names = [line.split(",")[2] for line in places[1:] if line]
    kinds = sorted(said["titles"])
    roads = [
        "".join(random.choice(list(SIGNS), 2)) + str(random.choice(["路", "街", "巷", "大道"])) for _ in range(2000)
    ]
    shops = ["".join(random.choice(["ba", "lo", "sha", "wen", "ki", "tu", "mer", "ri"], 4)) for _ in range(3000)]
    houses = ["".join(random.choice(list(SIGNS), 3)) + str(random.choice(["苑", "大厦", "小区"])) for _ in range(4000)]
    file, mapping = folder / "issues.csv", folder / "bench.toml"
    picks = random.integers(0, 1 << 30, (count, 8)).tolist()
    points = np.column_stack([random.uniform(106.4, 107.0, count), random.uniform(28.5, 29.2, count)])
    with file.open("w", encoding="utf-8") as out:
        out.write("id,opened,type,state,title,lon,lat,text,address\n")
        for number, (a, b, c, d, e, f, g, day) in enumerate(picks):
            kind = kinds[f % len(kinds)]
            spot, road = said["spots"][a % len(said["spots"])], roads[c % len(roads)]
            told = said["titles"][kind]
            title = f"{ENGLISH[b % len(ENGLISH)]} {shops[c % 3000]}" if number % 5 == 0 else told[b % len(told)]
            more = f"{names[d % len(names)]}{houses[e % len(houses)]}{spot}{title}，{said['words'][g % 10]}"
            opened = datetime(2025 + day % 2, 1 + day % 10, 1 + day % 28, tzinfo=UTC).isoformat()
            lon, lat = points[number]
            out.write(f"{number},{opened},{kind},{STATES[g % 3]},{title},{lon:.6f},{lat:.6f},{more},"
                      f"{road}{c % 300}号{spot}\n")  # fmt: skip
    text_columns = 'title = "title"\ntext = "text"\naddress = "address"\n'
    head = MAPPING.replace('title = "title"\n', text_columns)
    mapping.write_text(head + "".join(f'"{kind}" = "{kind}"\n' for kind in kinds), encoding="utf-8")
    return file, mapping


def bring(file: Path, mapping: Path) -> None:
    imports.import_files(
        OPERATOR, [file], mapping, today=TODAY, now=datetime(2026, 11, 20, tzinfo=UTC), zone=UTC_ZONE,
        number_prefix="QJ",
    )  # fmt: skip
    with session.bulk() as db:
        db.execute(text("ANALYZE issue"))


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 500_000)
