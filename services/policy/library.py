"""The CEL library without its own command line, whose terminal libraries would take 0.1 s of every process's start."""

import sys
from types import ModuleType

sys.modules.setdefault("cel.cli", ModuleType("cel.cli"))  # `cel` imports it and does nothing with it

import cel  # noqa: E402

__all__ = ["cel"]
