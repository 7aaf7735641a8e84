"""An invented newsroom on this machine: two newspapers that publish, revise, correct, move and withdraw.

It imports nothing else of Wirewatch. What it did, as far as five passes at set times can see it, stands in
`expected_passes` and `expected_articles`, written by hand.
"""

from wirewatch.demo.desk import Arrived, Desk
from wirewatch.demo.server import Asked, Newsroom
from wirewatch.demo.truth import (
    ExpectedAlert,
    ExpectedArticle,
    ExpectedChange,
    ExpectedPass,
    ExpectedRevision,
    expected_alerts,
    expected_articles,
    expected_passes,
)

__all__ = [
    "Arrived",
    "Asked",
    "Desk",
    "ExpectedAlert",
    "ExpectedArticle",
    "ExpectedChange",
    "ExpectedPass",
    "ExpectedRevision",
    "Newsroom",
    "expected_alerts",
    "expected_articles",
    "expected_passes",
]
