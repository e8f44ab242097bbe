"""Which Python an installation is made with."""

import os
import sys
from pathlib import Path

from infra.quickest_python import Found, candidates, choose, look

FIRST = Found((3, 11), "cpython-311", "first/python3", 0.030)


def test_python3_is_taken_where_nothing_is_much_quicker() -> None:
    assert choose(FIRST, []) == FIRST
    assert choose(FIRST, [Found((3, 11), "cpython-311", "/usr/bin/python3", 0.027)]) == FIRST


def test_a_much_quicker_build_of_the_same_version_is_taken() -> None:
    quicker, quickest = (
        Found((3, 11), "cpython-311", "/a/python3", 0.02),
        Found((3, 11), "cpython-311", "/b/python3", 0.019),
    )
    assert choose(FIRST, [quicker, quickest]) == quickest


def test_another_version_is_never_taken() -> None:
    assert choose(FIRST, [Found((3, 12), "cpython-312", "/usr/bin/python3.12", 0.01)]) == FIRST


def test_one_that_takes_other_wheels_is_never_taken() -> None:
    assert choose(FIRST, [Found((3, 11), "pypy311", "/usr/bin/pypy3.11", 0.002)]) == FIRST


def test_a_python_says_what_it_is() -> None:
    found = look(sys.executable)
    assert found is not None
    assert found.version == sys.version_info[:2] and found.path == sys.executable and found.seconds > 0


def test_what_is_no_python_or_does_not_work_is_passed_over(tmp_path: Path) -> None:
    broken = tmp_path / "python3"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    assert look(str(broken)) is None
    broken.write_text("#!/bin/sh\necho 5\n")
    assert look(str(broken)) is None
    assert look(str(tmp_path / "nothing")) is None


def test_a_file_with_several_names_is_one_candidate(tmp_path: Path) -> None:
    python = tmp_path / "python3.11"
    python.write_text("")
    python.chmod(0o755)
    (tmp_path / "python3").symlink_to(python)
    assert candidates((3, 11), str(tmp_path)) == [str(python)]


def test_candidates_are_all_of_the_path_in_its_order(tmp_path: Path) -> None:
    for folder, name in (("a", "python3"), ("b", "python3.11"), ("b", "python3.12")):
        path = tmp_path / folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
        path.chmod(0o755)
    path = os.pathsep.join(str(tmp_path / folder) for folder in ("b", "missing", "a"))
    assert candidates((3, 11), path) == [str(tmp_path / "b" / "python3.11"), str(tmp_path / "a" / "python3")]
