"""Read a capture: which words are the article, who wrote it, what the publisher says about when.

`read_page` never raises and asks nothing but the bytes, so the same capture gives the same reading in any order,
process and year. What is not an article is a reading too, with the reason in `detail`; whoever called it writes the
dead letter. Run it in a bounded process: the limits in here are only the cheap ones.
"""

from __future__ import annotations

from wirewatch.extract.body import EXTRACTOR
from wirewatch.extract.reading import read_page

__all__ = ["EXTRACTOR", "read_page"]
