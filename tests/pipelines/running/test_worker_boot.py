"""The worker's beginning, against a real provision service, and its end."""

import os
import subprocess
import sys
import time
from concurrent import futures

import grpc
import pytest
from apache_beam.portability.api import beam_provision_api_pb2, beam_provision_api_pb2_grpc, endpoints_pb2
from google.protobuf import struct_pb2, text_format

from pipelines.running import worker_boot
from tests.conftest import REPOSITORY

ORPHAN = """
import subprocess, sys
code = '''
import os
parent = os.getppid()
from pipelines.running.worker_boot import _end_with_parent
print(flush=True)
_end_with_parent(parent)
'''
child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
assert child.stdout.readline(), "the worker does not start"
print(child.pid)
"""


class Provision(beam_provision_api_pb2_grpc.ProvisionServiceServicer):
    def GetProvisionInfo(self, request, context):
        assert ("worker_id", "7-1") in context.invocation_metadata()
        options = struct_pb2.Struct()
        options.update({"beam:option:streaming:v1": False})
        info = beam_provision_api_pb2.ProvisionInfo(
            pipeline_options=options,
            control_endpoint=endpoints_pb2.ApiServiceDescriptor(url="localhost:1"),
            logging_endpoint=endpoints_pb2.ApiServiceDescriptor(url="localhost:2"),
            runner_capabilities=["a", "b"],
        )
        return beam_provision_api_pb2.GetProvisionInfoResponse(info=info)


def test_worker_is_told_what_beam_reads_from_its_environment():
    server = grpc.server(futures.ThreadPoolExecutor(1))
    beam_provision_api_pb2_grpc.add_ProvisionServiceServicer_to_server(Provision(), server)
    port = server.add_insecure_port("localhost:0")
    server.start()
    try:
        found = worker_boot._environment("7-1", f"localhost:{port}")
    finally:
        server.stop(None)
    control = text_format.Parse(found.pop("CONTROL_API_SERVICE_DESCRIPTOR"), endpoints_pb2.ApiServiceDescriptor())
    logs = text_format.Parse(found.pop("LOGGING_API_SERVICE_DESCRIPTOR"), endpoints_pb2.ApiServiceDescriptor())
    assert (control.url, logs.url) == ("localhost:1", "localhost:2")
    assert "streaming" in found.pop("PIPELINE_OPTIONS")
    assert found == {"WORKER_ID": "7-1", "RUNNER_CAPABILITIES": "a b"}


def test_worker_ends_when_the_process_that_started_it_is_gone():
    parent = subprocess.run([sys.executable, "-c", ORPHAN], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    orphan = int(parent.stdout)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            os.kill(orphan, 0)
            with open(f"/proc/{orphan}/stat") as stat:
                if stat.read().rpartition(")")[2].split()[0] == "Z":
                    return
        except (ProcessLookupError, FileNotFoundError):
            return
        time.sleep(0.1)
    os.kill(orphan, 9)
    pytest.fail("it lives on")
