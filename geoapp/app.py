"""The composition root: settings in, Flask app out. The only file that knows every room."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from geoapp.config import Settings
from geoapp.services import categories, clocks, layers
from geoapp.store import outbox, session
from geoapp.web import (
    account,
    api,
    base,
    brief,
    contract,
    desk,
    dryrun,
    editing,
    errors,
    feeds,
    field,
    fieldwork,
    gate,
    health,
    land,
    lists,
    meetings,
    minutes,
    moderation,
    notices,
    openapi,
    openid,
    outcome,
    outside,
    own,
    page,
    photos,
    place,
    plancrew,
    planning,
    planprojects,
    projects,
    public,
    reporting,
    rest,
    tiles,
    visits,
    wire,
)

DOORS = (
    page, public, outside, place, reporting, own, feeds, notices, account, openid, moderation, photos, land, dryrun,
    desk, editing, field, visits, brief, outcome, fieldwork, meetings, minutes, lists, projects, planning,
    plancrew, planprojects, api, rest, openapi, tiles, base, health,
)  # fmt: skip
MOST_BYTES = 64 * 1024
"""A form of words: a larger body is refused before it is read. Photos have a door of their own."""


def create_app(settings: Settings, database_url: str | None = None) -> Flask:
    """The web application over a database that is there and migrated.

    Raises BadLayer for a wrong layer file: a map with a missing layer must not go on line unnoticed.
    """
    app = Flask("geoapp.web", static_folder=None, template_folder="templates")
    move_in(app, settings, database_url)
    app.config["LAYERS"] = layers.read(settings.layers_dir)
    app.config["CHECKLISTS"] = categories.read_checklists(settings.categories_file)
    app.config["CALENDAR"] = clocks.read_calendar(settings.calendar_file, settings.zone)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    for door in DOORS:
        app.register_blueprint(door.blueprint)
    app.before_request(contract.refuse_strangers)
    app.after_request(wire.squeeze)
    app.after_request(page.secure)
    gate.install(app)
    if settings.trusted_proxies:
        # Without one in front, whoever asks could claim any address and count against somebody else.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.trusted_proxies, x_proto=settings.trusted_proxies
        )
    errors.install(app)
    return app


def move_in(app: Flask, settings: Settings, database_url: str | None = None) -> None:
    """Let the app serve the place of these settings: its database, its folder of tiles, its mail.

    Nothing that an app is made of depends on this part, so one app can serve place after place.
    """
    if address := database_url or settings.database_url:
        session.connect(address, pool_size=settings.threads, prepared=settings.keeps_plans)
        outbox.offer(mail=settings.offers_mail)
    layers.open_cache(settings.tiles_dir)
    app.config["GEOAPP"] = settings
