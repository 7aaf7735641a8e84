"""What every sink must do: inherit `SinkContract`, say how to make the sink and how to read what it wrote.

A sink that passes loses nothing and shows nothing twice when a pass is killed at any point and run again.
"""

from __future__ import annotations

import pickle
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Literal

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to
from pydantic import ValidationError

from tests.transforms.sinks.batches import batch, item, kept_of, kill_while_writing
from transforms.process import noted
from transforms.sinks import SINKS, sink_adapter
from transforms.sinks.base import Sink
from wirewatch.errors import DeliveryFailed


class SinkContract(ABC):
    """Inherit in a class whose name begins with `Test`, in a file beside this one."""

    @abstractmethod
    def options(self, folder: Path) -> dict[str, Any]:
        """Return a configuration that writes to somewhere of its own below `folder`, `kind` and `name` included."""

    @abstractmethod
    def broken(self, folder: Path) -> dict[str, Any]:
        """Return a configuration of a place that cannot be written to."""

    @abstractmethod
    def kept(self, folder: Path) -> dict[str, list[str]]:
        """Return what a reader of the sink finds: the payloads of kind `record` and `event`, oldest first."""

    def sink(self, folder: Path) -> Sink:
        return sink_adapter().validate_python(self.options(folder))

    def test_kind_is_found_without_a_list_to_keep(self, tmp_path: Path) -> None:
        assert type(self.sink(tmp_path)) in SINKS

    def test_unknown_option_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValidationError, match="colour"):
            sink_adapter().validate_python(self.options(tmp_path) | {"colour": "blue"})

    @pytest.mark.parametrize("name", ["", "My Sink", "../out"])
    def test_name_that_is_no_plain_word_is_refused(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(ValidationError, match="name"):
            sink_adapter().validate_python(self.options(tmp_path) | {"name": name})

    def test_configuration_is_frozen_and_travels_to_workers(self, tmp_path: Path) -> None:
        sink = self.sink(tmp_path)
        with pytest.raises(ValidationError, match="frozen"):
            sink.name = "other"
        assert pickle.loads(pickle.dumps(sink)) == sink

    def test_everything_of_a_batch_is_kept_in_its_order(self, tmp_path: Path) -> None:
        self.sink(tmp_path).write(batch())
        assert self.kept(tmp_path) == kept_of(batch())

    @pytest.mark.parametrize("kind", ["record", "event"])
    def test_batch_of_one_kind_is_kept(self, tmp_path: Path, kind: Literal["record", "event"]) -> None:
        one_kind = batch(item(1, kind), item(2, kind))
        self.sink(tmp_path).write(one_kind)
        assert self.kept(tmp_path) == kept_of(one_kind)

    def test_batches_of_an_article_stay_in_order(self, tmp_path: Path) -> None:
        batches = [batch(first=first) for first in (1, 5, 9, 1001)]
        for one in batches:
            self.sink(tmp_path).write(one)
        assert self.kept(tmp_path) == kept_of(*batches)

    def test_batch_that_comes_again_is_kept_once(self, tmp_path: Path) -> None:
        for one in (batch(), batch(first=5), batch()):
            self.sink(tmp_path).write(one)
        assert self.kept(tmp_path) == kept_of(batch(), batch(first=5))

    @pytest.mark.parametrize("stall", [0, 1, 6, 7], ids="at item {}".format)
    def test_killed_writer_leaves_nothing_partial_and_the_next_one_everything(self, tmp_path: Path, stall: int) -> None:
        kill_while_writing(self.sink(tmp_path), stall)
        found, whole = self.kept(tmp_path), kept_of(batch())
        assert all(found.get(kind, []) in ([], whole[kind]) for kind in whole)
        self.sink(tmp_path).write(batch())
        assert self.kept(tmp_path) == whole

    def test_place_that_cannot_be_written_to_fails_with_a_sentence(self, tmp_path: Path) -> None:
        sink = sink_adapter().validate_python(self.broken(tmp_path))
        with pytest.raises(DeliveryFailed) as failure:
            sink.write(batch())
        assert str(failure.value).endswith(".")
        assert failure.value.about

    def test_transform_gives_back_what_was_written(self, tmp_path: Path) -> None:
        with beam.Pipeline(runner=FnApiRunner()) as pipeline:
            written = (
                pipeline
                | beam.Create([batch(), batch(first=5)], reshuffle=False)
                | self.sink(tmp_path).create_write_transform()
            )
            assert_that(written, equal_to([batch(), batch(first=5)]))
        assert self.kept(tmp_path) == kept_of(batch(), batch(first=5))

    def test_transform_gives_nothing_back_where_writing_failed(self, tmp_path: Path) -> None:
        sink = sink_adapter().validate_python(self.broken(tmp_path))
        marked = tmp_path / "marked"
        pipeline = beam.Pipeline(runner=FnApiRunner())
        (
            pipeline
            | beam.Create([batch()], reshuffle=False)
            | sink.create_write_transform()
            | "Mark" >> beam.Map(lambda _: marked.touch())
        )
        pipeline.run().wait_until_finish()
        assert isinstance(noted(), DeliveryFailed)
        assert not marked.exists()
