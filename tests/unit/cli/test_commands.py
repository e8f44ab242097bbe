"""The command line as a whole."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from services.cli.__main__ import COMMANDS, main


def test_every_command_is_there_and_says_what_it_does() -> None:
    answer = CliRunner().invoke(main, ["--help"])
    assert answer.exit_code == 0, answer.output
    listed = answer.output.partition("Commands:")[2].splitlines()
    described = {line.split()[0]: line.split()[1:] for line in listed if line[2:3].islower()}
    assert described.keys() == COMMANDS.keys()
    assert all(described.values())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    assert CliRunner().invoke(main, [command, "--help"]).exit_code == 0


def test_without_the_embedded_extra_the_rest_still_works() -> None:
    without = (
        "import sys; sys.modules['psutil'] = None; from services.cli.__main__ import main; main(sys.argv[1:])"
    )
    listed = subprocess.run(
        [sys.executable, "-c", without, "--help"], capture_output=True, text=True, check=False
    )
    assert listed.returncode == 0 and "topics" in listed.stdout, listed.stderr
    refused = subprocess.run(
        [sys.executable, "-c", without, "up"], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert "`up` needs psutil: pip install 'sluicegate[embedded]'" in refused.stderr
