"""Memory of this process."""

import re
import resource
import sys
from pathlib import Path


def peak_memory() -> float:
    """Of this process [MB]. Linux's getrusage carries the parent's peak over into a child, so /proc is asked there."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) / 1024  # type: ignore[index]
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
