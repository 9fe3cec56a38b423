"""A visit for the calendars of those who come along: an ICS file (RFC 5545), the same event from version to version."""

from datetime import datetime, timedelta
from email.utils import parseaddr
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import request

from geoapp.domain.visiting import VisitState
from geoapp.services.visits import VisitDetail
from geoapp.web import drafts, page


def calendar_of(detail: VisitDetail, *, now: datetime, zone: ZoneInfo) -> bytes:
    """The visit as one event; with guests who have an address it asks them, else it only tells."""
    from icalendar import Calendar, Event, vCalAddress, vGeo, vText  # noqa: PLC0415 - slow to import, and few ask

    visit = detail.visit
    begins = datetime.combine(visit.on_day, visit.starts_at, zone)
    invited = [guest for guest in detail.guests if guest.email]
    cancelled = visit.state is VisitState.CANCELLED
    event = Event()
    event.add("uid", f"visit-{visit.id}@{_host()}")
    event.add("sequence", visit.version - 1)
    event.add("dtstamp", now)
    event.add("dtstart", begins)
    event.add("dtend", begins + timedelta(minutes=max(1, visit.minutes_total)))
    event.add("summary", visit.title)
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    event.add("location", visit.start_name or f"{visit.start.lat:.5f}, {visit.start.lon:.5f}")
    event["geo"] = vGeo((visit.start.lat, visit.start.lon))
    event.add("url", f"{_site()}/field/visits/{visit.id}")
    event.add("description", _description(detail, zone))
    for guest in invited:
        address = vCalAddress(f"mailto:{guest.email}")
        address.params["cn"] = vText(guest.name or guest.unit_name.say(page.lang()) or guest.email)
        address.params["rsvp"] = vText("TRUE")
        event.add("attendee", address, encode=False)
    if invited:
        # A request needs somebody who asks; the name is that of whoever planned the visit.
        organiser = vCalAddress(f"mailto:{parseaddr(page.settings().mail_from)[1] or f'visits@{_host()}'}")
        organiser.params["cn"] = vText(visit.person_name)
        event["organizer"] = organiser
    calendar = Calendar()
    calendar.add("prodid", "-//geoapp//site visits//ZH")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if cancelled else "REQUEST" if invited else "PUBLISH")
    calendar.add_component(event)
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())


def _description(detail: VisitDetail, zone: ZoneInfo) -> str:
    """The stops with their times; no phone number and no text of a report, because mail leaves the house."""
    lines = [
        page.say(
            "visit.ics_stop", n=stop.seq, at=stop.arrives_at.astimezone(zone).strftime("%H:%M"),
            number=stop.issue.number, title=stop.issue.category_name.say(page.lang()),
        )
        for stop in detail.stops
        if stop.seq and stop.arrives_at
    ]  # fmt: skip
    measured = drafts.basis(detail.visit.basis, detail.visit.detour_factor)
    total = page.say("visit.ics_total", m=round(detail.visit.length_m), min=detail.visit.minutes_total)
    return "\n".join([*lines, f"{total} {measured}"])


def _site() -> str:
    return page.settings().public_url.rstrip("/") or request.host_url.rstrip("/")


def _host() -> str:
    return urlsplit(_site()).hostname or "localhost"
