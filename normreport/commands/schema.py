"""Print the JSON schema of the configuration."""

from __future__ import annotations

import json

from normreport.config import schema


def run() -> None:
    """Print it, with sorted keys."""
    print(json.dumps(schema(), indent=2, sort_keys=True))
