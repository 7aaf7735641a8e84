"""Tell that a page says what it said the last time, for a fraction of what it costs to extract it.

When a page is extracted, `Recollection` remembers a digest of all its text and markup but for the *boxes*: elements
that gave nothing to the reading, and whose text can never become the article's by their kind (`outline`, `survey`).
The next page is parsed, its boxes are looked at, and the digest is made again. Equal means unchanged; anything else,
and anything odd, means that the page is extracted. So what is wrong to do here is to leave something out of the digest.
"""

from __future__ import annotations

from wirewatch.fingerprint.memory import Fingerprint, Recollection, same_bytes

__all__ = ["Fingerprint", "Recollection", "same_bytes"]
