"""What Dataflow would refuse is found before a job is handed over; the service itself cannot be reached from here."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from pipelines.config import Config
from pipelines.engines.dataflow import options
from pipelines.engines.portable import LARGEST, Form, portable_form, refusals
from pipelines.stream import WatchForEver
from tests.builders import NOON
from tests.pipelines.site import configure
from wirewatch.clock import FixedClock

PLACES = {"project": "newsroom", "region": "europe-west1", "temp": "gs://newsroom-temp/wirewatch"}
IMAGE = "registry.example/newsroom/wirewatch:1"
READER = "Wirewatch/ReceiveMessages/Read checks/Pull"
GIVEN = ["--job_name=wirewatch-a-example", "--streaming"]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return configure(
        tmp_path_factory.mktemp("dataflow"),
        store="postgresql://wirewatch@db.example/wirewatch",
        sources=[{"kind": "pubsub", "name": "checks", "subscription": "projects/newsroom/subscriptions/checks"}],
        sinks=[{"kind": "pubsub", "name": "news", "topic": "projects/newsroom/topics/news"}],
        stream={"runner": "dataflow", "image": IMAGE, **PLACES},
    )


@pytest.fixture(scope="module")
def made(config: Config) -> Callable[[str], Form]:
    @cache
    def make(engine: str) -> Form:
        job = config.stream_job(FixedClock(NOON), "the stream")
        graph = WatchForEver(job, config.sinks, NOON, config.sources, engine=engine)
        return portable_form(graph, [*options(config), *GIVEN], IMAGE)

    return make


def copied(form: Form) -> Form:
    copy = Form()
    copy.CopyFrom(form)
    return copy


def test_stream_as_it_is_submitted_is_taken(config: Config, made: Callable[[str], Form]) -> None:
    assert refusals(made("dataflow"), [*options(config), *GIVEN], queues=1) == []


def test_reader_of_ours_is_found(config: Config, made: Callable[[str], Form]) -> None:
    assert refusals(made("prism"), [*options(config), *GIVEN], queues=1) == [
        f"{READER} is a reader of ours; on Dataflow its own reads Pub/Sub and acknowledges.",
        "Dataflow's own reader reads 0 of 1 subscriptions.",
        "The job needs beam:requirement:pardo:finalization:v1, which was never tried on Dataflow.",
    ]


def same_names(form: Form) -> None:
    first, second, *_ = form.components.transforms.values()
    second.unique_name = first.unique_name


def loopback(form: Form) -> None:
    for environment in form.components.environments.values():
        environment.urn = "beam:env:external:v1"


def files(form: Form) -> None:
    for environment in form.components.environments.values():
        environment.dependencies.add(type_urn="beam:artifact:type:file:v1")


def pickled_keys(form: Form) -> None:
    for coder in form.components.coders.values():
        if coder.spec.urn == "beam:coder:varint:v1":
            coder.spec.urn = "beam:coder:pickled_python:v1"


def no_coder(form: Form) -> None:
    next(iter(form.components.pcollections.values())).coder_id = "lost"


def huge(form: Form) -> None:
    form.components.coders["huge"].spec.payload = bytes(LARGEST)


def native_reader_gone(form: Form) -> None:
    for step in form.components.transforms.values():
        if step.spec.urn == "beam:transform:pubsub_read:v1":
            step.spec.urn = "beam:transform:impulse:v1"


SPOILED = {
    "two steps of one name": (same_names, "2 steps are called"),
    "loopback workers": (loopback, "wants to run in beam:env:external:v1"),
    "files beside the image": (files, "A file would be installed"),
    "keys that are pickled": (pickled_keys, "groups by keys whose bytes differ"),
    "coder that is missing": (no_coder, "The coder lost is used and not described."),
    "job that is too large": (huge, "and Dataflow takes 10,000,000."),
    "reader that is missing": (native_reader_gone, "reads 0 of 1 subscriptions"),
}


@pytest.mark.parametrize(("spoil", "sentence"), SPOILED.values(), ids=SPOILED)
def test_form_that_dataflow_refuses_is_told(
    config: Config, made: Callable[[str], Form], spoil: Callable[[Form], None], sentence: str
) -> None:
    form = copied(made("dataflow"))
    spoil(form)
    assert sentence in " ".join(refusals(form, [*options(config), *GIVEN], queues=1))


WRONG = {
    "job that does not stream": (["--job_name=a"], "does not say that it streams"),
    "loopback": ([*GIVEN, "--environment_type=LOOPBACK"], "would not be containers"),
    "packages at start": ([*GIVEN, "--requirements_file=requirements.txt"], "Packages would be installed"),
    "name that is none": (["--streaming", "--job_name=Wirewatch_1"], "'Wirewatch_1' is no name for a job"),
}


@pytest.mark.parametrize(("given", "sentence"), WRONG.values(), ids=WRONG)
def test_options_that_dataflow_refuses_are_told(
    config: Config, made: Callable[[str], Form], given: list[str], sentence: str
) -> None:
    (said,) = refusals(made("dataflow"), [*options(config), *given], queues=1)
    assert sentence in said


def test_workers_without_an_image_are_told(made: Callable[[str], Form]) -> None:
    assert "No image is named" in " ".join(refusals(made("dataflow"), GIVEN, queues=1))
