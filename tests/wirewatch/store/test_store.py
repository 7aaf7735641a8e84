"""Opening a store, its transactions, and what it says when the database cannot go on."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from tests.conftest import Databases
from tests.wirewatch.store.together import Workers
from wirewatch.errors import ConfigurationError, StoreError, Superseded
from wirewatch.store import Store, migrations
from wirewatch.store.sql import insert
from wirewatch.store.tables import meta, metadata, pages

OPEN = "import sys; from wirewatch.store import Store; Store.open(sys.argv[1]).close()"
# The search index and the tables in which FTS5 keeps it; no table of SQLAlchemy can say what these are.
SEARCH_OF_SQLITE = {"change_words", *(f"change_words_{part}" for part in ("config", "data", "docsize", "idx"))}
OPEN_MANY = """
import sys
from wirewatch.store import Store
for n in range(15):
    Store.open(f"sqlite:///{sys.argv[1]}/{n}.sqlite").close()
"""
ADD = """
import sys
import sqlalchemy as sa
from wirewatch.store import Store
from wirewatch.store.tables import meta
store = Store.open(sys.argv[1])
for _ in range(100):
    with store.begin() as conn:
        n = int(conn.scalar(sa.select(meta.c.value).where(meta.c.key == "n").with_for_update()))
        conn.execute(sa.update(meta).where(meta.c.key == "n").values(value=str(n + 1)))
