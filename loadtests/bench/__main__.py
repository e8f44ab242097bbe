"""`make bench`, `python -m loadtests.bench [NAME …]`: every benchmark, or those named, one after the other.

Each runs in a process of its own, so that none pays for what another left behind.
"""

import subprocess
import sys
from pathlib import Path

BENCHMARKS = tuple(sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py")))


def main(names: list[str]) -> int:
    """Run them; the number of those that failed. Figures go to standard output, all else to standard error."""
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        sys.exit(f"no benchmark {', '.join(unknown)}: there are {', '.join(BENCHMARKS)}")
    failed = 0
    for name in names or BENCHMARKS:
        print(f"# {name}", file=sys.stderr, flush=True)
        failed += subprocess.run([sys.executable, "-m", f"loadtests.bench.{name}"]).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
