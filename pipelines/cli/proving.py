"""Check what is kept against its hashes, and lay out what is kept of one article as evidence."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from pipelines.cli.article import Article, compared, find
from pipelines.cli.screen import answers, emit, moment, number, one_line, progress, tell
from pipelines.config import Config
from wirewatch import __version__
from wirewatch.bounded import Pool
from wirewatch.canonical import article_uri
from wirewatch.errors import ConfigurationError
from wirewatch.evidence import SUMS, Changed, Dossier, Kept, Linked, files, zipped
from wirewatch.files import write_whole
from wirewatch.model import Revision
from wirewatch.records import stated_publisher
from wirewatch.store import Store, articles, links, pages
from wirewatch.store.forgetting import keys_of
from wirewatch.store.removing import pages_removed
from wirewatch.store.tables import outbox
from wirewatch.store.verifying import Checked, Fault
from wirewatch.store.verifying import verify as check

_SHOWN: Final = 10  # faults told one by one


def verify(config: Config, store: Store, name: str | None, *, as_json: bool) -> int:
    """Check the store, or one article; return 1 if anything is not as it was kept."""
    key = None if name is None else find(store, config, name).row.key
    with progress() as step:
        checked = check(store, None if key is None else [key], step)
    if as_json:
        emit(_plain(config, checked))
        return int(checked.wrong > 0)
    if checked.wrong:
        for fault in checked.faults[:_SHOWN]:
            tell(f"{_about(config, store, fault)}: {fault.says}.")
        if checked.wrong > _SHOWN:
            tell(f"… and {number(checked.wrong - _SHOWN, 'more fault')}.")
        tell(
            f"{number(checked.wrong, 'fault')}; the first is named first. Put back a copy that is older than that, or"
            " keep this store as it is and ask who wrote to it."
        )
    answers().print(_sentence(checked), soft_wrap=True)
    return int(checked.wrong > 0)


def _sentence(checked: Checked) -> str:
    looked = (
        f"Checked {number(checked.articles, 'article')}, {number(checked.revisions, 'revision')},"
        f" {number(checked.texts, 'text')} and {number(checked.pages, 'page')}"
    )
    gone = [
        f"{number(n, what)} {why}"
        for n, what, why in (
            (checked.texts_removed, "text", "removed by retention"),
            (checked.pages_removed, "page", "removed by retention"),
            (checked.texts_forgotten, "text", "forgotten"),
            (checked.pages_forgotten, "page", "forgotten"),
            (checked.pages_never_kept, "page", "never kept"),
        )
        if n
    ]
    rewritten = f"; {number(checked.rewritten, 'link')} ended by late captures" if checked.rewritten else ""
    state = "all as they were kept" if not checked.wrong else f"{number(checked.wrong, 'fault')}"
    return f"{looked}: {state}{'; ' if gone else ''}{', '.join(gone)}{rewritten}.\nSeal: {checked.seal}"


def _plain(config: Config, checked: Checked) -> dict[str, Any]:
    counts = {name: getattr(checked, name) for name in Checked.__dataclass_fields__ if name != "faults"}
    faults = [
        {"kind": one.kind, "article": _uri(config, one.article) if one.article else None, "says": one.says}
        for one in checked.faults
    ]
    return {**counts, "faults": faults}


def _about(config: Config, store: Store, fault: Fault) -> str:
    if fault.article is None:
        return "A page of no revision"
    with store.reading() as conn:
        url = conn.scalar(articles.address_of(fault.article))
    return f"{one_line(url)} ({_uri(config, fault.article)})"


def _uri(config: Config, key: str) -> str:
    return article_uri(config.instance.authority, config.instance.since, key)


def evidence(config: Config, store: Store, name: str, output: Path | None) -> None:
    """Write all that is kept of one article into a folder, or a ZIP if `output` ends so."""
    article = find(store, config, name)
    target = output or Path(f"evidence-{article.row.key}")
    made = files(_dossier(config, store, article))
    if target.suffix.lower() == ".zip":
        write_whole(target, lambda file: file.write(zipped(made, f"evidence-{article.row.key}")))
    else:
        _write_folder(target, made)
    size = sum(map(len, made.values()))
    about = one_line(article.headline, 80)
    answers().print(
        f"Wrote {number(len(made), 'file')} ({size:,} bytes) about “{about}” to {target}; read report.html, and check"
        f" it with `sha256sum -c {SUMS}`.",
        soft_wrap=True,
    )


def _dossier(config: Config, store: Store, article: Article) -> Dossier:
    key = article.row.key
    checked = check(store, [key])
    revisions = article.history.revisions
    with store.reading() as conn:
        of = outbox.c.article.in_(keys_of(conn, key))
        rows = conn.execute(sa.select(outbox).where(of, outbox.c.payload != "").order_by(outbox.c.id)).all()
        records = {row.item: row.payload for row in rows if row.kind == "record"}
        events = [row.payload for row in rows if row.kind == "event"]
        chain = [
            Linked(**{name: getattr(row, name) for name in Linked.__dataclass_fields__ if name != "body"}, body=row.raw)
            for row in links.of(conn, key)
        ]
        kept = [_kept(conn, article, one, chain, records) for one in revisions]
    with Pool(1) as pool:
        changes = [_changed(article, old, new, pool) for old, new in pairwise(revisions)]
    row, latest = article.row, article.texts.get(revisions[-1].text_hash) if revisions else None
    return Dossier(
        uri=article.uri,
        url=row.url,
        names=article.names,
        authority=config.instance.authority,
        headline=(latest.wording.headline or "") if latest else "",
        publisher=(stated_publisher(latest.facts, article.source) or "") if latest else "",
        version=__version__,
        forgotten=(row.forgotten, row.forgotten_reason) if row.forgotten else None,
        revisions=kept,
        changes=changes,
        observations=list(zip(article.ledger.observations, article.history.outcomes, strict=True)),
        events=events,
        chain=chain,
        faults=[one.says for one in checked.faults],
    )


def _kept(conn: Any, article: Article, one: Revision, chain: list[Linked], records: Mapping[str, str]) -> Kept:
    text = article.texts.get(one.text_hash)
    page = pages.get(conn, one.page_hash) if one.page_hash else None
    said = next((links.says(link.body) for link in chain if link.revision == one.id and not link.superseded), {})
    return Kept(
        revision=one,
        wording=text.wording if text else None,
        text_gone=article.why_gone(one) or "",
        page=page.body if page else None,
        page_gone="" if page else _page_gone(conn, article, one, said),
        headers=tuple((name, value) for name, value in said.get("headers") or ()),
        record=records.get(one.id),
    )


def _page_gone(conn: Any, article: Article, one: Revision, said: Mapping[str, Any]) -> str:
    if one.page_hash is None:
        return "The words came out of a feed: there is no page"
    if said.get("headers") is None:
        return "The page says that no copy of it may be kept (noarchive)"
    if article.row.forgotten:
        return "The page was deleted when the article was forgotten"
    at = pages_removed(conn, [one.page_hash]).get(one.page_hash)
    return f"The page was removed on {moment(at)} UTC, as `retention` says" if at else "The page is missing"


def _changed(article: Article, old: Revision, new: Revision, pool: Pool) -> Changed:
    lacking = next((why for one in (old, new) if (why := article.why_gone(one))), None)
    if lacking is not None:
        return Changed(old=old, new=new, gone=f"{lacking}.")
    found = compared(article, old, new, pool)
    return Changed(
        old=old,
        new=new,
        old_wording=found.old_text.wording,
        diff=found.diff,
        verdict=found.verdict,
        sentence=found.sentence,
    )


def _write_folder(target: Path, made: Mapping[str, bytes]) -> None:
    """Write a folder that is whole or not there; one that holds evidence already is replaced, any other is refused."""
    if target.exists() and not (target / SUMS).is_file() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigurationError(f"{target} is there and holds something else: give another with -o", about=str(target))
    aside = Path(tempfile.mkdtemp(dir=target.absolute().parent, prefix=f".{target.name}."))
    try:
        for path, data in made.items():
            (aside / path).parent.mkdir(parents=True, exist_ok=True)
            (aside / path).write_bytes(data)
        if target.exists():
            shutil.rmtree(target)
        aside.replace(target)
        target.chmod(0o755)
    finally:
        with suppress(FileNotFoundError):
            shutil.rmtree(aside)
