"""A whole archive in an object store: the real S3 file system of Beam against a local server."""

from __future__ import annotations

import importlib.util
import json
import threading
from urllib.parse import urlsplit

import pytest

if any(importlib.util.find_spec(name) is None for name in ("boto3", "moto", "flask", "flask_cors")):
    pytest.skip(
        "an S3 server needs boto3, moto, flask and flask-cors: pip install 'inkbeam[dev]'", allow_module_level=True
    )

import io

import boto3
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems
from apache_beam.utils import retry
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from pipelines import files, inputs, s3_clients
from pipelines.archive import runs
from pipelines.archive.rows import TABLES
from pipelines.errors import UsageError
from tests import broken_files
from tests.pipelines.drawing import LETTER, page
from tests.pipelines.jobs import inkbeam

BUCKET = "archive"


class Server:
    """An S3 server on this machine that can be told to fail.

    Attributes:
        faults: pairs of method and part of a path; the next request that fits each is answered with 503.
        failed: requests that were.
    """

    def __init__(self):
        self._app = DomainDispatcherApplication(create_backend_app)
        self.faults: list[tuple[str, str]] = []
        self.failed: list[tuple[str, str]] = []
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _answer(self, environ, start_response):
        method, path = environ["REQUEST_METHOD"], urlsplit(environ["PATH_INFO"]).path
        for fault in self.faults:
            if fault[0] == method and fault[1] in path:
                self.faults.remove(fault)
                self.failed.append(fault)
                environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                return Response("out of order", status=503)(environ, start_response)
        return self._app(environ, start_response)

    def stop(self):
        self._server.shutdown()


