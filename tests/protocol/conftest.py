"""Chance in these tests is the same on every run, and nothing is written down between two runs."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, configuration, settings

# Tables that hypothesis derives from Unicode go beside no source file.
configuration.set_hypothesis_home_dir(Path(tempfile.gettempdir()) / "hail-hypothesis")
settings.register_profile(
    "protocol",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("protocol")
