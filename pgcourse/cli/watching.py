"""`pgcourse train --watch`: a line in words when a number of the run leaves the range of healthy ones."""

from tqdm import tqdm

from ..study.diagnose import Watch, describe
from ..training import OnIteration, Progress


def watch() -> OnIteration:
    """Warns once of each alarm. Thresholds were measured on CartPole and Pendulum: elsewhere, take them for a hint."""
    look = Watch()

    def warn(progress: Progress) -> None:
        for alarm in look(progress):
            tqdm.write(f"watch: step {progress.env_step:,}: {describe(alarm)} ({alarm})")

    return warn
