"""`python -m voxify3d`."""

import sys

from voxify3d.cli.main import main

sys.exit(main())
