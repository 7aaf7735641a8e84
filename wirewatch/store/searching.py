"""Find changes by their words, the same way on SQLite (FTS5) and PostgreSQL (tsvector).

Words are told apart here and not by the database, whose own rules differ: letters and digits make a word, case and
Latin accents do not matter, and where a script puts no spaces between words each character is one. So both databases
get plain words divided by spaces, of a query as of a text. Changing that needs a migration that fills the index anew.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from wirewatch.errors import BadContent
from wirewatch.store.tables import changes

LONGEST_TEXT: Final = 200_000
"""Characters of a text that are indexed; the words of more would not fit into a tsvector (1 MB)."""

LONGEST_QUERY: Final = 500  # characters
_MOST_TERMS: Final = 20
_LONGEST_WORD: Final = 64
_SPACELESS: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_NOT_PLAIN: Final = re.compile("[^\x00-\x7f]")
# Signs of Indian scripts are part of their words; `re` counts only letters and digits.
_WORD: Final = re.compile(rf"[{_SPACELESS}]|(?:[^\W_{_SPACELESS}]|[\u0900-\u0963\u0966-\u0dff])+")
# Accents, and the points and strokes of Hebrew and Arabic, which mostly are not written.
_LEFT_OUT: Final = re.compile("[\u0300-\u036f\u0591-\u05bd\u0610-\u061a\u0640\u064b-\u065f\u0670]")
_TERM: Final = re.compile(r'(-?)(?:"([^"]*)"|([^\s"]+))')
_words_of_sqlite: Final = sa.table("change_words", sa.column("rowid"), sa.column("words"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """Words that follow each other; `without` asks for texts that do not have them, `prefix` leaves the last open."""

    words: tuple[str, ...]
    without: bool = False
    prefix: bool = False


def words(text: str) -> list[str]:
    """Return a text's words as they are indexed, of its first 200,000 characters."""
    folded = _NOT_PLAIN.sub(_folded, text[:LONGEST_TEXT]).lower()
    return [word[:_LONGEST_WORD] for word in _WORD.findall(folded)]


def parse(query: str) -> tuple[Term, ...]:
    """Return what a query asks for: all of its words, "phrases", none of its -words; a word* may go on.

    Raise BadContent, in a sentence for whoever typed it, for a query that asks for nothing or cannot be read.
    """
    if len(query) > LONGEST_QUERY:
        raise BadContent(f"A search has at most {LONGEST_QUERY} characters; this one has {len(query):,}.")
    if query.count('"') % 2:
        raise BadContent('A quotation mark is opened and not closed: write "two words" or leave it out.')
    terms = []
    for sign, phrase, word in _TERM.findall(query):
        if found := words(phrase or word):
            terms.append(Term(words=tuple(found), without=bool(sign), prefix=word.endswith("*")))
    if len(terms) > _MOST_TERMS:
        raise BadContent(f"A search has at most {_MOST_TERMS} words and phrases; this one has {len(terms)}.")
    if not any(not term.without for term in terms):
        raise BadContent("The search names no word to look for: write one, such as ferry.")
    return tuple(terms)


def matching(conn: Connection, terms: tuple[Term, ...]) -> sa.ColumnElement[bool]:
    """Return the condition that a row of `changes` matches; on SQLite, join `index_of(conn)` as well."""
    if conn.dialect.name == "sqlite":
        return sa.literal_column("change_words").op("MATCH")(_fts5(terms))
    return changes.c.words.op("@@")(sa.func.to_tsquery("simple", _tsquery(terms)))


def joined(
    conn: Connection, query: sa.Select[tuple[object, ...]], terms: tuple[Term, ...]
) -> sa.Select[tuple[object, ...]]:
    """Return a query of `changes`, newest first, with only those that match."""
    if conn.dialect.name == "sqlite":
        query = query.join_from(_words_of_sqlite, changes, changes.c.place == _words_of_sqlite.c.rowid)
    return query.where(matching(conn, terms))


def place_of(conn: Connection) -> sa.ColumnElement[int]:
    """Return the column to order a search by: the index's own, which SQLite reads backwards without sorting."""
    return _words_of_sqlite.c.rowid if conn.dialect.name == "sqlite" else changes.c.place


def keep(conn: Connection, place: int, text: str) -> None:
    """Index the words of the change at that place, of which none are indexed."""
    plain = " ".join(words(text))
    kept = sa.update(changes).where(changes.c.place == place)
    if conn.dialect.name == "sqlite":
        conn.execute(sa.insert(_words_of_sqlite).values(rowid=place, words=plain))
        conn.execute(kept.values(words=plain.encode()))
        return
    conn.execute(kept.values(words=sa.func.to_tsvector("simple", plain)))


def forget(conn: Connection, places: Sequence[int]) -> None:
    """Take the words of the changes at these places out of the index."""
    if conn.dialect.name == "sqlite":
        # The index has no texts: it takes out what it is told that it was given.
        indexed = sa.select(changes.c.place, changes.c.words).where(changes.c.place.in_(places))
        taken = [(row.place, row.words.decode()) for row in conn.execute(indexed) if row.words is not None]
        if taken:
            delete = "INSERT INTO change_words (change_words, rowid, words) VALUES ('delete', ?, ?)"
            conn.exec_driver_sql(delete, taken)
    conn.execute(sa.update(changes).where(changes.c.place.in_(places)).values(words=None))


def _fts5(terms: tuple[Term, ...]) -> str:
    wanted = [_quoted(term) for term in terms if not term.without]
    return " NOT ".join([" AND ".join(wanted), *(_quoted(term) for term in terms if term.without)])


def _quoted(term: Term) -> str:
    return f'"{" ".join(term.words)}"{" *" if term.prefix else ""}'


def _tsquery(terms: tuple[Term, ...]) -> str:
    return " & ".join(
        f"{'!' if term.without else ''}({' <-> '.join(term.words)}{':*' if term.prefix else ''})" for term in terms
    )


def _folded(match: re.Match[str]) -> str:
    return _plain(match[0])


@lru_cache(maxsize=4096)
def _plain(character: str) -> str:
    """Return a character in small letters and without its accents.

    Whole texts are never decomposed: that is quadratic in a run of combining marks.
    """
    hangul = "\uac00" <= character <= "\ud7a3"
    return _LEFT_OUT.sub("", character if hangul else unicodedata.normalize("NFKD", character)).casefold()
