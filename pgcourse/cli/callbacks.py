"""What the command line does after each iteration: progress bar, evaluation on held-out starts, alarms."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from ..config import Config
from ..errors import InvalidInput
from ..evaluation import evaluate
from ..storage import atomic_write
from ..training import OnIteration, Progress


@contextlib.contextmanager
def progress_bar(config: Config, *, enabled: bool = True) -> Iterator[OnIteration]:
    """A bar over the run's budget, with the recent return and the speed."""
    by_episodes = config.num_episodes is not None
    total = config.num_episodes or config.total_timesteps or 0
    unit = " episodes" if by_episodes else " steps"
    with tqdm(total=total, unit=unit, disable=not enabled, dynamic_ncols=True, mininterval=0.2) as bar:

        def show(progress: Progress) -> None:
            done = len(progress.episodes) if by_episodes else progress.env_step
            recent = progress.episodes["episodic_return"][-100:]
            if len(recent):
                speed = progress.env_step / max(progress.seconds, 1e-9)
                bar.set_postfix_str(f"return {recent.mean():.1f}, {speed:,.0f} steps/s", refresh=False)
            bar.update(min(done, total) - bar.n)

        yield show


def require_evaluate_every(every: int | None) -> None:
    """Raises: InvalidInput where it is not a positive number of iterations, or None."""
    if every is not None and every < 1:
        raise InvalidInput(f"evaluate_every={every} is not positive; use at least 1 iteration")


class HeldOutEvaluation:
    """Plays the policy from held-out start states every so many iterations, and keeps a table of it on disk."""

    def __init__(self, path: Path, env_id: str, *, every: int, num_episodes: int = 20) -> None:
        require_evaluate_every(every)
        self.path, self.env_id, self.every, self.num_episodes = path, env_id, every, num_episodes
        self.header = "iteration,env_step,mean_return,standard_error"
        self.rows = path.read_text().splitlines()[1:] if path.exists() else []  # of the run that is resumed

    def __call__(self, progress: Progress) -> None:
        if progress.iteration % self.every == 0:
            scores = evaluate(progress.policy, self.env_id, num_episodes=self.num_episodes, seed=0)
            earlier = [row for row in self.rows if int(row.partition(",")[0]) < progress.iteration]
            row = f"{progress.iteration},{progress.env_step},{scores.mean},{scores.standard_error}"
            self.rows = [*earlier, row]
            atomic_write(self.path, "\n".join([self.header, *self.rows]) + "\n")
            tqdm.write(
                f"step {progress.env_step:,}: mean return {scores.mean:.1f} from {self.num_episodes} held-out starts"
            )


def watch() -> OnIteration:
    """For `--watch`: warns once of each alarm.

    Thresholds were measured on CartPole and Pendulum: elsewhere, take them for a hint.
    """
    from ..study.diagnose import Watch, describe  # slow to import

    look = Watch()

    def warn(progress: Progress) -> None:
        for alarm in look(progress):
            tqdm.write(f"watch: step {progress.env_step:,}: {describe(alarm)} ({alarm})")

    return warn
