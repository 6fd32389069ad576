"""One client of S3 for a process, where Beam makes a new one for every call."""

from __future__ import annotations

import functools
from types import SimpleNamespace

_CONNECTIONS = 64
"""That a client keeps open: for as many threads as may ask at once."""


@functools.cache
def share() -> None:
    """Nothing; from now on Beam's S3 file system has one client for each of its settings in this process.

    Beam makes one whenever a file is listed, opened or removed: that takes longer than most answers do, and looks up
    credentials and opens a connection anew.
    """
    from apache_beam.io.aws.clients.s3 import boto3_client

    if boto3_client.boto3 is not None:
        boto3_client.boto3 = SimpleNamespace(session=SimpleNamespace(Session=lambda: SimpleNamespace(client=client)))


@functools.cache
def client(**settings):
    """A client of boto3, the same for the same settings; threads may share it."""
    import boto3
    from botocore.config import Config

    return boto3.session.Session().client(**settings, config=Config(max_pool_connections=_CONNECTIONS))
