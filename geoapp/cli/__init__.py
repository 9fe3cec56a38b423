"""The command line: parses, calls one service, prints. What fails on purpose becomes one line and exit 1.

Heavy imports stand inside the commands, so that ``--help`` and ``stop`` answer at once.
"""

import signal
import sys
from typing import Any, NoReturn

import click

from geoapp import words
from geoapp.cli import analysing, counting, gathering, importing, moderating, people, roads, serving, working
from geoapp.errors import BadInput, GeoAppError, Refused


class _Commands(click.Group):
    """A failure that we raise on purpose is one line, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BadInput as error:
            why = f"{error.field}: {words.say('en', f'reason.{error.reason}', **error.params)}"
        except Refused as error:
            why = words.say("en", f"refusal.{error.reason}", **error.params)
        except GeoAppError as error:
            why = " ".join(str(error).split())
        click.echo(f"geoapp: {why}", err=True)
        return ctx.exit(1)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Community infrastructure issues on a map: whose they are, who does the work, who checks it."""
    # An end by signal must pass through the `with` blocks, which stop the private server.
    for request in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(request, _leave)


def _leave(number: int, _: object) -> NoReturn:
    sys.exit(128 + number)


for _command in (
    *(serving.init, serving.serve, serving.demo, serving.stop, serving.status, serving.doctor, serving.version),
    *(importing.boundaries, importing.places, importing.issues, importing.layers, gathering.vulnerable),
    *(people.people, people.audit, moderating.zones),
    *(working.work, working.notices, counting.counts),
    roads.roads,
    *(analysing.analyse, analysing.export),
):
    main.add_command(_command)
