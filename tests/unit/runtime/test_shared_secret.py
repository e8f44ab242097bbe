"""A secret that is given counts; else one is made, once, for whoever shares the folder."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from services.runtime.shared_secret import shared_secret


def test_a_given_secret_counts_and_leaves_no_file(tmp_path: Path) -> None:
    assert shared_secret("given", tmp_path, "inline") == b"given"
    assert list(tmp_path.iterdir()) == []


def test_all_who_start_at_once_get_the_same_one_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: shared_secret("", folder, "inline"), range(32)))
    assert len(found) == 1 and len(found.pop()) == 64
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert shared_secret("", tmp_path / "other", "inline") != shared_secret("", folder, "inline")
