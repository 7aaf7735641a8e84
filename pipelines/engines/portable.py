"""Look at a job in the form in which engines get it, for what Dataflow would refuse or would never acknowledge.

The service says such things minutes after a job was handed over, on a page in its console; here they are sentences.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

import apache_beam as beam
from apache_beam.options.pipeline_options import (
    GoogleCloudOptions,
    PipelineOptions,
    PortableOptions,
    SetupOptions,
    StandardOptions,
    WorkerOptions,
)
from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.transforms import environments

Form = beam_runner_api_pb2.Pipeline

LARGEST: Final = 10_000_000  # bytes; Dataflow's documented limit of a job request
_JOB_NAME: Final = re.compile(r"[a-z]([-a-z0-9]{0,1022}[a-z0-9])?")
_DOCKER: Final = common_urns.environments.DOCKER.urn
_PAR_DO: Final = common_urns.primitives.PAR_DO.urn
_GROUP_BY_KEY: Final = common_urns.primitives.GROUP_BY_KEY.urn
_PUBSUB_READ: Final = common_urns.composites.PUBSUB_READ.urn
_KEY_VALUE: Final = common_urns.coders.KV.urn
_A_LIST: Final = "submission_environment_dependencies.txt"  # of what is installed here, for a worker's log
_PICKLED: Final = "beam:coder:pickled_python:v1"  # not the same bytes each time: keys in it fall apart
_KNOWN: Final = {
    common_urns.requirements.REQUIRES_SPLITTABLE_DOFN.urn,
    common_urns.requirements.REQUIRES_STATEFUL_PROCESSING.urn,
}


def portable_form(graph: Any, options: Sequence[str], image: str) -> Form:
    """Return what an engine gets of a graph whose workers are started from an image. Nobody is asked for it."""
    parsed = PipelineOptions(list(options))
    pipeline = beam.Pipeline(options=PipelineOptions(["--streaming"]))  # with a runner's name it would ask the service
    pipeline | "Wirewatch" >> graph
    artifacts = environments.python_sdk_dependencies(parsed)
    environment = environments.DockerEnvironment.from_container_image(image, artifacts=artifacts)
    return pipeline.to_runner_api(default_environment=environment)


def refusals(form: Form, options: Sequence[str], *, queues: int) -> list[str]:
    """Return what Dataflow cannot run, each in a sentence; `queues` is how many subscriptions the job has to read."""
    return [*_of_options(PipelineOptions(list(options))), *_of_steps(form, queues), *_of_form(form)]


def _of_options(options: PipelineOptions) -> Iterator[str]:
    if not options.view_as(StandardOptions).streaming:
        yield "The job does not say that it streams (--streaming), and would be run as one that ends."
    if options.view_as(PortableOptions).environment_type not in (None, "DOCKER"):
        yield "The workers would not be containers (--environment_type), which are all that Dataflow starts."
    if not options.view_as(WorkerOptions).sdk_container_image:
        yield "No image is named for the workers (--sdk_container_image), and Beam's own has no Wirewatch."
    setup = options.view_as(SetupOptions)
    if setup.requirements_file or setup.setup_file or setup.extra_packages or setup.save_main_session:
        yield "Packages would be installed when a worker starts; the image is to have them all."
    name = options.view_as(GoogleCloudOptions).job_name or ""
    if not _JOB_NAME.fullmatch(name):
        yield f"{name!r} is no name for a job: small letters, digits and hyphens, a letter first."


def _of_steps(form: Form, queues: int) -> Iterator[str]:
    steps = form.components.transforms.values()
    for name, times in sorted(Counter(step.unique_name for step in steps).items()):
        if times > 1:
            yield f"{times} steps are called {name}; a job cannot be upgraded by such names."
    for step in steps:
        if step.spec.urn == _PAR_DO:
            what = beam_runner_api_pb2.ParDoPayload.FromString(step.spec.payload)
            if what.requests_finalization:
                yield f"{step.unique_name} is a reader of ours; on Dataflow its own reads Pub/Sub and acknowledges."
        elif step.spec.urn == _GROUP_BY_KEY and not _keys_are_stable(form, step):
            yield f"{step.unique_name} groups by keys whose bytes differ from time to time."
    read = sum(step.spec.urn == _PUBSUB_READ for step in steps)
    if read != queues:
        yield f"Dataflow's own reader reads {read} of {queues} subscriptions."


def _keys_are_stable(form: Form, step: beam_runner_api_pb2.PTransform) -> bool:
    coders, collections = form.components.coders, form.components.pcollections
    (grouped,) = step.inputs.values()
    pair = coders[collections[grouped].coder_id]
    return pair.spec.urn == _KEY_VALUE and coders[pair.component_coder_ids[0]].spec.urn != _PICKLED


def _staged_as(dependency: beam_runner_api_pb2.ArtifactInformation) -> str:
    return beam_runner_api_pb2.ArtifactStagingToRolePayload.FromString(dependency.role_payload).staged_name or "A file"


def _of_form(form: Form) -> Iterator[str]:
    for environment in form.components.environments.values():
        if environment.urn != _DOCKER:
            yield f"A step wants to run in {environment.urn}, and Dataflow starts containers only."
        elif brought := [name for one in environment.dependencies if (name := _staged_as(one)) != _A_LIST]:
            yield f"{', '.join(brought)} would be installed when a worker starts; put it into the image."
    for requirement in sorted(set(form.requirements) - _KNOWN):
        yield f"The job needs {requirement}, which was never tried on Dataflow."
    used = {collection.coder_id for collection in form.components.pcollections.values()}
    for missing in sorted(used - set(form.components.coders)):
        yield f"The coder {missing} is used and not described."
    if form.ByteSize() > LARGEST:
        yield f"The job has {form.ByteSize():,} bytes, and Dataflow takes {LARGEST:,}."
