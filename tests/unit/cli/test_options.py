"""What click would take and no command can use is refused with what to give, and commands say only their own."""

import sys
import types
from pathlib import Path

import click
import pytest
import structlog
from click.testing import CliRunner

from services.cli import __main__ as cli
from services.cli.options import Number
from services.cli.quiet import quiet_logs


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "NaN"])
@pytest.mark.parametrize(
    "command",
    [
        ["remoderate", "--all", "--dry-run", "--rate"],
        ["replay", "--text-column", "text", "--key", "sk_1", "posts.csv", "--rate"],
        ["policy", "shadow", "policy.yaml", "--reason", "x", "--share"],
    ],
)
def test_a_number_that_is_none_is_refused_by_its_option(command: list[str], value: str) -> None:
    answer = CliRunner().invoke(cli.main, [*command, value])
    assert answer.exit_code == 2, answer.output
    assert f"Invalid value for '{command[-1]}'" in answer.output and "give a finite one" in answer.output


@pytest.mark.parametrize("value", ["0", "1.5", "x"])
def test_ranges_hold_as_click_has_them(value: str) -> None:
    with pytest.raises(click.BadParameter, match=r"range|valid float"):
        Number(0, 1, min_open=True).convert(value, None, None)
    assert Number(0, 1).convert("0.25", None, None) == 0.25


@pytest.mark.parametrize("key", ["a\nb", "sk_1\n", "sk 1", "sk_\u00fc"])
@pytest.mark.parametrize(
    "command",
    [
        ["policy", "explain", "demo/post-1"],
        ["policy", "diff", "a-00000000", "b-00000000"],
        ["policy", "rollback"],
        ["policy", "backtest", "--live"],
        ["policy", "shadow", "--report"],
        ["query", "SELECT 1"],
        ["remoderate", "--all", "--dry-run"],
        ["replay", "--text-column", "text"],
    ],
)
def test_a_key_that_no_header_carries_is_refused_and_not_repeated(
    tmp_path: Path, command: list[str], key: str
) -> None:
    (tmp_path / "posts.csv").write_text("text\nhi\n")
    more = [str(tmp_path / "posts.csv")] if command[0] == "replay" else []
    answer = CliRunner().invoke(cli.main, [*command, *more, "--key", key])
    assert answer.exit_code == 2, answer.output
    assert "a key is one word of visible ASCII characters" in answer.output and key not in answer.output


def test_commands_log_errors_alone_and_not_on_what_others_read(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def noisy() -> None:
        log = structlog.get_logger()
        log.info("policy", version="starter-1")
        log.error("model refused")
        click.echo("said")

    module = types.ModuleType("tests_noisy")
    module.noisy = noisy  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tests_noisy", module)
    monkeypatch.setitem(cli.COMMANDS, "noisy", "tests_noisy:noisy")
    before = structlog.get_config()
    answer = CliRunner().invoke(cli.main, ["noisy"])
    assert answer.exit_code == 0 and answer.stdout == "said\n"
    assert "model refused" in answer.stderr and "starter-1" not in answer.stderr
    assert structlog.get_config() == before


def test_logs_go_where_they_went_before_also_after_a_failure() -> None:
    before = structlog.get_config()
    with pytest.raises(RuntimeError), quiet_logs():
        raise RuntimeError
    assert structlog.get_config() == before
