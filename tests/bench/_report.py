"""What measurements share: options, medians, a table against the goals of the design, and JSON of it all."""

import argparse
import json
import platform
import socket
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Options:
    rows: int
    peers: bool
    rounds: int
    out: Path | None


@dataclass(slots=True)
class Series:
    """Seconds of one way to get the same answer."""

    seconds: list[float] = field(default_factory=list)
    bytes: list[int] = field(default_factory=list)

    def at(self, percent: float) -> float:
        """A percentile, in milliseconds."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] * 1000

    @property
    def per_second(self) -> float:
        return len(self.seconds) / sum(self.seconds)


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure of the design, and what came out; ``at_most`` says on which side of it is good."""

    words: str
    wanted: float
    found: float
    at_most: bool = False

    @property
    def met(self) -> bool:
        return self.found <= self.wanted if self.at_most else self.found >= self.wanted


def options(argv: Sequence[str], *, rows: int, rounds: int = 2) -> Options:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=rows)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--no-peers", action="store_true", help="leave tipg and pygeoapi out, which need the network")
    parser.add_argument("--out", type=Path, help="write all figures as JSON into this file")
    told = parser.parse_args(argv)
    return Options(told.rows, not told.no_peers, told.rounds, told.out)


def tell(name: str, asked: Options, series: dict[str, Series], goals: Sequence[Goal], **more: object) -> None:
    """Print the table, and write the JSON."""
    print(f"\n{name}: {asked.rows:,} issues, {asked.rounds} rounds, {platform.machine()}, {cores()} cores")  # noqa: T201
    for way, one in series.items():
        if one.seconds:
            size = f"{max(one.bytes) / 1000:8.0f} kB at most" if one.bytes else ""
            print(  # noqa: T201
                f"  {way:34} p50 {one.at(50):8.2f}  p95 {one.at(95):8.2f} ms  {one.per_second:8.1f}/s {size}"
            )
    for key, value in more.items():
        print(f"  {key}: {value}")  # noqa: T201
    for goal in goals:
        side = "≤" if goal.at_most else "≥"
        print(f"  {'✓' if goal.met else '✗'} {goal.words}: {goal.found:.2f} (wanted {side} {goal.wanted})")  # noqa: T201
    if asked.out:
        figures = {
            way: {"p50_ms": one.at(50), "p95_ms": one.at(95), "per_second": one.per_second, "n": len(one.seconds),
                  "largest": max(one.bytes, default=0)}
            for way, one in series.items() if one.seconds
        }  # fmt: skip
        told = {
            "measurement": name, "at": datetime.now(UTC).isoformat(), "rows": asked.rows, "rounds": asked.rounds,
            "machine": platform.platform(), "cores": cores(), "figures": figures, "more": more,
            "goals": [asdict(goal) | {"met": goal.met} for goal in goals],
        }  # fmt: skip
        asked.out.write_text(json.dumps(told, indent=1, ensure_ascii=False, default=str), encoding="utf-8")


def cores() -> int:
    import os

    return os.cpu_count() or 1


def median_ratio(one: Series, other: Series) -> float:
    """How many times as long the first takes, pair by pair."""
    return statistics.median(a / b for a, b in zip(one.seconds, other.seconds, strict=True))


def throughput(one: Series, other: Series) -> float:
    """How many times as many the first does in a second."""
    return one.per_second / other.per_second


class Client:
    """One kept connection, as a browser's."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._line = HTTPConnection("127.0.0.1", port, timeout=120)

    def close(self) -> None:
        self._line.close()

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
        for again in (False, True):
            try:
                self._line.request("GET", path, headers=headers or {})
                answer = self._line.getresponse()
                return answer.status, dict(answer.headers), answer.read()
            except (ConnectionError, OSError):
                self._line.close()
                if again:
                    raise
        raise AssertionError

    def post(self, path: str, sent: object, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        """Send JSON and have JSON; never sent twice."""
        self._line.request("POST", path, json.dumps(sent), {"Content-Type": "application/json", **(headers or {})})
        answer = self._line.getresponse()
        return answer.status, json.loads(answer.read() or b"null")

    def timed(self, into: Series, path: str, headers: dict[str, str] | None = None) -> dict[str, str]:
        began = time.perf_counter()
        status, told, body = self.get(path, headers)
        into.seconds.append(time.perf_counter() - began)
        into.bytes.append(len(body))
        if status not in {200, 204, 304}:
            raise RuntimeError(f"{path} answers {status}: {body[:300]!r}")
        return told

    def wait(self, path: str, *, ready: Callable[[int], bool] = lambda status: status == 200) -> None:
        """Until somebody answers there."""
        for _ in range(400):
            try:
                if ready(self.get(path)[0]):
                    return
            except OSError:
                self._line.close()
            time.sleep(0.1)
        raise RuntimeError(f"nobody answers at {self._port}{path}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])
