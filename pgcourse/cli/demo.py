"""`pgcourse demo`: an agent in seconds, its learning curve, and how it acts before and after."""

from dataclasses import dataclass, replace

from .parsing import parse


@dataclass
class Demo:
    """Train REINFORCE on CartPole in seconds; write a learning curve (PNG) and a GIF of the agent before and after.

    Example: pgcourse demo --out demo
    """

    out: str = "demo"
    """Folder for learning_curve.png, agent.gif and the run; an earlier demo in it is replaced."""
    seed: int = 1
    progress: bool = True
    """Show a progress bar."""


def demo(arguments: list[str]) -> int:
    """Run `pgcourse demo`. Returns: the exit status of the training run."""
    options = parse(Demo, arguments, program="pgcourse demo")
    from ..algorithms import reinforce  # torch is slow to import, so not for --help
    from ..render import record_gifs
    from ..runs import require_new_run_folder
    from ..storage import atomic_write
    from .callbacks import progress_bar
    from .train import summary

    config = replace(reinforce.CARTPOLE, seed=options.seed, num_episodes=400)
    folder = require_new_run_folder(options.out, overwrite=True)
    with progress_bar(config, enabled=options.progress) as on_iteration:
        result = reinforce.train(config, on_iteration=on_iteration)
    print(summary(result))
    result.save(folder)
    from ..show.figures.curves import learning_curves  # matplotlib takes a second to import, so only where it draws
    from ..show.page.style import png

    figure = learning_curves({"REINFORCE with baseline": [result]}, threshold=475)
    print(f"wrote {atomic_write(folder / 'learning_curve.png', png(figure))}")
    agents = {"before": None, "after": result.policy}
    print(f"wrote {record_gifs(agents, config.env_id, folder / 'agent.gif', seed=0)}")
    return 130 if result.interrupted else 0
