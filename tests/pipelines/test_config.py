"""What a configuration may say, and in which words each mistake in it is told."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.config import BadConfiguration, Config, load
from pipelines.reference import reference
from tests.builders import NOON
from transforms.sinks.jsonl import JsonLinesSink
from wirewatch.clock import FixedClock
from wirewatch.errors import ConfigurationError
from wirewatch.model import Instance, Source, Track
from wirewatch.units import duration_text, seconds, size, size_text

ROOT = Path(__file__).parents[2]
LEAST = """\
instance: {authority: news.example, since: "2026"}
fetch:
  contact: you@example.org
"""


def config(
    folder: Path, text: str | bytes = "", environ: Mapping[str, str] | None = None, *, least: str = LEAST
) -> Config:
    """Load a configuration: what it must say at least, and then `text`."""
    path = folder / "wirewatch.yaml"
    path.write_bytes(least.encode() + text.encode() if isinstance(text, str) else text)
    return load(path, environ or {})


def told(folder: Path, text: str | bytes, environ: Mapping[str, str] | None = None, *, least: str = LEAST) -> list[str]:
    """Return what is told of a configuration that cannot be used, a line for each mistake."""
    with pytest.raises(BadConfiguration) as caught:
        config(folder, text, environ, least=least)
    assert caught.value.exit_code == 2
    return [str(problem) for problem in caught.value.problems]


def test_least_configuration_has_every_default(tmp_path: Path) -> None:
    loaded = config(tmp_path)
    assert loaded.instance == Instance(authority="news.example", since="2026")
    assert loaded.store == f"sqlite:///{tmp_path}/wirewatch.db"
    assert (loaded.spacing_seconds, loaded.host_spacing) == (1.0, {})
    assert (loaded.feeds, loaded.articles, loaded.sinks) == ((), (), ())
    assert loaded.fetch.user_agent == "Wirewatch/0.1.0 (+you@example.org)"
    assert (loaded.fetch.article_bytes, loaded.fetch.feed_bytes) == (5 * 2**20, 15 * 2**20)


def test_everything_that_is_written_arrives(tmp_path: Path) -> None:
    loaded = config(
        tmp_path,
        """\
  spacing: 500ms
  hosts: {Courier.example: 1m30s}
  article_size: 2MiB
  connect_to: {courier.example: 127.0.0.1:8080}
  allow_addresses: [10.0.0.0/8, intranet.example]
  ca_file: ca.pem
store: sqlite:///data/news.db
feeds:
  - https://COURIER.example:443/rss.xml?utm_source=x
  - url: https://ticker.example/feed
    name: Ticker
    publisher: The Ticker
    track: entries
    interval: 10m
    floor: 1h
    end: 7d
    language: no
    zone: Europe/Oslo
    zone_names: {ist: Asia/Kolkata}
articles:
  - https://courier.example/about
sinks:
  - {kind: jsonl, name: files, folder: out}
