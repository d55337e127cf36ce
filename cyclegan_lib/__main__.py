"""`python -m cyclegan_lib` is the `cyclegan` command."""

import sys

from cyclegan_lib.cli import main

sys.exit(main())