@pytest.fixture(scope="module")
def server():
    with pytest.MonkeyPatch.context() as environment:
        server = Server()
        for name, value in {
            "AWS_ENDPOINT_URL_S3": server.url,
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "nothing",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_CONFIG_FILE": "/nowhere",
            "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():
            environment.setenv(name, value)
        # Beam waits 5 seconds and more before it tries again.
        environment.setattr(retry.Clock, "sleep", lambda self, seconds: None)
        s3_clients.client.cache_clear()
        yield server
        s3_clients.client.cache_clear()
        server.stop()


@pytest.fixture(scope="module")
def store(server):
    """A client of a server whose bucket holds two letters and two broken files."""
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    letters = {"a [1].png": LETTER, "box 2/b.png": ("Come before Easter", "if the roads allow")}
    for name, lines in letters.items():
        client.put_object(Bucket=BUCKET, Key=f"scans/{name}", Body=broken_files.encoded(page(lines), "PNG"))
    client.put_object(Bucket=BUCKET, Key="scans/cut.png", Body=broken_files.cut(broken_files.good_png)())
    client.put_object(Bucket=BUCKET, Key="scans/empty.pdf", Body=b"")
    client.put_object(Bucket=BUCKET, Key="scans/", Body=b"")
    client.put_object(Bucket=BUCKET, Key="scans/notes.txt", Body=b"not a scan")
    files.configure([])
    return client


def keys(store, prefix=""):
    return [o["Key"] for o in store.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]


def rows(store, output, table):
    found = []
    for key in keys(store, f"{output}/{table}/"):
        body = store.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        found += pq.ParquetFile(io.BytesIO(body)).read().to_pylist()
    return found


def digitize(output, tiny_bundle, *arguments):
    command = ("digitize", "--input", f"s3://{BUCKET}/scans", "--output", f"s3://{BUCKET}/{output}")
    return inkbeam(*command, "--model", tiny_bundle, *arguments)


# ------------------------------------------------------------------------------------------------ listing


SCANS = ["a [1].png", "box 2/b.png", "cut.png", "empty.pdf"]


@pytest.mark.parametrize(
    ("uri", "names"),
    [
        (f"s3://{BUCKET}/scans", SCANS),
        (f"s3://{BUCKET}/scans/", SCANS),
        (f"s3://{BUCKET}", SCANS),
        (f"s3://{BUCKET}/", SCANS),
        (f"s3://{BUCKET}/scans/*.png", ["a [1].png", "cut.png"]),
        (f"s3://{BUCKET}/scans/*", ["a [1].png", "cut.png", "empty.pdf", "notes.txt"]),
        (f"s3://{BUCKET}/scans/**.png", ["a [1].png", "box 2/b.png", "cut.png"]),
        (f"s3://{BUCKET}/scans/a [1].png", ["a [1].png"]),
        (f"s3://{BUCKET}/scans/notes.txt", ["notes.txt"]),
    ],
)
def test_folders_patterns_and_names_are_listed_with_size_and_time(store, uri, names):
    found = inputs.find([uri])
    assert [d.uri for d in found] == sorted(f"s3://{BUCKET}/scans/{name}" for name in names)
    for document in found:
        head = store.head_object(Bucket=BUCKET, Key=document.uri.removeprefix(f"s3://{BUCKET}/"))
        assert document.size == head["ContentLength"]
        assert document.modified == head["LastModified"].timestamp()


def test_recorded_name_is_never_a_pattern_nor_a_folder(store):
    name = f"s3://{BUCKET}/scans/a [1].png"
    assert inputs.find([name], literally=True) == inputs.find([name])
    for uri in (f"s3://{BUCKET}/scans/c[u]t.png", f"s3://{BUCKET}/scans"):
        with pytest.raises(UsageError, match="no such file"):
            inputs.find([uri], literally=True)


def test_a_file_is_the_same_file_however_it_was_named(store):
    """Listings of many stores tell fractions of seconds, and headers of single files do not."""
    (alone,) = inputs.find([f"s3://{BUCKET}/scans/cut.png"])
    assert alone in inputs.find([f"s3://{BUCKET}/scans"])


@pytest.mark.parametrize("uri", [f"s3://{BUCKET}/nothing", f"s3://{BUCKET}/nothing/*.png", f"s3://{BUCKET}/scan"])
def test_what_is_not_there_is_wrong_usage(store, uri):
    with pytest.raises(UsageError, match="no such file"):
        inputs.find([uri])


# ------------------------------------------------------------------------------------------------ files


@pytest.mark.parametrize("size", [1, 200_000, 6_000_000])
def test_bytes_come_back_as_they_were_written(store, size):
    data = bytes(range(256)) * (size // 256 + 1)
    files.write_bytes(f"s3://{BUCKET}/some/thing.gz", data)
    assert files.read_bytes(f"s3://{BUCKET}/some/thing.gz") == data


def test_all_calls_share_a_client(store):
    before = s3_clients.client.cache_info()
    for _ in range(3):
        files.write_bytes(f"s3://{BUCKET}/some/thing", b"x")
        assert files.exists(f"s3://{BUCKET}/some/thing")
    after = s3_clients.client.cache_info()
    assert (after.currsize, after.hits - before.hits) == (1, 6 - (before.currsize == 0))


def test_missing_file_is_an_oserror(store):
    with pytest.raises(OSError, match="Not found"):
        files.read_bytes(f"s3://{BUCKET}/scans/nowhere.png")


def test_folders_are_deleted_with_all_that_is_in_them_and_nothing_else(store):
    for name in ("run=a/part-1", "run=a/beam-temp/x", "run=ab/part-1"):
        files.write_bytes(f"s3://{BUCKET}/tree/{name}", b"x")
    files.delete([f"s3://{BUCKET}/tree/run=a", f"s3://{BUCKET}/tree/none"])
    assert keys(store, "tree/") == ["tree/run=ab/part-1"]


# ------------------------------------------------------------------------------------------------ jobs


@pytest.fixture(scope="module")
def night_1(server, store, tiny_bundle):
    server.faults += [
        ("GET", "/scans/a [1].png"),
        ("HEAD", "/scans/box 2/b.png"),
        ("PUT", "/tables/words/"),
        ("HEAD", "/tables/runs/"),
    ]
    return digitize("tables", tiny_bundle, "--run-id", "night-1", "--overlays", f"s3://{BUCKET}/overlays")


def test_job_survives_errors_of_the_server_while_it_reads_and_writes(server, store, night_1):
    assert night_1.code == 1, night_1.err
    assert server.faults == []
    assert {method for method, _ in server.failed} == {"GET", "HEAD", "PUT"}
    pages = {r["document_uri"].removeprefix(f"s3://{BUCKET}/scans/"): r for r in rows(store, "tables", "pages")}
    assert sorted(pages) == ["a [1].png", "box 2/b.png"]
    assert len(rows(store, "tables", "words")) == sum(p["word_count"] for p in pages.values()) > 0
    failed = {r["document_uri"].rpartition("/")[2]: r["error_type"] for r in rows(store, "tables", "failures")}
    assert failed == {"cut.png": "TruncatedImage", "empty.pdf": "EmptyFile"}
    assert len(keys(store, "overlays/")) == 2


def test_output_holds_tables_and_the_commit_and_nothing_else(store, night_1):
    record = json.loads(store.get_object(Bucket=BUCKET, Key="tables/runs/night-1.json")["Body"].read())
    assert record["counts"] == {name: len(rows(store, "tables", name)) for name in ("words", "pages", "failures")}
    rest = [k for k in keys(store, "tables/") if not k.endswith((".parquet", "runs/night-1.json"))]
    assert rest == []
    assert not [k for k in keys(store, "tables/") if "temp" in k]


def test_next_night_reads_nothing_twice(store, night_1, tiny_bundle):
    done = digitize("tables", tiny_bundle, "--run-id", "night-2", "--max-failure-rate", "1")
    assert done.code == 0, done.err
    assert "2 pages done already" in done.out
    assert rows(store, "tables", "pages") == [r for r in rows(store, "tables", "pages") if r["run_id"] == "night-1"]


def test_status_and_compaction_work_on_the_store(store, night_1, tiny_bundle):
    output = f"s3://{BUCKET}/tables"
    assert "night-1" in inkbeam("status", output).out
    texts = sorted(r["text"] for r in rows(store, "tables", "words"))
    done = inkbeam("compact", output, "--settle", "0.1")
    assert done.code == 0, done.err
    assert not [k for k in keys(store, "tables/words/") if "run=night-1/" in k]
    assert sorted(r["text"] for r in rows(store, "tables", "words")) == texts
    again = digitize("tables", tiny_bundle, "--max-failure-rate", "1")
    assert "2 pages done already" in again.out


def test_job_that_fails_leaves_no_rows(store, tiny_bundle, monkeypatch):
    def fail(*_, **__):
        raise OSError("no commit today")

    monkeypatch.setattr(runs, "commit", fail)
    written = []
    remove = runs.remove
    monkeypatch.setattr(
        runs, "remove", lambda output, run_id: (written.extend(keys(store, "lost/")), remove(output, run_id))
    )
    done = digitize("lost", tiny_bundle)
    assert done.code == 3, done.err
    assert any(k.startswith("lost/words/run=") for k in written), "otherwise this test would show nothing"
    assert keys(store, "lost/") == []


def test_store_that_stays_out_of_order_fails_the_job_and_keeps_nothing(server, store, tiny_bundle):
    server.faults += [("PUT", "/broken/pages/")] * 200
    done = digitize("broken", tiny_bundle)
    server.faults.clear()
    assert done.code == 3, done.err
    assert "Traceback" not in done.err.split("the job failed")[0]
    assert keys(store, "broken/") == []


def test_bundle_is_read_from_the_store(store, tiny_bundle):
    for path in tiny_bundle.iterdir():
        store.put_object(Bucket=BUCKET, Key=f"models/tiny/{path.name}", Body=path.read_bytes())
    model = f"s3://{BUCKET}/models/tiny"
    done = inkbeam(
        "digitize", "--input", f"s3://{BUCKET}/scans/*.png", "--output", f"s3://{BUCKET}/more", "--model", model
    )
    assert done.code == 1, done.err
    assert len(rows(store, "more", "pages")) == 1
    assert set(TABLES) == {k.split("/")[1] for k in keys(store, "more/")} - {"runs"}


@pytest.fixture(scope="module")
def models(store, tiny_bundle):
    """Addresses of a good bundle in the store and of one that cannot be read."""
    for path in tiny_bundle.iterdir():
        store.put_object(Bucket=BUCKET, Key=f"models/good/{path.name}", Body=path.read_bytes())
        store.put_object(Bucket=BUCKET, Key=f"models/bad/{path.name}", Body=b"damaged in the store")
    return f"s3://{BUCKET}/models/good", f"s3://{BUCKET}/models/bad"


@pytest.fixture
def unconfigured(monkeypatch):
    """Beam's file systems as a new process finds them."""
    monkeypatch.setattr(FileSystems, "_pipeline_options", None)


@pytest.fixture
def words(tmp_path):
    """A data set of a few drawn words."""
    lines = ["filename,label"]
    for i in range(3):
        (tmp_path / f"{i}.png").write_bytes(broken_files.encoded(page(("archive",)), "PNG"))
        lines.append(f"{i}.png,archive")
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    return tmp_path


def test_evaluate_reads_its_bundle_from_the_store(models, words, unconfigured):
    done = inkbeam("evaluate", "--model", models[0], "--data", words)
    assert done.code == 0, done.err
    assert "CER %" in done.out


@pytest.mark.parametrize("command", ["evaluate --model", "train --output x --from", "calibrate --output x --model"])
def test_bundle_in_the_store_is_opened_and_so_found_to_be_damaged(models, words, unconfigured, command):
    done = inkbeam(*command.split(), models[1], "--data", words)
    assert done.code == 2
    assert "Expecting value" in done.err


def test_exported_bundle_is_read_from_the_store(models, unconfigured, tmp_path):
    done = inkbeam("export-model", models[1], "--to", "onnx", "--output", tmp_path / "x.onnx")
    assert done.code == 2
    assert "Expecting value" in done.err
