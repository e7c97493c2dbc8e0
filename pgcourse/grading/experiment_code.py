"""The cell in which a student runs an experiment: it does nothing until the seeds are filled in."""

from __future__ import annotations

from dataclasses import dataclass

TEMPLATE = """\
# Fill in your seeds and your own setting, then run.
from dataclasses import replace

from pgcourse import {module}
from pgcourse.show import page
from pgcourse.show.figures import curves
from pgcourse.study.seeds import run_seeds

seeds = ()  # yours, such as (417, 418, 419)
settings = {{
{settings}
}}
if seeds:
    runs = run_seeds(settings, seeds=seeds, progress=False)
    figure = curves.learning_curves(runs, x="{x}", window=20)
    page.figure(figure, alt="Learning curves of each setting.", caption="My experiment.")
    for name, group in runs.items():
        print(name)
        for run in group:
            late = run.episodes["episodic_return"][-50:].mean()
{numbers}"""
ELSEWHERE = "# Work in a copy of the lesson, and bring your numbers here: a table, or the lists that you print."


@dataclass(frozen=True)
class Starter:
    """What the cell of one unit needs: module of the algorithm, settings (name -> code), metrics to print, axis."""

    module: str
    settings: dict[str, str]
    metrics: tuple[str, ...] = ()
    x: str = "episode"

    def code(self) -> str:
        """The cell."""
        settings = "\n".join(f'    "{name}": {code},' for name, code in self.settings.items())
        lines = ['            print(f"  seed {run.seed}: last 50 episodes {late:.0f}", end="")']
        for metric in self.metrics:
            short = metric.partition("/")[2]
            numbers = "first 10 {values[:10].mean():.3g}, last 10 {values[-10:].mean():.3g}"
            lines.append(f'            values = run.metrics["{metric}"]')
            lines.append(f'            print(f"; {short}: {numbers}", end="")')
        lines.append("            print()")
        return TEMPLATE.format(module=self.module, settings=settings, x=self.x, numbers="\n".join(lines))


STARTERS = {
    1: Starter(
        "reinforce",
        {
            "γ = 0.5": "replace(reinforce.CARTPOLE_NO_BASELINE, gamma=0.5, num_episodes=150)",
            "γ = 0.99": "replace(reinforce.CARTPOLE_NO_BASELINE, gamma=0.99, num_episodes=150)",
        },
    ),
    2: Starter(
        "reinforce",
        {
            "critic 3e-4": "replace(reinforce.CARTPOLE, critic_lr=3e-4, num_episodes=120)",
            "critic 5e-3": "replace(reinforce.CARTPOLE, critic_lr=5e-3, num_episodes=120)",
        },
        ("charts/value_mean", "charts/return_mean", "losses/explained_variance"),
    ),
    3: Starter(
        "a2c",
        {
            "β = 0": "replace(a2c.CARTPOLE, ent_coef=0, num_episodes=250, anneal_lr=False)",
            "β = 0.01": "replace(a2c.CARTPOLE, ent_coef=0.01, num_episodes=250, anneal_lr=False)",
        },
        ("losses/entropy",),
    ),
    4: Starter(
        "ppo",
        {"20 epochs": "replace(ppo.CARTPOLE, clip_coef=None, update_epochs=20, total_timesteps=50 * 1024)"},
        ("losses/approx_kl",),
        x="env_step",
    ),
    5: Starter(
        "ppo",
        {
            "σ = 1.5": "replace(ppo.PENDULUM, initial_std=1.5, total_timesteps=40_000)",
            "σ = 0.1": "replace(ppo.PENDULUM, initial_std=0.1, total_timesteps=40_000)",
        },
        ("losses/entropy",),
        x="env_step",
    ),
    8: Starter(
        "trpo",
        {
            "limit 0.01": "replace(trpo.CARTPOLE, max_kl=0.01, total_timesteps=60 * 1024)",
            "limit 0.1": "replace(trpo.CARTPOLE, max_kl=0.1, total_timesteps=60 * 1024)",
        },
        ("losses/approx_kl",),
        x="env_step",
    ),
}


def code_of(unit: int) -> str:
    """The cell of this unit's experiment."""
    return STARTERS[unit].code() if unit in STARTERS else ELSEWHERE
