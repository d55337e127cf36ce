"""`python -m cyclegan_lib` is the `cyclegan` command."""

import sys

from cyclegan_lib.cli import main

if __name__ == "__main__":  # simulating starts processes, which import this file again
    sys.exit(main())
