"""The errors Wirewatch raises, named after what to do next.

    WirewatchError
    ├── ConfigurationError     the user mends the configuration or the command            exit 2
    ├── StoreError             the store cannot do its work: say so and stop              exit 1
    │   └── Superseded         another process wrote first: load and record again
    ├── BadContent             what came back can never be used: dead letter
    │   └── TookTooLong        working on it was stopped after its time or memory was up: dead letter
    ├── RetryLater             a source or receiver did not answer rightly: back off, try again
    ├── SourceRefuses          robots.txt, or an address we may not ask: availability, ask much later
    ├── IntakeFailed           a queue could not be read: its messages stay there         exit 1
    ├── DeliveryFailed         a sink could not write: its rows stay in the outbox        exit 1
    ├── DeliveryGone           a receiver wants no more alerts, ever: switch its channel off
    ├── DeliveryRefused        this alert will never be taken there: dead letter
    └── EngineFailed           the engine refused the job or lost it: start it again      exit 1

Every error carries in `about` the URL, uri or file it is about; its text is one sentence that a user can act on.
"""

from __future__ import annotations


class WirewatchError(Exception):
    """Say in one sentence what went wrong and, in `about`, with what."""

    exit_code = 1

    def __init__(self, message: str, *, about: str = "") -> None:
        super().__init__(message)
        self.about = about

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), str(self), self.about))


def _rebuild(kind: type[WirewatchError], message: str, about: str) -> WirewatchError:
    return kind(message, about=about)


class ConfigurationError(WirewatchError):
    """The configuration or the command is wrong; the message names every place that is."""

    exit_code = 2


class StoreError(WirewatchError):
    """The store is locked, gone, full, of another version or of another installation."""


class Superseded(StoreError):
    """The ledger changed between loading and committing; nothing was written."""


class BadContent(WirewatchError):
    """The content can never be used as what it claims to be; keep it as a dead letter."""


class TookTooLong(BadContent):
    """Working on the content was stopped because its time or memory was up."""


class RetryLater(WirewatchError):
    """The source or receiver failed for now; try again after `retry_after_seconds` if it named a time.

    `perhaps_taken` is of what was sent: it may have arrived although no answer did.
    """

    def __init__(
        self, message: str, *, about: str = "", retry_after_seconds: float | None = None, perhaps_taken: bool = False
    ) -> None:
        super().__init__(message, about=about)
        self.retry_after_seconds = retry_after_seconds
        self.perhaps_taken = perhaps_taken

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild_retry, (str(self), self.about, self.retry_after_seconds, self.perhaps_taken))


def _rebuild_retry(message: str, about: str, retry_after_seconds: float | None, perhaps_taken: bool) -> RetryLater:
    return RetryLater(message, about=about, retry_after_seconds=retry_after_seconds, perhaps_taken=perhaps_taken)


class SourceRefuses(WirewatchError):
    """The source, or our own rule about addresses, does not allow this request."""


class IntakeFailed(WirewatchError):
    """A queue could not be read or acknowledged; its messages stay there and come again."""


class DeliveryFailed(WirewatchError):
    """A sink could not take its rows; they stay in the outbox for the next attempt."""


class DeliveryGone(WirewatchError):
    """The receiver of alerts is gone for good, and said so; switch the channel off until somebody mends it."""


class DeliveryRefused(WirewatchError):
    """The receiver, or our own rule, will never take this alert; keep it as a dead letter."""


class EngineFailed(WirewatchError):
    """The engine that a stream runs on could not take the job, or ended it."""
