"""Build and fetch the engines into `build/engines`, which no commit has: `python -m tests.engines.install`.

Prism is built from its Go module, Flink's jars come out of a Python package, Beam's job server is resolved by Maven.
What is there already is left alone; what breaks off half-way is made anew the next time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

BEAM: Final = "2.77.0"
HERE: Final = Path(__file__).parent
ENGINES: Final = HERE.parents[1] / "build" / "engines"
PRISM: Final = ENGINES / "prism" / "prism"
FLINK: Final = ENGINES / "flink"
JOB_SERVER: Final = ENGINES / "job-server"
PUBSUB: Final = ENGINES / "pubsub" / "pubsub"
COMMAND: Final = "make engines"
REQUIRED: Final = "WIREWATCH_ENGINES_REQUIRED"  # where it is set, a test that would be skipped has failed


def missing() -> list[str]:
    """Return which engines are not installed."""
    return [path.name for path in (PRISM, FLINK, JOB_SERVER, PUBSUB) if not path.exists()]


def install() -> None:
    """Install what is missing; raise SystemExit with one sentence where a tool for it is not there."""
    recipes = (
        (PRISM.parent, "go", _prism),
        (FLINK, "java", _flink),
        (JOB_SERVER, "mvn", _job_server),
        (PUBSUB.parent, "go", _pubsub),
    )
    for path, tool, make in recipes:
        if path.exists():
            continue
        if shutil.which(tool) is None:
            raise SystemExit(
                f"{COMMAND} needs `{tool}`: install Go 1.26, Java 17 and Maven 3.8 or later, and try again."
            )
        print(f"Installing {path.name} into {path.parent} …", flush=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as folder:
            made = Path(folder) / "made"
            made.mkdir()
            make(made)
            made.rename(path)


def _prism(folder: Path) -> None:
    module = f"github.com/apache/beam/sdks/v2/go/cmd/prism@v{BEAM}"
    subprocess.run(["go", "install", module], env={**os.environ, "GOBIN": str(folder)}, check=True)


def _pubsub(folder: Path) -> None:
    subprocess.run(["go", "build", "-o", str(folder / "pubsub"), "."], cwd=HERE / "pubsub", check=True)


def _flink(folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=".download-", dir=ENGINES) as downloads:
        options = ["--no-deps", "--no-build-isolation", "--require-hashes", "--disable-pip-version-check"]
        wanted = ["--requirement", str(HERE / "flink.txt"), "--dest", downloads]
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", *options, *wanted], check=True)
        (archive,) = Path(downloads).glob("*.tar.gz")
        with tarfile.open(archive) as packed:
            for member in packed:
                if "/deps/lib/" in member.name and member.name.endswith(".jar"):
                    member.name = Path(member.name).name
                    packed.extract(member, folder, filter="data")


def _job_server(folder: Path) -> None:
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={folder}", "-DincludeScope=runtime"]
    subprocess.run(["mvn", "-q", "-B", "-f", str(HERE / "job-server.xml"), *goal], check=True)


if __name__ == "__main__":
    install()
