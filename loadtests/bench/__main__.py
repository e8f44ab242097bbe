"""`make bench`, `python -m loadtests.bench [NAME …]`: every benchmark, or those named, one after the other.

Each runs in a process of its own, so that none pays for what another left behind. One by itself, with its options:
`python -m loadtests.bench.NAME --help`.
"""

import ast
import subprocess
import sys
from pathlib import Path

FILES = {path.stem: path for path in sorted(Path(__file__).parent.glob("[a-z]*.py"))}
BENCHMARKS = tuple(FILES)


def main(names: list[str]) -> int:
    """Run them; the number of those that failed. Figures go to standard output, all else to standard error."""
    if {"-h", "--help"} & set(names):
        print("\n".join([__doc__.rstrip(), "", *(f"  {name:<10} {_about(name)}" for name in BENCHMARKS)]))
        return 0
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        sys.exit(f"no benchmark {', '.join(unknown)}: there are {', '.join(BENCHMARKS)}")
    failed = 0
    for name in names or BENCHMARKS:
        print(f"# {name}", file=sys.stderr, flush=True)
        failed += subprocess.run([sys.executable, "-m", f"loadtests.bench.{name}"]).returncode != 0
    return failed


def _about(name: str) -> str:
    """The first line of its docstring, without the command."""
    told = ast.get_docstring(ast.parse(FILES[name].read_text("utf-8"))) or ""
    return told.splitlines()[0].partition(": ")[2]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
