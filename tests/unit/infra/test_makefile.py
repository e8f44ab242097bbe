"""When the environment of `make` is made anew, and with which Python."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# Stands for a Python: `-m venv` makes an environment whose pip works; where it looks for the quickest it names `best`.
PYTHON = """#!/bin/sh
echo "$(basename "$0") $*" >> {log}
case "$*" in
  "-m venv"*) mkdir -p .venv/bin && printf '#!/bin/sh\\n' > .venv/bin/pip && chmod +x .venv/bin/pip ;;
  infra/quickest_python.py) echo {best} ;;
esac
"""


class Tree:
    """A checkout with the Makefile alone, where every Python writes down what it is called with."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._log, self._bin = folder, folder / "log", folder / "bin"
        self._bin.mkdir()
        shutil.copy(ROOT / "Makefile", folder)
        for name in ("pyproject.toml", "constraints.txt"):
            (folder / name).touch()
        for name in ("python3", "best", "mine"):
            path = self._bin / name
            path.write_text(PYTHON.format(log=self._log, best=self._bin / "best"))
            path.chmod(0o755)
        self.pip = folder / ".venv" / "bin" / "pip"

    def make(self, *given: str) -> list[str]:
        """Who made an environment, and how."""
        self._log.write_text("")
        environment = {**os.environ, "PATH": f"{self._bin}:{os.environ['PATH']}"}
        for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHON"):  # of the make that runs the tests
            environment.pop(name, None)
        command = ["make", "--always-make", ".venv/.done", *given]
        done = subprocess.run(
            command, cwd=self._folder, env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return [line for line in self._log.read_text().splitlines() if " -m venv" in line]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_one_is_made_with_the_quickest_python(tree: Tree) -> None:
    assert tree.make() == ["best -m venv --clear .venv"]


def test_one_that_works_is_kept(tree: Tree) -> None:
    tree.make()
    assert tree.make() == []


def test_one_that_does_not_is_made_anew(tree: Tree) -> None:
    tree.make()
    tree.pip.write_text("#!/bin/sh\nexit 1\n")
    assert tree.make() == ["best -m venv --clear .venv"]


def test_a_python_that_is_named_is_taken_whatever_there_is(tree: Tree) -> None:
    tree.make()
    mine = tree.pip.parents[2] / "bin" / "mine"
    assert tree.make(f"PYTHON={mine}") == ["mine -m venv --clear .venv"]
