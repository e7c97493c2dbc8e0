"""`pgcourse train`: a run with a progress bar, saved, and said in one line."""

import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import tyro

from ..algorithms.by_name import ALGORITHMS, TRAIN
from ..checkpoint import Checkpoint
from ..config import Config
from ..envs import has_tensor_envs, make_envs
from ..errors import InvalidInput
from ..networks import make_policy
from ..optim import choose_device
from ..render import record_gifs, require_drawable
from ..runs import Result, require_new_run_folder
from ..statistics import episodes_to_threshold
from ..tensorboard import TensorBoard
from ..training import OnIteration, TrainingDiverged, chain
from .callbacks import HeldOutEvaluation, progress_bar, require_evaluate_every, watch
from .parsing import parse
from .resume import Resume


@dataclass
class Train:
    """Train an agent, and save what it learned.

    Example: pgcourse train ppo --seed 1 --total-timesteps 100000 --out runs/p1 --gif
    """

    config: Any
    preset: str = "CARTPOLE"
    """Settings to start from, before the options below change them."""
    out: str | None = None
    """Folder for the run; without it, a new one below runs/."""
    overwrite: bool = False
    """Replace the run that the folder holds."""
    gif: bool = False
    """Write agent.gif into the folder: a random agent beside the trained one."""
    device: str = "auto"
    """auto, cpu, cuda, or cuda:1."""
    progress: bool = True
    """Show a progress bar."""
    tensorboard: bool = False
    """Write every metric for TensorBoard into the folder."""
    evaluate_every: int | None = None
    """Play the policy from held-out start states every so many iterations."""
    checkpoint_every: int | None = None
    """Write the whole state of the run every so many iterations."""
    watch: bool = False
    """Warn in a line when a number of the run leaves the range of healthy ones."""


def presets(algorithm: ModuleType) -> dict[str, Any]:
    """The public settings of an algorithm: name -> config."""
    return {name: value for name, value in vars(algorithm).items() if name.isupper() and hasattr(value, "algorithm")}


def train(arguments: list[str]) -> int:
    """Run `pgcourse train ALGORITHM ...`. Returns: 0, or 130 where an interrupt ended the run early."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print("usage: pgcourse train ALGORITHM [OPTIONS]\n")
        for name, module in ALGORITHMS.items():
            print(f"  {name:10} presets {', '.join(presets(module))}")
        print("\nOptions of one: pgcourse train reinforce --help")
        print("Example: pgcourse train reinforce --seed 1 --num-episodes 600 --out runs/r1 --gif")
        return 0
    name, *rest = arguments
    if name not in ALGORITHMS:
        raise InvalidInput(f"unknown algorithm {name!r}; use one of {', '.join(ALGORITHMS)}")
    known = presets(ALGORITHMS[name])
    preset = _preset_name(rest)
    if preset not in known:
        raise InvalidInput(f"unknown preset {preset!r} of {name}; use one of {', '.join(known)}")
    kind = _train_class(type(known[preset]))
    options = parse(kind, rest, program=f"pgcourse train {name}", default=kind(config=known[preset], preset=preset))
    config = options.config
    # Whatever can be refused is refused before a folder is made and time is spent.
    choose_device(options.device, tensor_envs=has_tensor_envs(config.env_id), num_envs=config.num_envs)
    envs = make_envs(config.env_id, 1, seed=config.seed)
    make_policy(envs.single_observation_space, envs.single_action_space)
    envs.close()
    if options.gif:
        require_drawable(config.env_id)
    folder = Path(options.out or _new_folder(config))
    every = options.checkpoint_every
    checkpoint = Checkpoint(folder, every=every) if every is not None else None
    require_evaluate_every(options.evaluate_every)
    require_new_run_folder(folder, overwrite=options.overwrite)
    return run(config, folder, options, checkpoint)


def _preset_name(arguments: list[str]) -> str:
    for index, argument in enumerate(arguments):
        if argument.startswith("--preset="):
            return argument.partition("=")[2].upper()
        if argument == "--preset" and index + 1 < len(arguments):
            return arguments[index + 1].upper()
    return "CARTPOLE"


def _train_class(config_class: type) -> type[Train]:
    """`Train` with the config's own type, from which tyro reads the options."""
    annotations = {"config": tyro.conf.OmitArgPrefixes[config_class]}  # type: ignore[valid-type, misc]
    return dataclass(type("Train", (Train,), {"__annotations__": annotations, "__doc__": Train.__doc__}))


def run(config: Config, folder: Path, options: Train | Resume, checkpoint: Checkpoint | None) -> int:
    """Train, save, and say what was reached. Returns: the exit status."""
    with contextlib.ExitStack() as stack:
        callbacks: list[OnIteration] = [stack.enter_context(progress_bar(config, enabled=options.progress))]
        if options.tensorboard:
            callbacks.append(stack.enter_context(TensorBoard(folder / "tensorboard")))
        if isinstance(options, Train) and options.watch:
            callbacks.append(watch())
        if options.evaluate_every is not None:
            table = folder / "evaluations.csv"
            if checkpoint is None or not checkpoint.resume:
                table.unlink(missing_ok=True)  # of a run that this one replaces
            callbacks.append(HeldOutEvaluation(table, config.env_id, every=options.evaluate_every))
        try:
            result = TRAIN[config.algorithm](
                config, device=options.device, on_iteration=chain(*callbacks), checkpoint=checkpoint
            )
        except TrainingDiverged as error:
            error.result.save(folder)
            print(f"pgcourse: {error}, in {folder}", file=sys.stderr)
            return 1
    print(summary(result))
    result.save(folder)
    print(f"saved to {folder}")
    if options.gif:
        path = record_gifs({"random": None, "trained": result.policy}, config.env_id, folder / "agent.gif", seed=0)
        print(f"wrote {path}")
    return 130 if result.interrupted else 0


def _new_folder(config: Config) -> Path:
    stem = f"{config.algorithm}-{config.env_id.replace('/', '-')}-seed{config.seed}"
    number = 1
    while (Path("runs") / f"{stem}-{number}").exists():
        number += 1
    return Path("runs") / f"{stem}-{number}"


def summary(result: Result) -> str:
    """What a run reached, in a few lines."""
    episodes = result.episodes
    if not len(episodes):
        return "no episode was completed" + (" before the interrupt" if result.interrupted else "")
    returns, last = episodes["episodic_return"], episodes[-1]
    steps, seconds = int(last["env_step"]), float(last["wall_time"])
    line = (
        f"{len(episodes):,} episodes, {steps:,} steps in {seconds:.1f} s ({steps / max(seconds, 1e-9):,.0f} steps/s) on "
        f"{result.device}; mean return of the last {min(len(returns), 100)}: {returns[-100:].mean():.1f}"
    )
    if result.config.env_id.endswith("CartPole-v1"):
        solved = episodes_to_threshold(returns, threshold=475, window=100)
        line += f"\n100-episode mean of 475 {'not reached' if solved is None else f'reached after {solved} episodes'}"
    return line + ("\nstopped by an interrupt; what was learned so far is kept" if result.interrupted else "")
