"""`python -m loadtests.bench`: which benchmarks there are, and that the docs name them."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import click
import pytest

from loadtests.bench.__main__ import BENCHMARKS, main

DOCS = Path(__file__).parents[3] / "docs"


def test_an_unknown_benchmark_is_refused_before_anything_runs() -> None:
    with pytest.raises(SystemExit, match=r"no benchmark fuast: there are .*faust"):
        main(["faust", "fuast"])


def test_help_lists_the_benchmarks_and_what_each_measures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    assert all(f"\n  {name} " in told for name in BENCHMARKS)
    assert "what the classifier costs beside classifying" in told


@pytest.mark.parametrize("name", BENCHMARKS)
def test_the_docs_name_every_benchmark(name: str) -> None:
    assert f"loadtests.bench.{name}" in (DOCS / "performance.md").read_text("utf-8")


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_takes_the_options_that_it_offers(name: str) -> None:
    command = importlib.import_module(f"loadtests.bench.{name}").main
    if isinstance(command, click.Command):
        assert command.callback is not None
        taken = set(inspect.signature(command.callback).parameters)
        assert {option.name for option in command.params} == taken