work: {children: 3, timeout: 4s, horizon: 30s, wave: 7}
""",
    )
    assert loaded.store == f"sqlite:///{tmp_path}/data/news.db"
    assert (loaded.spacing_seconds, loaded.host_spacing) == (0.5, {"courier.example": 90.0})
    assert loaded.fetch.article_bytes == 2 * 2**20
    assert loaded.fetch.ca_file == str(tmp_path / "ca.pem")
    assert loaded.sinks == (JsonLinesSink(kind="jsonl", name="files", folder=tmp_path / "out"),)
    assert loaded.articles == (("https://courier.example/about", Source()),)
    assert loaded.feeds == (
        ("https://courier.example/rss.xml", Source(feed="https://courier.example/rss.xml")),
        (
            "https://ticker.example/feed",
            Source(
                feed="https://ticker.example/feed",
                feed_name="Ticker",
                publisher="The Ticker",
                track=Track.ENTRIES,
                interval_seconds=600,
                floor_seconds=3600,
                end_days=7,
                language="no",
                zone="Europe/Oslo",
                zone_names=(("IST", "Asia/Kolkata"),),
            ),
        ),
    )
    job = loaded.job(FixedClock(NOON), "run")
    assert (job.children, job.timeout_seconds, job.horizon_seconds, job.wave) == (3, 4.0, 30.0, 7)
    assert (job.store, job.sinks, job.instance) == (loaded.store, ("files",), loaded.instance)


MISTAKES = {
    "unknown key": ("fetsch: {}", "line 4, fetsch: there is no such key; did you mean fetch?"),
    "unknown key of a section": (
        "  conect_to: {}",
        "line 4, fetch.conect_to: there is no such key; did you mean connect_to?",
    ),
    "unknown key of an item": (
        "feeds:\n  - url: https://a.example/\n    intervall: 5m",
        "line 6, feeds[0].intervall: there is no such key; did you mean interval?",
    ),
    "unknown key unlike all others": (
        "work: {qqq: 1}",
        "line 4, work.qqq: there is no such key; there is children, timeout, horizon, wave",
    ),
    "duration without a unit we know": (
        "  spacing: 10 parsecs",
        "line 4, fetch.spacing: '10 parsecs' is no duration; write it like 60s, 10m, 1h30m or 3d",
    ),
    "negative duration": (
        "  spacing: -1",
        "line 4, fetch.spacing: -1 is no duration; write it like 60s, 10m, 1h30m or 3d",
    ),
    "interval that is too short": (
        "feeds: [{url: https://a.example/, interval: 5s}]",
        "line 4, feeds[0].interval: '5s' is not between 1m and 1d",
    ),
    "end that is no whole day": (
        "feeds: [{url: https://a.example/, end: 36h}]",
        "line 4, feeds[0].end: '36h' is not a number of whole days, such as 30d",
    ),
    "size": ("  article_size: 5MiBs", "line 4, fetch.article_size: '5MiBs' is no size; write it like 500kB or 5MiB"),
    "truth for a number": ("  parallel: true", "line 4, fetch.parallel: true is no whole number"),
    "number for a text": (
        "feeds: [{url: https://a.example/, name: 5}]",
        "line 4, feeds[0].name: 5 is no text; put it in quotes",
    ),
    "empty text": (
        'feeds: [{url: https://a.example/, name: ""}]',
        "line 4, feeds[0].name: '' is empty; write something or leave the key out",
    ),
    "text for a list": (
        "articles: https://a.example/",
        "line 4, articles: 'https://a.example/' is no list; begin each item with `- `",
    ),
    "list for a mapping": ("work: [1]", "line 4, work: this is no mapping of keys and values"),
    "item without a value": ("feeds:\n  -", "line 5, feeds[0]: a key without a value is no mapping of keys and values"),
    "item without an address": ("feeds: [{name: x}]", "line 4, feeds[0].url: this key is required"),
    "address of another kind": (
        "feeds: ['ftp://a.example/']",
        "line 4, feeds[0]: 'ftp://a.example/' is no web address; write it like https://courier.example/rss.xml",
    ),
    "address with a password": (
        "feeds: ['https://me:secret@a.example/']",
        "line 4, feeds[0]: 'https://…@a.example/' carries a user name or password, and Wirewatch never logs in",
    ),
    "zone": (
        "feeds: [{url: https://a.example/, zone: Europe/Londn}]",
        "line 4, feeds[0].zone: 'Europe/Londn' is no time zone; did you mean Europe/London?",
    ),
    "zone's abbreviation": (
        "feeds: [{url: https://a.example/, zone_names: {I-ST: Asia/Kolkata}}]",
        "line 4, feeds[0].zone_names.I-ST: the key is no zone's abbreviation, which has one to five letters",
    ),
    "track": (
        "feeds: [{url: https://a.example/, track: all}]",
        "line 4, feeds[0].track: 'all' is not 'pages' or 'entries'",
    ),
    "network": (
        "  allow_addresses: [10.0.0.0/33]",
        "line 4, fetch.allow_addresses[0]: '10.0.0.0/33' is neither an address nor a network nor a host name",
    ),
    "target without a port": (
        "  connect_to: {a.example: nowhere}",
        "line 4, fetch.connect_to.a.example: 'nowhere' is not an address with a port, such as 127.0.0.1:8080",
    ),
    "host with a path": (
        "  hosts: {'https://a.example/': 1s}",
        "line 4, fetch.hosts.https://a.example/: the key is no host name; write it without http:// and path",
    ),
    "unknown kind of sink": (
        "sinks: [{kind: parket, name: a, folder: x}]",
        "line 4, sinks[0].kind: there is no sink 'parket'; there is bigquery, jsonl, parquet, pubsub",
    ),
    "sink without a kind": (
        "sinks: [{name: a, folder: x}]",
        "line 4, sinks[0]: the key kind is required: bigquery, jsonl, parquet, pubsub",
    ),
    "sink that is no topic": (
        "sinks: [{kind: pubsub, name: a, topic: news}]",
        "line 4, sinks[0].topic: 'news' is no topic's full name; write projects/PROJECT/topics/TOPIC",
    ),
    "source that is no subscription": (
        "sources: [{kind: pubsub, name: a, subscription: projects/newsroom/topics/news}]",
        (
            "line 4, sources[0].subscription: 'projects/newsroom/topics/news' is no subscription's full name; "
            "write projects/PROJECT/subscriptions/SUBSCRIPTION"
        ),
    ),
    "unknown kind of source": (
        "sources: [{kind: kafka, name: a, subscription: projects/newsroom/subscriptions/abc}]",
        "line 4, sources[0].kind: there is no source 'kafka'; there is pubsub",
    ),
    "unknown key of a source": (
        "sources: [{kind: pubsub, name: a, subscription: projects/p/subscriptions/abc, emulatr: a:1}]",
        "line 4, sources[0].emulatr: there is no such key; did you mean emulator?",
    ),
    "unknown key of a sink": (
        "sinks: [{kind: jsonl, name: a, folder: x, foldr: y}]",
        "line 4, sinks[0].foldr: there is no such key; did you mean folder?",
    ),
    "database of another kind": (
        "store: mysql://db/news",
        "line 4, store: A store cannot be kept in mysql: write sqlite:///FOLDER/FILE or postgresql://USER@HOST/DATABASE.",
    ),
    "password in the file": (
        "store: postgresql://me:hunter2@db/news",
        "line 4, store: the password stands in the file; write ${NAME} and keep it in the environment",
    ),
    "variable that is not set": (
        "store: postgresql://me:${SECRET}@db/news",
        "line 4, store: the environment variable SECRET is not set",
    ),
    "variable without an end": (
        "feeds: ['https://a.example/${SECRET']",
        "line 4, feeds[0]: after `${` comes the name of an environment variable and `}`; for `${` itself write `$${`",
    ),
    "key that is there twice": (
        "work: {wave: 1, wave: 2}",
        "line 4, work.wave: this key is there twice; the first is on line 4",
    ),
    "anchor": ("work: &w {wave: 1}", "line 4, work: anchors (&name) are not read here; take it away"),
    "tag": (
        "work: !!python/name:os.system {wave: 1}",
        "line 4, work: tags (tag:yaml.org,2002:python/name:os.system) are not read here; take it away",
    ),
    "second document": ("---\nwork: {}", "line 4: a second document begins here; one file is one"),
    "key that is a list": ("? [a, b]\n: 1", "line 4: a key must be a word"),
}


@pytest.mark.parametrize(("text", "message"), [pytest.param(*case, id=name) for name, case in MISTAKES.items()])
def test_mistake_is_told_with_its_line_and_place(text: str, message: str, tmp_path: Path) -> None:
    assert told(tmp_path, text) == [message]


def test_feeds_articles_and_sinks_that_are_there_twice_are_told(tmp_path: Path) -> None:
    text = """\
