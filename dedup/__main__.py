"""``python -m dedup``: the command line."""

import sys

from dedup.cli import main

sys.exit(main())
