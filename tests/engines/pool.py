"""A worker pool at one address: `python -m tests.engines.pool 127.0.0.2:50000`.

Beam's own program listens at all addresses of its machine. Here one machine plays several, and each TaskManager has to
have a pool of its own: two of them call their workers by the same names, and would end each other's in a common pool.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from apache_beam.portability.api import beam_fn_api_pb2_grpc
from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer


def main(address: str) -> None:
    """Start workers for whoever asks, until killed."""
    server = grpc.server(ThreadPoolExecutor())
    add: Any = beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server  # has no types
    add(BeamFnExternalWorkerPoolServicer(use_process=True), server)
    server.add_insecure_port(address)
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main(sys.argv[1])
