"""`python -m infra.local up | down | status | restart`."""

from __future__ import annotations

import sys

from services.cli.stack import down, restart, status, up

COMMANDS = {"up": up, "down": down, "status": status, "restart": restart}

if __name__ == "__main__":
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in COMMANDS:
        sys.exit(f"usage: python -m infra.local {' | '.join(COMMANDS)}")
    COMMANDS[name].main(sys.argv[2:], prog_name=f"python -m infra.local {name}")
