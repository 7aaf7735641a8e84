"""Fetch what a check asks for, politely and within limits, and return what came back as a capture.

Nothing in here decides what to ask or when: checks come from the store, and so does every slot, because only the
store knows what all processes and jobs do together.
"""

from wirewatch.fetch.addresses import host_of
from wirewatch.fetch.archiving import may_archive
from wirewatch.fetch.client import Fetcher, TooLate
from wirewatch.fetch.policy import FetchPolicy
from wirewatch.fetch.slots import RobotsCopy, Slots

__all__ = ["FetchPolicy", "Fetcher", "RobotsCopy", "Slots", "TooLate", "host_of", "may_archive"]
