"""``inkbeam-worker``: the command with which a Flink task manager starts a Python worker (environment_type PROCESS).

It stands in for the ``boot`` program of Beam's container image: it asks the runner what it is to know, and becomes the
worker. Nothing is staged: inkbeam must be installed in the Python environment that this command belongs to.
"""

from __future__ import annotations

import argparse
import os
import threading
import time


def main() -> None:
    """Be a worker until the runner has no more work, or is gone."""
    parser = argparse.ArgumentParser(prog="inkbeam-worker", description="A worker; started by a Flink task manager.")
    parser.add_argument("--id", required=True)
    parser.add_argument("--provision_endpoint", required=True)
    given, _ = parser.parse_known_args()
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    os.environ.update(_environment(given.id, given.provision_endpoint))
    from apache_beam.runners.worker import sdk_worker_main

    sdk_worker_main.main([])


def _environment(worker_id: str, provision_endpoint: str) -> dict[str, str]:
    """What Beam's worker reads from its environment, as the runner's provision service tells it."""
    import grpc
    from apache_beam.portability.api import beam_provision_api_pb2 as provision
    from apache_beam.portability.api import beam_provision_api_pb2_grpc as services
    from google.protobuf import json_format, text_format

    with grpc.insecure_channel(provision_endpoint) as channel:
        answer = services.ProvisionServiceStub(channel).GetProvisionInfo(
            provision.GetProvisionInfoRequest(), metadata=[("worker_id", worker_id)]
        )
    info = answer.info
    environment = {
        "WORKER_ID": worker_id,
        "PIPELINE_OPTIONS": json_format.MessageToJson(info.pipeline_options),
        "RUNNER_CAPABILITIES": " ".join(info.runner_capabilities),
    }
    for name in ("logging", "control", "status"):
        endpoint = getattr(info, f"{name}_endpoint")
        if endpoint.url:
            environment[f"{name.upper()}_API_SERVICE_DESCRIPTOR"] = text_format.MessageToString(endpoint)
    return environment


def _end_with_parent(parent: int) -> None:
    """End this process when its task manager is gone: killed, it cannot say so, and nobody else would end a worker."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
