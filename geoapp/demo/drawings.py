"""The photos of the four stories: drawn, marked as drawn, and taken in on the same way as everybody's."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from geoapp.demo import scenes
from geoapp.demo.canvas import Sheet
from geoapp.domain.values import NewIssue, Phase, Viewer
from geoapp.services import photos

SHOTS: dict[str, tuple[Callable[[str], Sheet], dict[Phase, str]]] = {
    "road.broken-sidewalk": (
        scenes.sidewalk,
        {
            Phase.BEFORE: "地砖碎裂约 40 米，车辆停在人行道上",
            Phase.DURING: "围挡施工，更换地砖",
            Phase.AFTER: "更换地砖 62 平方米，加设车止石，盲道接通",
        },
    ),
    "waste.dumping-site": (
        scenes.dump,
        {
            Phase.BEFORE: "建渣和生活垃圾约 2000 平方米",
            Phase.DURING: "已清运 37 车，余量约四成",
            Phase.RENDERING: "远期改造为停车场",
        },
    ),
    "road.abandoned-path": (
        scenes.path,
        {Phase.BEFORE: "160 米没有一盏灯，石板松动", Phase.AFTER: "铺装 160 米，安装太阳能路灯 8 盏"},
    ),
    "fire.leaking-pipe": (scenes.towers, {Phase.BEFORE: "管网锈蚀漏水，压力表读数为 0"}),
}
"""Each story's scene, and its photos in their order with their captions."""


def hang(viewer: Viewer, stories: Sequence[NewIssue], *, folder: Path, now: datetime, zone: ZoneInfo) -> None:
    """Add and release the photos of the stories, which are stored, where they are missing.

    The work is done in other processes, a story at a time each.
    """
    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(lambda story: _hang(viewer, story, folder, now, zone), stories))


def _hang(viewer: Viewer, story: NewIssue, folder: Path, now: datetime, zone: ZoneInfo) -> None:
    name = str(story.id)
    there = {photo.phase for photo in photos.of_issue(viewer, name, zone=zone)}
    scene, shots = SHOTS[story.category]
    for phase, caption in shots.items():
        if phase not in there:
            raw = scene(phase).jpeg()
            done = photos.add(viewer, name, raw, phase=phase, caption=caption, folder=folder, now=now, zone=zone)
            photos.release(viewer, name, done.photo.id, now=now, zone=zone)