feeds:
  - https://a.example/rss
  - {url: "https://A.example:443/rss?utm_source=x"}
sinks:
  - {kind: jsonl, name: files, folder: a}
  - {kind: jsonl, name: files, folder: b}
"""
    assert told(tmp_path, text) == [
        "line 6, feeds[1].url: 'https://a.example/rss' is there already, as feeds[0]",
        "line 9, sinks[1].name: 'files' is there already, as sinks[0]",
    ]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = "fetch: {spacing: soon}\nfeeds: [{zone: Nowhere}, 5]\nwork: {wave: 0, wave: 1}\n"
    assert told(tmp_path, text, least="") == [
        "instance.authority: this key is required",
        "instance.since: this key is required",
        "line 1, fetch.contact: this key is required",
        "line 1, fetch.spacing: 'soon' is no duration; write it like 60s, 10m, 1h30m or 3d",
        "line 2, feeds[0].url: this key is required",
        "line 2, feeds[0].zone: 'Nowhere' is no time zone; write an IANA name such as Europe/London",
        "line 2, feeds[1]: 5 is no mapping of keys and values",
        "line 3, work.wave: 0 is not between 1 and 10,000",
        "line 3, work.wave: this key is there twice; the first is on line 3",
    ]


@pytest.mark.parametrize(
    ("since", "right"),
    [("2026", True), ("2026-03", True), ("2026-03-16", True), ("26", False), ("2026-13", False), ("2026-02-30", False)],
)
def test_instance_is_dated_as_rfc_4151_has_it(since: str, right: bool, tmp_path: Path) -> None:
    least = LEAST.replace('"2026"', since)
    if right:
        assert config(tmp_path, least=least).instance.since == since
        return
    assert told(tmp_path, "", least=least)[0].startswith("line 1, instance.since: ")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "this is empty; `wirewatch init` writes one to start from", id="empty"),
        pytest.param(b"# nothing\n", "this is empty; `wirewatch init` writes one to start from", id="only a comment"),
        pytest.param(b"- a\n", "line 1: this is no mapping; write keys and values, such as `feeds:`", id="a list"),
        pytest.param(b"a: b: c\n", "line 1: this is no YAML: ", id="no YAML"),
        pytest.param(b"a: [1\n", "line 2: this is no YAML: ", id="a list without an end"),
        pytest.param(b"a: 1\nb: \xff\n", "line 2: this is not UTF-8; save it in that encoding", id="Latin-1"),
        pytest.param(b"[" * 100_000, "line 1: it is nested too deep", id="a hundred thousand brackets"),
        pytest.param(b"a: \x00\n", "this is no YAML: ", id="a NUL"),
        pytest.param(b"#" * (5 * 2**20 + 1), "this is larger than 5 MiB and no configuration", id="far too large"),
    ],
)
def test_file_that_is_no_configuration_is_refused(data: bytes, message: str, tmp_path: Path) -> None:
    problem, *others = told(tmp_path, data)
    assert message in problem
    assert not others


def test_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no such file; `wirewatch init` writes one"):
        load(tmp_path / "none.yaml", {})
    with pytest.raises(ConfigurationError, match=r"this cannot be read \(Is a directory\)"):
        load(tmp_path, {})


def test_aliases_that_would_grow_without_bound_are_refused(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    problems = told(tmp_path, bomb)
    assert "line 5, a1[0]: aliases (*name) are not read here; write the value out" in problems


def test_values_come_out_of_the_environment(tmp_path: Path) -> None:
    environ = {"WHO": "me@example.org", "WORD": "s3cret", "N": "4", "HOST": "courier.example"}
    text = """\
