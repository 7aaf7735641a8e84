"""Say what Google's services answer in sentences, and where an emulator of one is asked instead.

Importing this module imports none of Google's libraries, so that a configuration can be read at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from wirewatch.errors import WirewatchError

_ENDPOINT: Final = re.compile(r"[A-Za-z0-9_.-]{1,253}:[0-9]{1,5}")


def _endpoint(text: str) -> str:
    if not _ENDPOINT.fullmatch(text):
        raise ValueError("is no host and port, such as localhost:8085")
    return text


Emulator = Annotated[
    Annotated[str, AfterValidator(_endpoint)] | None,
    Field(description="Host and port of an emulator, asked without credentials; left out, Google's service is."),
]


@contextmanager
def explained(kind: type[WirewatchError], what: str, place: str, role: str) -> Iterator[None]:
    """Raise what Google answers as one sentence with what to do; `what` and `place` name the topic or dataset."""
    from google.api_core import exceptions  # noqa: PLC0415
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415

    try:
        yield
    except exceptions.NotFound as error:
        message = f"There is no {what} {place}: create it, or mend the configuration's `{what}`; nothing is lost."
        raise kind(message, about=place) from error
    except (exceptions.Forbidden, exceptions.Unauthorized) as error:
        message = f"This account may not use the {what} {place}: grant it {role}; nothing is lost."
        if "quota" in str(error).lower():
            message = f"The {what} {place} takes no more for now ({_words(error)}); nothing is lost."
        raise kind(message, about=place) from error
    except GoogleAuthError as error:
        message = (
            f"There are no credentials for the {what} {place} (GOOGLE_APPLICATION_CREDENTIALS names a file with some):"
            " give this machine an account; nothing is lost."
        )
        raise kind(message, about=place) from error
    except exceptions.BadRequest as error:
        raise kind(f"The {what} {place} does not take what was sent ({error.message}).", about=place) from error
    except (exceptions.GoogleAPIError, OSError) as error:  # OSError: of a connection, before Google's libraries see it
        message = f"The {what} {place} cannot be reached ({_words(error)}): see to that and try again; nothing is lost."
        raise kind(message, about=place) from error


def _words(error: Any) -> str:
    cause = getattr(error, "cause", None) or error
    return str(getattr(cause, "message", None) or cause)[:200]
