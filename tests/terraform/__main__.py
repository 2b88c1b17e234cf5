"""`python -m tests.terraform`: apply, plan and destroy with the real AWS provider; fail without it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.clients.commands import CommandFailedError
from tests.clients.packages import PackageUnavailableError
from tests.terraform.running import UnexpectedError, run


def main() -> int:
    """Run it once."""
    try:
        with tempfile.TemporaryDirectory(prefix="portside-terraform-") as folder:
            for line in run(Path(folder)):
                print(line, flush=True)
    except (PackageUnavailableError, CommandFailedError, UnexpectedError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
