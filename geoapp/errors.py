"""Every way to fail, as a tree by noun, and the one table from failure to HTTP status.

An error carries its subject. What a person reads is made from ``code`` and ``params`` in
``words`` (zh and en); the English sentence in ``str(error)`` is for the terminal and the log.
"""

from typing import Any


class GeoAppError(Exception):
    """Root of all errors that we raise on purpose."""

    code = "error"

    def __init__(self, message: str, **params: Any) -> None:
        super().__init__(message)
        self.params = params


class BadSetting(GeoAppError):
    """A setting, file or machine is not as it must be; the program cannot start."""

    code = "bad_setting"

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}", name=name, why=why)


class ServerTrouble(GeoAppError):
    """The private PostgreSQL cannot be made, started or stopped."""

    code = "server_trouble"


class MailTrouble(GeoAppError):
    """The mail server cannot be spoken to, or takes nothing from us."""

    code = "mail_trouble"


class BadLayer(GeoAppError):
    """A layer file is wrong: names the file, the key and what is known."""

    code = "bad_layer"

    def __init__(self, file: str, key: str, why: str) -> None:
        super().__init__(f"{file}: {key}: {why}", file=file, key=key, why=why)


class BadFile(GeoAppError):
    """A file to be imported cannot be read or cannot be right as a whole."""

    code = "bad_file"

    def __init__(self, file: str, why: str) -> None:
        super().__init__(f"{file}: {why}", file=file, why=why)


class BadInput(GeoAppError):
    """What a visitor sent cannot be read: names the field.

    ``reason`` is a key under ``reason.`` in words; ``params`` fill its sentence.
    """

    code = "bad_input"

    def __init__(self, field: str, reason: str, **params: Any) -> None:
        super().__init__(f"{field}: {reason} {params or ''}".strip(), **params)
        self.field = field
        self.reason = reason


class OutOfRange(BadInput):
    """Readable, but no such value can exist (a tile outside its zoom, a latitude of 91)."""

    code = "out_of_range"


class NotFound(GeoAppError):
    """There is no such thing for this viewer."""

    code = "not_found"

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"no {kind} {name!r}", kind=kind, name=name)


class Refused(GeoAppError):
    """An action that cannot be taken now: ``reason`` is a key under ``refusal.`` in words."""

    code = "refused"

    def __init__(self, reason: str, field: str = "", **params: Any) -> None:
        super().__init__(f"refused: {reason} {params or ''}".strip(), **params)
        self.reason = reason
        self.field = field


class NotYours(Refused):
    """Refused for who asks, whatever is sent."""

    code = "not_yours"


class Incomplete(Refused):
    """Refused for what was sent; the field is named."""

    code = "incomplete"


class NotApplied(Refused):
    """Decisions of a meeting cannot be carried out: carries the refusal of each item, by the number of its issue."""

    code = "not_applied"

    def __init__(self, refusals: "dict[str, Refused]") -> None:
        super().__init__("not_applied", n=len(refusals))
        self.refusals = refusals


class WrongLogin(Refused):
    """Login or password do not fit; which of them is not told."""

    code = "wrong_login"

    def __init__(self, field: str) -> None:
        super().__init__("wrong_login", field)


class WrongCode(Refused):
    """A one-time code that does not fit, or no longer."""

    code = "wrong_code"


class WrongIdentity(Refused):
    """What an OpenID provider told does not hold, or is nobody here."""

    code = "wrong_identity"

    def __init__(self, reason: str, **params: Any) -> None:
        super().__init__(reason, "identity", **params)


class WrongKey(Refused):
    """A program's key that does not hold."""

    code = "wrong_key"

    def __init__(self, field: str) -> None:
        super().__init__("wrong_key", field)


class NotSignedIn(Refused):
    """Only for somebody who has signed in."""

    code = "not_signed_in"

    def __init__(self, what: str) -> None:
        super().__init__("not_signed_in", what)


class TooMany(Refused):
    """Tried too often: carries after how many seconds it may be tried again."""

    code = "too_many"

    def __init__(self, field: str, seconds: int) -> None:
        super().__init__("too_often", field, minutes=-(-seconds // 60))
        self.seconds = seconds


class Conflict(GeoAppError):
    """Somebody else was faster: carries the version that stands now."""

    code = "conflict"

    def __init__(self, number: str, version: int) -> None:
        super().__init__(f"{number} has changed meanwhile: version {version}", number=number, version=version)
        self.version = version


class VersionNeeded(BadInput):
    """A change was sent without the version that it was made from."""

    code = "version_needed"


class Unavailable(GeoAppError):
    """The database does not answer now; the same request may work later."""

    code = "unavailable"


STATUS: dict[type[GeoAppError], int] = {
    BadInput: 400,
    VersionNeeded: 428,
    NotYours: 403,
    WrongLogin: 401,
    WrongCode: 401,
    WrongIdentity: 401,
    WrongKey: 401,
    NotSignedIn: 401,
    TooMany: 429,
    Incomplete: 422,
    Refused: 409,
    Conflict: 409,
    OutOfRange: 422,
    NotFound: 404,
    Unavailable: 503,
    GeoAppError: 500,
}


def status_of(error: GeoAppError) -> int:
    """The HTTP status of an error: that of the nearest ancestor in the table."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
