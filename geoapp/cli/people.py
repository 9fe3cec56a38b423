"""Who may sign in and as what; and the proof of the history."""

import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click

from geoapp import config
from geoapp.cli.ground import database, require_schema

ROLE = click.argument("role")
LOGIN = click.argument("login")
PLACE = click.option("--place", help="Code of the community, street or district where the role holds; default: all.")
UNIT = click.option("--unit", help="Code of the responsible unit (role unit).")
FROM_STDIN = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")


@click.group()
def people() -> None:
    """People who sign in: accounts and roles."""


@people.command()
@LOGIN
@click.option("--name", default="", help="Name as others see it; default: the login.")
@FROM_STDIN
def add(login: str, *, name: str, password_stdin: bool) -> None:
    """Make an account; without --password-stdin a password is made and printed once."""
    password = _password(from_stdin=password_stdin)
    with _accounts() as (service, operator):
        service.add(operator, login, name or login, password)
    _tell(login, password, told=password_stdin)


@people.command()
@LOGIN
@FROM_STDIN
def password(login: str, *, password_stdin: bool) -> None:
    """Give a person a new password; every session of theirs ends."""
    new = _password(from_stdin=password_stdin)
    with _accounts() as (service, operator):
        service.set_password(operator, login, new)
    _tell(login, new, told=password_stdin)


@people.command()
@LOGIN
@ROLE
@PLACE
@UNIT
def grant(login: str, role: str, *, place: str | None, unit: str | None) -> None:
    """Give a role: resident, steward, community, unit, secretary, planner, supervisor or administrator."""
    with _accounts() as (service, operator):
        new = service.grant(operator, login, role, place=place, unit=unit)
    click.echo(f"{login} is {role} now." if new else f"{login} was {role} already.")


@people.command()
@LOGIN
@ROLE
@PLACE
@UNIT
def revoke(login: str, role: str, *, place: str | None, unit: str | None) -> None:
    """Take a role away."""
    with _accounts() as (service, operator):
        gone = service.revoke(operator, login, role, place=place, unit=unit)
    click.echo(f"{login} is no longer {role}." if gone else f"{login} was not {role} there.")


@people.command()
@LOGIN
def disable(login: str) -> None:
    """Shut a person out at once."""
    with _accounts() as (service, operator):
        service.disable(operator, login, now=datetime.now(UTC))
    click.echo(f"{login} is shut out; every session has ended.")


@people.command()
@LOGIN
def enable(login: str) -> None:
    """Let a person in again."""
    with _accounts() as (service, operator):
        service.enable(operator, login)
    click.echo(f"{login} may sign in again.")


@people.command()
@LOGIN
@click.argument("name")
def key(login: str, name: str) -> None:
    """Make a key for a program that acts as this person, and print it once."""
    from geoapp.services import keys  # noqa: PLC0415

    with _accounts() as (_, operator):
        click.echo(keys.make_for(operator, login, name, now=datetime.now(UTC)))


@people.command()
@LOGIN
@click.argument("subject")
def link(login: str, subject: str) -> None:
    """Let who is SUBJECT at the OpenID provider of the settings sign in as this person."""
    from geoapp.services import openid  # noqa: PLC0415

    issuer = config.read().oidc_issuer
    with _accounts() as (_, operator):
        openid.link(operator, login, issuer, subject)
    click.echo(f"{subject} at {issuer} signs in as {login}.")


@people.command("drop-codes")
@LOGIN
def drop_codes(login: str) -> None:
    """Switch a person's one-time codes off, when phone and recovery codes are lost."""
    from geoapp.services import keys  # noqa: PLC0415

    with _accounts() as (_, operator):
        gone = keys.drop_for(operator, login)
    click.echo(f"{login} signs in without a code now." if gone else f"{login} had no codes.")


@people.command()
@LOGIN
@click.argument("address", default="")
def email(login: str, *, address: str) -> None:
    """Set the address to which a person's notices go; without one they get none."""
    from geoapp.domain.values import OPERATOR  # noqa: PLC0415
    from geoapp.services import contacts  # noqa: PLC0415

    with database(config.read()):
        require_schema()
        contacts.set_email(OPERATOR, login, address)
    click.echo(f"{login} is written to at {address}." if address else f"{login} is not written to.")


@people.command("list")
def list_people() -> None:
    """Everybody with an account, and their roles."""
    with _accounts() as (service, operator):
        for account, grants in service.everybody(operator):
            roles = ", ".join(f"{row.role} {row.unit or row.place or 'everywhere'}" for row in grants) or "no role"
            click.echo(f"{account.login:20} {account.name:20} {roles}{' (shut out)' if account.disabled else ''}")


@click.group()
def audit() -> None:
    """The history of issues."""


@audit.command()
def verify() -> None:
    """Walk every history; name the issues in which a row was changed, lost or slipped in."""
    from geoapp.domain.values import OPERATOR  # noqa: PLC0415
    from geoapp.services import audit as service  # noqa: PLC0415

    with database(config.read()):
        require_schema()
        found = service.verify(OPERATOR)
    for one in found.breaks:
        where = f"at row {one.seq}" if one.seq else "at its end"
        click.echo(f"{one.number}: the history is not what was written, {where}", err=True)
    click.echo(f"{found.rows:,} rows of history read; {len(found.breaks) or 'no'} issues tampered with.")
    if found.breaks:
        raise SystemExit(1)


@contextmanager
def _accounts() -> Iterator[tuple[Any, Any]]:
    from geoapp.domain.values import OPERATOR  # noqa: PLC0415
    from geoapp.services import accounts  # noqa: PLC0415

    with database(config.read()):
        require_schema()
        yield accounts, OPERATOR


def _password(*, from_stdin: bool) -> str:
    return sys.stdin.readline().rstrip("\n") if from_stdin else secrets.token_urlsafe(12)


def _tell(login: str, new: str, *, told: bool) -> None:
    click.echo(f"{login} may sign in." if told else f"{login} may sign in with the password {new}")
