"""Beam's Flink job server: found, fetched or built once, kept in a cache folder.

Usage: ``python -m deploy.flink.job_server`` prints the path of the jar. Settings, from the environment:

- ``INKBEAM_FLINK_JOB_SERVER``: a path or URL of a jar that there is already; ``official`` for the artifact that Beam
  publishes; ``build`` (default) for a jar built of Beam's published parts (`job-server-pom.xml`).
- ``INKBEAM_FLINK_CACHE``: where jars are kept (default ``~/.cache/inkbeam/flink``).

Maven does the fetching, and so obeys the mirrors and proxies of its own settings.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

POM = Path(__file__).with_name("job-server-pom.xml")
OFFICIAL = "org.apache.beam:beam-runners-flink-1.19-job-server:2.77.0"
"""Coordinates of Beam's own artifact, of the release that inkbeam runs with."""


class Unavailable(Exception):
    """There is no job server, and none can be made; the message says what is missing."""


def cache_folder() -> Path:
    """Where jars are kept."""
    named = os.environ.get("INKBEAM_FLINK_CACHE")
    return Path(named).expanduser() if named else Path.home() / ".cache" / "inkbeam" / "flink"


def jar() -> str:
    """Path (or URL) of the job server that the settings ask for; fetched or built where that has not been done.

    Raises:
        Unavailable: Java or Maven are missing, or Maven failed.
    """
    if shutil.which("java") is None:
        raise Unavailable("Flink needs Java 11 or 17, and there is no `java`")
    wanted = os.environ.get("INKBEAM_FLINK_JOB_SERVER", "build")
    if wanted == "build":
        return str(_built())
    if wanted == "official":
        return str(_official())
    if "://" not in wanted and not Path(wanted).is_file():
        raise Unavailable(f"INKBEAM_FLINK_JOB_SERVER: {wanted} is no file, nor one of build and official")
    return wanted


def _built() -> Path:
    name = f"job-server-{hashlib.sha256(POM.read_bytes()).hexdigest()[:12]}.jar"

    def build(folder: Path) -> Path:
        shutil.copy(POM, folder / "pom.xml")
        _maven(folder, "package")
        return folder / "target" / "job-server.jar"

    return _cached(name, build)


def _official() -> Path:
    def copy(folder: Path) -> Path:
        _maven(folder, "dependency:copy", f"-Dartifact={OFFICIAL}", f"-DoutputDirectory={folder}")
        return next(folder.glob("*.jar"))

    return _cached(f"official-{OFFICIAL.rpartition(':')[2]}.jar", copy)


def _cached(name: str, make) -> Path:
    kept = cache_folder() / name
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        # Made beside its place and moved there whole: an interrupted build leaves no half jar.
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            made = make(Path(folder))
            made.replace(kept)
    return kept


def _maven(folder: Path, *arguments: str) -> None:
    if shutil.which("mvn") is None:
        raise Unavailable("the job server is fetched with Maven, and there is no `mvn`")
    command = ["mvn", "--batch-mode", "--quiet", "-Dmaven.artifact.threads=16", *arguments]
    print(f"fetching Flink's job server with Maven (once): {' '.join(arguments)}", file=sys.stderr, flush=True)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"Maven failed: {(done.stdout + done.stderr).strip()[-2000:]}")


if __name__ == "__main__":
    try:
        print(jar())
    except Unavailable as error:
        sys.exit(f"{error}")
