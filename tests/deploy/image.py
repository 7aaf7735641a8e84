"""Do what the Dockerfile does, without an engine: its build steps in an empty folder, then the image's commands.

    make image-steps

Folders of the image are folders below one that is thrown away, and the two binaries that come out of other images are
stood in for. What this cannot show: that those images are there, users and groups, and how an engine starts it.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
_FOLDERS: Final = ("/opt/", "/src", "/template", "/usr/local/bin", "/var/lib")


@dataclass(frozen=True)
class Step:
    """One instruction of a Dockerfile, and the name of the stage that it is in; the last stage has none."""

    stage: str
    word: str
    rest: str

    @property
    def options(self) -> list[str]:
        return [part for part in self.rest.split() if part.startswith("--")]

    @property
    def arguments(self) -> list[str]:
        return [part for part in self.rest.split() if not part.startswith("--")]


def steps(text: str) -> list[Step]:
    """Return a Dockerfile's instructions in their order."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    found, stage = [], ""
    for line in lines.replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            stage = rest.partition(" AS ")[2]
        if word:
            found.append(Step(stage, word, rest.strip()))
    return found


def context(ignore: str) -> list[Path]:
    """Return the files that whoever builds is given, by a `.dockerignore` that leaves out all that it does not name."""
    rules = [line for line in ignore.splitlines() if line and not line.startswith("#")]
    assert rules[0] == "*", "all but what is named is to be left out"
    let_in = [rule[1:] for rule in rules if rule.startswith("!")]
    found = [
        path for name in let_in for path in ([ROOT / name] if (ROOT / name).is_file() else (ROOT / name).rglob("*"))
    ]
    return [path for path in found if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"]


class Image:
    """A folder that stands for an image's root."""

    def __init__(self, root: Path) -> None:
        self.root = root / "image"
        self.given = root / "context"
        for path in context((ROOT / ".dockerignore").read_text()):
            target = self.given / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
        python = self.root / "python"
        python.mkdir(parents=True)
        (python / "python").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
        self.environ = {
            "PATH": f"{python}:{os.environ['PATH']}",
            "HOME": str(self.root),
            **{name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "REQUESTS_"))},
        }
        self.folder = self.root

    def at(self, place: str) -> Path:
        """Return where a path of the image lies."""
        return self.root / place.lstrip("/") if place.startswith("/") else self.folder / place

    def moved(self, text: str) -> str:
        """Return a text whose absolute paths are those of this folder."""
        pattern = "|".join(re.escape(folder) for folder in _FOLDERS)
        return re.sub(rf"(?<![\w/])({pattern})", rf"{self.root}\1", text)

    def do(self, step: Step) -> None:
        """Do one step; raise where it fails."""
        if step.word == "WORKDIR":
            self.folder = self.at(step.rest)
            self.folder.mkdir(parents=True, exist_ok=True)
        elif step.word == "COPY":
            self._copy(step)
        elif step.word == "ENV":
            for assignment in shlex.split(step.rest):
                name, _, value = assignment.partition("=")
                self.environ[name] = self.moved(value).replace("$PATH", self.environ["PATH"])
        elif step.word == "RUN":
            subprocess.run(
                ["/bin/sh", "-ec", self.moved(step.rest)], cwd=self.folder, env=self.environ, check=True, timeout=900
            )

    def _copy(self, step: Step) -> None:
        *sources, target = step.arguments
        if any(option.startswith("--from=") for option in step.options):
            if "--from=build" not in step.options:
                self._stand_in(self.at(target))
            return
        for source in sources:
            path, place = self.given / source, self.at(target)
            if path.is_dir():
                shutil.copytree(path, place, dirs_exist_ok=True)
                continue
            place = place / path.name if target.endswith("/") else place
            place.parent.mkdir(parents=True, exist_ok=True)
            text = path.read_bytes()
            place.write_bytes(self.moved(text.decode()).encode() if path.suffix == ".sh" else text)
            if "--chmod=755" in step.options:
                place.chmod(0o755)

    @staticmethod
    def _stand_in(place: Path) -> None:
        """Put a program there that says what it was given."""
        program = place / "boot" if place.name == "beam" else place
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text('#!/bin/sh\necho "boot $*"\n')
        program.chmod(0o755)

    def run(self, command: Sequence[str], **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the image, as its user would, in its folder."""
        return subprocess.run(
            [self.moved(part) for part in command],
            cwd=self.folder,
            env=self.environ | environ,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


def tries(image: Image) -> Iterator[tuple[str, bool]]:
    """Yield what the image is to do, and whether it does."""
    entry = "/usr/local/bin/wirewatch-entrypoint"
    yield "the command line is there", "Watch news" in image.run([entry, "--help"]).stdout
    yield "the demo runs", image.run([entry, "demo"]).returncode == 0
    exported = image.run([entry, "export", "demo/wirewatch.yaml", "--records", "-o", "records.parquet"])
    yield "what it kept is exported", exported.returncode == 0
    started = image.run([entry, "--id=1-1", "--provision_endpoint=localhost:1"])
    yield "an engine's options start a worker", started.stdout == "boot --id=1-1 --provision_endpoint=localhost:1\n"
    pool = ["python", "-m", "apache_beam.runners.worker.worker_pool_main", "--help"]
    yield "a worker pool can be started", "--service_port" in image.run(pool).stdout
    yield "the template's program is there", "--config" in image.run(["python", "/template/main.py"]).stderr
    installed = image.run(["python", "-m", "pip", "list", "--format=freeze"]).stdout
    yield "nothing of the tests is in it", "pytest" not in installed and "apache-beam" in installed
    yield "what is installed fits together", image.run(["python", "-m", "pip", "check"]).returncode == 0


def main() -> int:
    """Print how long each step took and whether each try came out; return 0 if all did."""
    with tempfile.TemporaryDirectory() as folder:
        image = Image(Path(folder))
        for step in steps((ROOT / "Dockerfile").read_text()):
            if step.word == "RUN" and not step.stage:
                print(f"{'left out':>9}  RUN {step.rest}")  # users are not made here
                continue
            began = time.monotonic()
            image.do(step)
            print(f"{time.monotonic() - began:8.1f}s  {step.word} {step.rest[:100]}", flush=True)
        failed = 0
        for what, well in tries(image):
            print(f"{'yes' if well else 'NO':>9}  {what}", flush=True)
            failed += not well
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