store: postgresql://me:${WORD}@db/news
feeds: ["https://${HOST}/a$${b}"]
work: {children: "${N}", timeout: "${N}s"}
"""
    loaded = config(tmp_path, text, environ, least=LEAST.replace("you@example.org", "${WHO}"))
    assert loaded.fetch.contact == "me@example.org"
    assert loaded.store == "postgresql://me:s3cret@db/news"
    assert loaded.feeds[0][0] == "https://courier.example/a$%7Bb%7D"
    assert (loaded.work.children, loaded.work.timeout) == (4, 4.0)


@pytest.mark.parametrize(
    "text",
    [
        "store: mysql://me:${SECRET}@db",
        "store: ${SECRET}",
        "  spacing: ${SECRET}",
        '  allow_addresses: ["${SECRET} "]',
        '  connect_to: {a.example: "${SECRET}"}',
        'feeds: ["https://me:${SECRET}@a.example/"]',
        'feeds: [{url: https://a.example/, zone: "${SECRET}", language: "${SECRET}", track: "${SECRET}"}]',
        'sinks: [{kind: "${SECRET}", name: "${SECRET}", folder: x}]',
        'sinks: [{kind: jsonl, name: "${SECRET}", folder: x}, {kind: jsonl, name: "${SECRET}", folder: x}]',
        'work: "${SECRET}"',
    ],
)
def test_value_out_of_the_environment_is_in_no_message(text: str, tmp_path: Path) -> None:
    problems = told(tmp_path, text, {"SECRET": "Hunter2 hunter2"})
    assert problems
    assert "unter2" not in "".join(problems)


def test_password_is_in_no_representation(tmp_path: Path) -> None:
    loaded = config(tmp_path, "store: postgresql://me:${WORD}@db/news?password=${WORD}", {"WORD": "s3cret"})
    assert "s3cret" not in repr(loaded) + loaded.shown_store
    assert loaded.shown_store == "postgresql://me:***@db/news"


def test_configuration_survives_pickling(tmp_path: Path) -> None:
    loaded = config(tmp_path, "sinks: [{kind: jsonl, name: files, folder: out}]")
    assert pickle.loads(pickle.dumps(loaded)) == loaded
    assert pickle.loads(pickle.dumps(loaded.job(FixedClock(NOON), "run"))) == loaded.job(FixedClock(NOON), "run")


def test_refusal_survives_pickling(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration) as caught:
        config(tmp_path, "work: {wave: 0, children: 0}")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.problems) == (str(caught.value), caught.value.problems)


@pytest.mark.parametrize("name", ["laptop", "postgresql", "stream", "flink"])
def test_example_can_be_used(name: str) -> None:
    environ = {"WIREWATCH_CONTACT": "you@example.org", "WIREWATCH_STORE_PASSWORD": "s3cret"}
    loaded = load(ROOT / "configs" / f"{name}.yaml", environ)
    assert loaded.fetch.contact == "you@example.org"
    assert loaded.feeds
    assert loaded.sinks


def test_reference_is_up_to_date() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert page == reference(), "write it anew: python -m pipelines.reference > docs/configuration.md"


@given(st.integers(min_value=0, max_value=400 * 86_400))
def test_written_duration_is_read_back(whole: int) -> None:
    assert seconds(duration_text(whole)) == whole


@given(st.integers(min_value=0, max_value=2**40))
def test_written_size_is_read_back(count: int) -> None:
    assert size(size_text(count)) == count


@given(st.text() | st.booleans() | st.none() | st.floats() | st.lists(st.integers()))
def test_what_is_no_duration_or_size_is_refused_in_one_way(value: object) -> None:
    for read in (seconds, size):
        said = ""
        try:
            read(value)
        except ValueError as error:
            said = str(error)
        assert not said or said.startswith("is no ")


@given(
    st.dictionaries(st.text(max_size=5), st.recursive(st.text() | st.integers() | st.none(), st.lists, max_leaves=5))
)
def test_whatever_a_file_says_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, said: dict[str, object]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    with pytest.raises(BadConfiguration):
        config(folder, json.dumps(said), least="")
