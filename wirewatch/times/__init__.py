"""Read the publisher's times, each with where it was read and whether its zone was stated, configured or assumed.

A claim is evidence, never a fact: it dates no observation, and one that cannot be read keeps its words and says so.
"""

from __future__ import annotations

from wirewatch.times.claims import Kind, Printed, claims, is_stamp, printed_stamps
from wirewatch.times.countries import countries_of
from wirewatch.times.grammar import Moment, read_time

__all__ = ["Kind", "Moment", "Printed", "claims", "countries_of", "is_stamp", "printed_stamps", "read_time"]
