"""`python -m ziett_async` is `ziett`."""

import sys

from ziett_async.cli import main

sys.exit(main())
