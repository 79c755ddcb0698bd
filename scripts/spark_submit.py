"""What spark-submit runs: the command line.

    spark-submit scripts/spark_submit.py scan PATH --engine spark -o report.json
"""

import sys

from dedup.cli import main

sys.exit(main())
