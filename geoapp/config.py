"""Settings: the one place that reads the environment.

A frozen ``Settings`` is read once by the command line and handed down; nothing below looks at
``os.environ``. Every field carries the sentence that README prints about it.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from geoapp.errors import BadSetting

PREFIX = "GEOAPP_"
PACKAGE = Path(__file__).resolve().parent
WORKER_CONNECTIONS = 10
"""Of the worker: a pool of 5 of its own, 4 of its queue, and the one on which that listens."""
SPARE_CONNECTIONS = 5
"""For one command of the operator beside it all."""
SMTP_SCHEMES = ("smtp", "smtp+starttls", "smtps")
ANCESTOR = re.compile(r"https?://(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:[0-9]{1,5})?")
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")


def shipped(folder: str) -> Path:
    """The folder ``layers``, ``static`` or ``migrations``: beside the package in a clone, inside it in a wheel."""
    inside = PACKAGE / "_shipped" / folder
    return inside if inside.is_dir() else PACKAGE.parent / folder


def default_data_dir(*, root: bool | None = None) -> Path:
    """Where the private server keeps its files when nothing is said.

    As root it must be a place that user ``postgres`` can enter even when the clone lies under
    ``/root``; the clone's path goes into the name, so that two clones never share a server.
    """
    clone = PACKAGE.parent
    mark = hashlib.sha256(str(clone).encode()).hexdigest()[:10]
    as_root = os.geteuid() == 0 if root is None else root
    return Path("/var/lib/geoapp") / mark if as_root else Path.home() / ".local/share/geoapp" / mark


def _setting(default: Any, words: str, *, secret: bool = False) -> Any:
    return field(default=default, metadata={"help": words, "secret": secret})


@dataclass(frozen=True, slots=True)
class Settings:
    """All that can be set from outside; each field is the variable ``GEOAPP_<NAME>``."""

    data_dir: Path = _setting(
        None,
        "Folder of the private database and of all files the app keeps. Default: `/var/lib/geoapp/<clone>` "
        "as root, else `~/.local/share/geoapp/<clone>`.",
    )
    database_url: str = _setting(
        "",
        "A PostGIS database to use instead of the private server, as `postgresql://user:password@host/name`.",
        secret=True,
    )
    prepared: str = _setting(
        "auto",
        "Whether the database keeps the plans of the statements that store a report: `yes`, `no`, or `auto`: the "
        "private server does. A PgBouncer before 1.21 in between needs `no`.",
    )
    host: str = _setting("127.0.0.1", "Address that `serve` listens on.")
    port: int = _setting(8000, "Port that `serve` listens on; `demo` takes the next free one if it is in use.")
    workers: int = _setting(2, "Worker processes of the web server.")
    threads: int = _setting(4, "Threads in each worker; each may hold one database connection.")
    oidc_issuer: str = _setting("", "Address of an OpenID provider with which staff may sign in too; empty for none.")
    oidc_client_id: str = _setting("", "As what this app is known to the OpenID provider.")
    oidc_client_secret: str = _setting("", "The secret that goes with it.", secret=True)
    oidc_name: str = _setting("OpenID", "What the provider is called on the page that signs in.")
    staff_codes: str = _setting(
        "optional", "One-time codes as a second factor for staff: `optional`, or `required` before anything else."
    )
    lang: str = _setting("zh", "Language of a page when neither the link nor the browser asks for one: `zh` or `en`.")
    timezone: str = _setting("Asia/Shanghai", "Time zone in which days begin and dates are shown.")
    title_zh: str = _setting("", "Title of the map in Chinese. Default: made from the district's name.")
    title_en: str = _setting("", "Title of the map in English. Default: made from the district's name.")
    number_prefix: str = _setting("QJ", "First letters of an issue's number, as in `QJ-2026-000123`.")
    layers_dir: Path = _setting(None, "Folder of the layer files. Default: the `layers` folder of the app.")
    categories_file: Path = _setting(None, "The category tree. Default: `layers/data/categories.toml`.")
    calendar_file: Path = _setting(
        None, "Holidays, make-up days and working hours. Default: `layers/data/calendar.toml`."
    )
    basemap: str = _setting(
        "",
        "Base map under our layers: empty for none, an XYZ or WMTS template with `{x}`, `{y}`, `{z}`, "
        "or the path of a `.pmtiles` or `.mbtiles` file.",
    )
    basemap_crs: str = _setting("wgs84", "Coordinate system of the base map: `wgs84` or `gcj02`.")
    basemap_attribution: str = _setting("", "Words of attribution that the base map's owner asks for.")
    basemap_max_zoom: int = _setting(18, "Deepest zoom of the base map; deeper views enlarge it.")
    map_review_no: str = _setting("", "Map review number (审图号) printed on every map.")

    reports_per_hour: int = _setting(
        60,
        "Reports that one network may send in an hour; phones, contacts and places have limits of their own. "
        "0: no limits at all.",
    )
    keep_reporters_days: int = _setting(
        180, "Days after the end of an issue on which it is forgotten who reported it. 0: never."
    )
    embed_ancestors: str = _setting(
        "",
        "Sites that may show the map of `/embed`, as `https://example.org https://*.example.cn` or `*`; empty: none.",
    )
    trusted_proxies: int = _setting(
        0, "Reverse proxies in front of the app whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed."
    )

    smtp_url: str = _setting(
        "",
        "Mail server for notices, as `smtp://user:password@host:25`; `smtp+starttls://` and `smtps://` insist on TLS "
        "and a certificate that holds. Default: no mail is offered.",
        secret=True,
    )
    mail_from: str = _setting("", "From whom mail comes, as `Name <name@example.org>` or the address alone.")
    public_url: str = _setting(
        "", "Address under which this site is reached, as `https://example.org`: for links in mail and feeds."
    )

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def photos_dir(self) -> Path:
        return self.data_dir / "photos"

    @property
    def tiles_dir(self) -> Path:
        """Rendered tiles; may be emptied at any time."""
        return self.data_dir / "tiles"

    @property
    def still_dir(self) -> Path:
        """Our own files in packed forms."""
        return self.data_dir / "static"

    @property
    def connections(self) -> int:
        """How many connections to the database serving may take: each thread's, the worker's, and some to spare."""
        return self.workers * self.threads + WORKER_CONNECTIONS + SPARE_CONNECTIONS

    @property
    def offers_mail(self) -> bool:
        return bool(self.smtp_url)

    @property
    def private(self) -> bool:
        """True when the app runs its own PostgreSQL."""
        return not self.database_url

    @property
    def keeps_plans(self) -> bool:
        """True when statements may be prepared: nothing lies between that could mix up the connections."""
        return self.private if self.prepared == "auto" else self.prepared == "yes"


def read(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; raises BadSetting with the variable's name for a value that cannot be."""
    env = os.environ if environ is None else environ
    known = {PREFIX + f.name.upper(): f for f in fields(Settings)}
    for name in env:
        if name.startswith(PREFIX) and name not in known:
            raise BadSetting(name, f"is not a setting; known are {', '.join(sorted(known))}")
    values: dict[str, Any] = {}
    for name, spec in known.items():
        if (text := env.get(name, "").strip()) or name == PREFIX + "DATA_DIR":
            values[spec.name] = _parse(name, spec.type, text)
    values.setdefault("layers_dir", shipped("layers"))
    values.setdefault("categories_file", values["layers_dir"] / "data" / "categories.toml")
    values.setdefault("calendar_file", values["layers_dir"] / "data" / "calendar.toml")
    settings = Settings(**values)
    _check(settings)
    return settings


