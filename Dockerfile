# One image for all of Wirewatch: command line, job, sender, viewer, worker of an engine, launcher on Dataflow.
#
#   docker build -t wirewatch .
#   docker run --rm wirewatch --help
#
# docs/deploying.md says how it is used, and what of it could not be tried without an engine.

# What starts a worker inside a container, and what starts a Flex Template on Dataflow. The first must be of the very
# version of Beam in the lock.
FROM apache/beam_python3.11_sdk:2.77.0 AS beam
FROM gcr.io/dataflow-templates-base/python311-template-launcher-base:20230622_RC00 AS launcher

FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY deploy/requirements.lock ./
# What comes as source is built by the lock's own setuptools: pip would fetch some of no known hash for it.
RUN python -m venv /opt/wirewatch \
    && sed -n '/^setuptools==/,/[^\\]$/p' requirements.lock > setuptools.txt \
    && /opt/wirewatch/bin/pip install --quiet --no-cache-dir --no-deps --require-hashes -r setuptools.txt \
    && /opt/wirewatch/bin/pip install --quiet --no-cache-dir --no-deps --no-build-isolation --require-hashes \
        -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY wirewatch ./wirewatch
COPY transforms ./transforms
COPY pipelines ./pipelines
RUN /opt/wirewatch/bin/pip install --quiet --no-cache-dir --no-deps --no-index --no-build-isolation .

FROM python:3.11-slim-bookworm
COPY --from=beam /opt/apache/beam /opt/apache/beam
COPY --from=launcher /opt/google/dataflow/python_template_launcher /opt/google/dataflow/python_template_launcher
COPY --from=build /opt/wirewatch /opt/wirewatch
COPY deploy/dataflow/main.py /template/main.py
COPY --chmod=755 deploy/entrypoint.sh /usr/local/bin/wirewatch-entrypoint

# The worker runs in the environment that is here, and makes none of its own.
ENV PATH=/opt/wirewatch/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT=1 \
    FLEX_TEMPLATE_PYTHON_PY_FILE=/template/main.py

RUN groupadd --gid 10001 wirewatch \
    && useradd --uid 10001 --gid 10001 --create-home --home-dir /var/lib/wirewatch wirewatch
USER 10001:10001
WORKDIR /var/lib/wirewatch

# A job with `monitor.port`, and the viewer, say how they are at an address: WIREWATCH_HEALTH names it. What has none is
# well as long as it runs.
HEALTHCHECK --interval=30s --timeout=5s --start-period=90s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as ask; at = os.environ.get('WIREWATCH_HEALTH'); at and ask.urlopen(at, timeout=4)"]

ENTRYPOINT ["wirewatch-entrypoint"]
CMD ["--help"]
