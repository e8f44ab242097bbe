"""`sluicegate …`: one line for each command; a command's module is imported when the command is used."""

from __future__ import annotations

from importlib import import_module

import click

COMMANDS = {
    "accounts": "services.cli.accounts:accounts",
    "review": "services.cli.review:review",
    "dead-letters": "services.cli.dead_letters:dead_letters",
    "keys": "services.cli.keys:keys",
    "model": "services.cli.model:model",
    "policy": "services.cli.policy:policy",
    "query": "services.cli.query:query",
    "remoderate": "services.cli.remoderate:remoderate",
    "replay": "services.cli.replay:replay",
    "up": "services.cli.stack:up",
    "down": "services.cli.stack:down",
    "status": "services.cli.stack:status",
    "topics": "services.cli.topics:topics",
}

EMBEDDED = {"chdb", "psutil", "supervisor"}  # of the extra `embedded`, which a container does without


class Commands(click.Group):
    """A group that knows where its commands are, and loads one when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        try:
            command = getattr(import_module(module), name)
        except ModuleNotFoundError as error:
            if error.name not in EMBEDDED:
                raise
            return _without(cmd_name, error.name)
        assert isinstance(command, click.Command)
        return command


def _without(command: str, library: str) -> click.Command:
    def explain() -> None:
        raise click.ClickException(f"`{command}` needs {library}: pip install 'sluicegate[embedded]'")

    return click.Command(command, callback=explain, help="(not here: needs the extra `embedded`)")


@click.group(cls=Commands)
@click.version_option(package_name="sluicegate")
@click.pass_context
def main(context: click.Context) -> None:
    """Event-driven streaming moderation with people in the loop."""
    from services.cli.quiet import quiet_logs  # --help and --version do without

    context.with_resource(quiet_logs())


if __name__ == "__main__":
    main(prog_name="sluicegate")
