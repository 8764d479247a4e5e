"""Print the JSON schema of the configuration or of results.json."""

from __future__ import annotations

import json

from normreport.config import experiment as config
from normreport.config import results as report


def run(*, results: bool) -> None:
    """Print the schema with sorted keys."""
    schema = report.schema() if results else config.schema()
    print(json.dumps(schema, indent=2, sort_keys=True))
