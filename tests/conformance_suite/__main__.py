"""`python -m tests.conformance_suite`: run the suite, write docs/reference/conformance.md, fail when a check does."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.clients.packages import PackageUnavailableError
from tests.conformance_suite.report import PAGE, page
from tests.conformance_suite.running import run


def main() -> int:
    """Run the suite once."""
    try:
        with tempfile.TemporaryDirectory(prefix="portside-conformance-") as folder:
            results = run(Path(folder))
    except PackageUnavailableError as error:
        print(error, file=sys.stderr)
        return 1
    PAGE.write_text(page(results))
    print(*results.troubles, sep="\n")
    print(", ".join(f"{count} {name}" for name, count in results.tally.items()))
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