store.close()
"""


def put(store: Store, key: str, value: str = "1") -> None:
    with store.begin() as conn:
        conn.execute(insert(conn, meta).values(key=key, value=value))


def keys(store: Store) -> set[str]:
    with store.reading() as conn:
        return set(conn.scalars(sa.select(meta.c.key)))


# Opening and migrating


def test_processes_that_start_at_once_all_open_a_new_store(empty_url: str, workers: Workers) -> None:
    workers.run(OPEN, empty_url)
    store = Store.open(empty_url)
    assert keys(store) == set()
    store.close()


def test_processes_that_make_many_files_side_by_side_never_find_one_locked(tmp_path: Path, workers: Workers) -> None:
    workers.run(OPEN_MANY, str(tmp_path))
    assert len(list(tmp_path.glob("*.sqlite"))) == 15


def test_migrated_schema_is_that_of_the_tables(store: Store) -> None:
    with store.begin() as conn:
        # Each database searches in its own way: SQLite in tables of FTS5, PostgreSQL by an index that SQLite lacks.
        own = SEARCH_OF_SQLITE | {"ix_changes_words"} if conn.dialect.name == "sqlite" else set()
        opts: dict[str, Any] = {"compare_type": True, "compare_server_default": True}
        opts["include_object"] = lambda _object, name, *_others: name not in own
        context = MigrationContext.configure(conn, opts=opts)
        assert compare_metadata(context, metadata) == []


def test_schema_goes_down_to_nothing_and_up_again(store: Store) -> None:
    put(store, "old")
    migrations.migrate(store.engine, "base")
    with store.begin() as conn:
        assert sa.inspect(conn).get_table_names() == ["alembic_version"]
    migrations.migrate(store.engine, migrations.HEAD)
    assert keys(store) == set()
    with store.begin() as conn:
        of_search = SEARCH_OF_SQLITE if conn.dialect.name == "sqlite" else set()
        assert set(sa.inspect(conn).get_table_names()) == {*metadata.tables, *of_search, "alembic_version"}


def test_head_is_the_newest_migration_and_revisions_count_up() -> None:
    script = ScriptDirectory.from_config(migrations.configuration())
    assert script.get_current_head() == migrations.HEAD
    names = sorted(revision.revision for revision in script.walk_revisions())
    assert names == [f"{n:04}" for n in range(1, len(names) + 1)]


def test_store_of_a_newer_version_is_refused_and_left_alone(store: Store) -> None:
    with store.begin() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match=r"newer Wirewatch \(schema 9999.*install"):
        Store.open(store.url)


def test_folder_of_a_store_is_made(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/not/yet/there.sqlite")
    assert (tmp_path / "not/yet/there.sqlite").exists()
    store.close()


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=rf"folder {tmp_path}/file/below cannot be made"):
        Store.open(f"sqlite:///{tmp_path}/file/below/store.sqlite")


def test_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Madam, " * 1000)
    with pytest.raises(StoreError, match=r"letter\.txt is not a database"):
        Store.open(f"sqlite:///{tmp_path}/letter.txt")


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://user:s3cret@host/db",
        "what is this",
        "postgresql://user:s3cret@host:port/db",
    ],
)
def test_address_that_cannot_be_one_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match="write sqlite:///") as caught:
        Store.open(url)
    assert "s3cret" not in str(caught.value)


def test_unreachable_server_is_told_without_its_password() -> None:
    with pytest.raises(StoreError, match="cannot be reached") as caught:
        Store.open("postgresql://reader:s3cret@127.0.0.1:9/news?options=-cs3cret", wait_seconds=2)
    assert "s3cret" not in f"{caught.value} {caught.value.about}"


def test_password_is_not_in_the_stores_name(tmp_path: Path) -> None:
    store = Store(
        "postgresql://reader:s3cret@host/news", sa.create_engine("postgresql+psycopg://reader:s3cret@host/news")
    )
    assert "s3cret" not in repr(store)


def test_pickled_store_becomes_the_other_processes_shared_one(store: Store) -> None:
    put(store, "here")
    one, two = pickle.loads(pickle.dumps(store)), pickle.loads(pickle.dumps(store))
    assert one is two
    assert keys(one) == {"here"}
    one.close()


# Transactions


def test_two_processes_that_read_and_then_write_lose_nothing(store: Store, workers: Workers) -> None:
    put(store, "n", "0")
    workers.run(ADD, store.url)
    with store.reading() as conn:
        assert conn.scalar(sa.select(meta.c.value)) == "200"


def test_exception_undoes_the_whole_transaction(store: Store) -> None:
    def fail() -> None:
        with store.begin() as conn:
            conn.execute(insert(conn, meta).values(key="a", value="1"))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert keys(store) == set()


def test_reading_transaction_sees_one_state_throughout(store: Store) -> None:
    with store.reading() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(meta)) == 0
        put(store, "meanwhile")
        assert conn.scalar(sa.select(sa.func.count()).select_from(meta)) == 0
    assert keys(store) == {"meanwhile"}


def test_reader_does_not_wait_for_a_writer(store: Store) -> None:
    with store.begin() as conn:
        conn.execute(insert(conn, meta).values(key="a", value="1"))
        assert keys(store) == set()


# What the database cannot do


def test_locked_store_is_told(empty_url: str) -> None:
    store = Store.open(empty_url, wait_seconds=0.1)
    with store.begin() as conn:
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql("LOCK TABLE meta")
        with pytest.raises(StoreError, match="is locked by another process"), store.begin() as second:
            second.execute(insert(second, meta).values(key="a", value="1"))
    store.close()


def test_full_disk_is_told_and_nothing_is_half_written(store: Store) -> None:
    def fill() -> None:
        with store.begin() as conn:
            conn.execute(insert(conn, meta).values(key="a", value="1"))
            if conn.dialect.name == "postgresql":
                conn.exec_driver_sql("DO $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$")
            else:
                conn.exec_driver_sql("PRAGMA max_page_count = 1")
                conn.execute(insert(conn, meta).values(key="b", value="long" * 100_000))

    with pytest.raises(StoreError, match="has no room left on its disk"):
        fill()
    assert keys(store) == set()


def test_read_only_store_is_told(store: Store) -> None:
    def write() -> None:
        with store.begin() as conn:
            sqlite = conn.dialect.name == "sqlite"
            conn.exec_driver_sql("PRAGMA query_only = ON" if sqlite else "SET TRANSACTION READ ONLY")
            conn.execute(insert(conn, meta).values(key="a", value="1"))

    with pytest.raises(StoreError, match="is read-only"):
        write()


def test_lost_connection_is_told_and_the_next_transaction_has_a_new_one(databases: Databases) -> None:
    store = Store.open(databases.empty())

    def lose() -> None:
        with store.begin() as conn:
            victim = conn.scalar(sa.text("SELECT pg_backend_pid()"))
            with store.begin() as other:
                other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": victim})
            conn.execute(insert(conn, meta).values(key="a", value="1"))

    with pytest.raises(StoreError, match="broke the connection"):
        lose()
    put(store, "b")
    assert keys(store) == {"b"}
    store.close()


def test_deadlock_and_lost_race_are_superseded(databases: Databases) -> None:
    store = Store.open(databases.empty())
    for code in ("40001", "40P01"):
        with pytest.raises(Superseded, match="try again"), store.begin() as conn:
            conn.exec_driver_sql(f"DO $$ BEGIN RAISE EXCEPTION 'raced' USING ERRCODE = '{code}'; END $$")
    store.close()


def test_broken_rule_of_the_schema_is_a_fault_of_the_program(store: Store) -> None:
    put(store, "a")
    with pytest.raises(sa.exc.IntegrityError):
        put(store, "a")


def test_reference_to_an_article_that_is_not_there_is_refused(store: Store) -> None:
    rows = {"article": "none", "text_hash": "t", "content_hash": "c", "wording": {}, "facts": {}}
    with pytest.raises(sa.exc.IntegrityError), store.begin() as conn:
        conn.execute(sa.insert(metadata.tables["wordings"]).values(rows))


def test_page_columns_are_not_read_by_accident() -> None:
    assert list(pages.c)[-1].name == "body"