def _parse(name: str, kind: Any, text: str) -> Any:
    if kind is Path:
        return Path(text).expanduser().absolute() if text else default_data_dir()
    if kind is int:
        try:
            return int(text)
        except ValueError:
            raise BadSetting(name, f"must be a whole number, not {text!r}") from None
    return text


def _check(settings: Settings) -> None:
    for name, allowed in (
        ("lang", ("zh", "en")),
        ("basemap_crs", ("wgs84", "gcj02")),
        ("staff_codes", ("optional", "required")),
        ("prepared", ("auto", "yes", "no")),
    ):
        if getattr(settings, name) not in allowed:
            raise BadSetting(PREFIX + name.upper(), f"must be one of {', '.join(allowed)}")
    for name, low, high in (
        ("port", 0, 65535),
        ("workers", 1, 64),
        ("threads", 1, 64),
        ("basemap_max_zoom", 0, 22),
        ("reports_per_hour", 0, 1_000_000),
        ("keep_reporters_days", 0, 36_500),
        ("trusted_proxies", 0, 10),
    ):
        if not low <= getattr(settings, name) <= high:
            raise BadSetting(PREFIX + name.upper(), f"must lie between {low} and {high}")
    try:
        ZoneInfo(settings.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise BadSetting(PREFIX + "TIMEZONE", f"{settings.timezone!r} is not a time zone") from None
    if not settings.number_prefix.isascii() or not settings.number_prefix.isalnum():
        raise BadSetting(PREFIX + "NUMBER_PREFIX", "must be ASCII letters or digits")
    _check_addresses(settings)
    _check_mail(settings)
    _check_embedding(settings)


def _check_addresses(settings: Settings) -> None:
    if settings.database_url and "://" not in settings.database_url:
        raise BadSetting(PREFIX + "DATABASE_URL", "must look like postgresql://user:password@host/name")
    base = settings.basemap
    if base and "://" in base and not all(part in base for part in ("{x}", "{y}", "{z}")):
        raise BadSetting(PREFIX + "BASEMAP", "an address must hold {x}, {y} and {z}")
    if base and "://" not in base and Path(base).suffix not in {".pmtiles", ".mbtiles"}:
        raise BadSetting(PREFIX + "BASEMAP", "must be an address or a .pmtiles or .mbtiles file")
    if base and "://" not in base and not Path(base).is_file():
        raise BadSetting(PREFIX + "BASEMAP", f"no file at {base}")


def _check_embedding(settings: Settings) -> None:
    for site in settings.embed_ancestors.split():
        if site != "*" and not ANCESTOR.fullmatch(site):
            raise BadSetting(PREFIX + "EMBED_ANCESTORS", f"{site!r} does not look like https://example.org")


def _check_mail(settings: Settings) -> None:
    site = urlsplit(settings.public_url)
    if settings.public_url and (site.scheme not in {"http", "https"} or not site.hostname or site.path.strip("/")):
        raise BadSetting(PREFIX + "PUBLIC_URL", "must look like https://example.org")
    if not settings.smtp_url:
        return
    try:
        url = urlsplit(settings.smtp_url)
        there = url.scheme in SMTP_SCHEMES and url.hostname and url.port != 0
    except ValueError:
        there = False
    if not there:
        raise BadSetting(PREFIX + "SMTP_URL", "must look like smtp://user:password@host:25")
    for name in ("mail_from", "public_url"):
        if not getattr(settings, name):
            raise BadSetting(PREFIX + name.upper(), "is needed where GEOAPP_SMTP_URL is set")
    if not settings.mail_from.isprintable() or not ADDRESS.fullmatch(parseaddr(settings.mail_from)[1]):
        raise BadSetting(PREFIX + "MAIL_FROM", "must look like Name <name@example.org>")
