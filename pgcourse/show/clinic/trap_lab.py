"""The trap lab: three suspects and two settings as switches, the runs so far overlaid, their diagnostics side by side."""

import asyncio
import contextlib
import html
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ipywidgets
import numpy as np

from ...algorithms import ppo
from ...runs import Result
from ...statistics import moving_average
from ...study.claims import load_claims
from ...study.traps import JOINT_CLIPPING
from .. import page
from ..dashboard.controls import said
from ..dashboard.dashboard import ended, recent
from ..dashboard.panels import EXPECTED, EXPLAINED, NOTHING, POINTS, healthy_ranges, panel_title
from ..dashboard.run import ENDED, History, RemoteRun
from ..dashboard.sheet import Line, Panel, colour, live, still, swatch
from ..figures.curves import thin
from ..figures.factorial import corner_curves
from ..page.widgets import ROW, button, has_frontend, only_one_in_this_cell, seed_field, show_widget

WINDOW = 50  # episodes of the moving average, as in the measured curves
TOP = 500  # the highest return of CartPole
# What the three suspects differ in. The gap between V and the returns shows a critic that lags behind.
GAP = "gap"
SHOWN = ("losses/approx_kl", "losses/entropy", EXPLAINED, GAP, "losses/policy_grad_norm", "losses/critic_grad_norm")
GAP_TITLE = "mean of V / mean of G"
# Colour is never the only difference; the first and the second differ most.
LOOKS = (("ink", ""), ("vermillion", ""), ("blue", "7 3"), ("purple", "7 3 2 3"), ("green", "2 3"), ("grey", "12 4"))
MOST_RUNS = len(LOOKS)
EPISODES = 1000
POLL_INTERVAL_S = 0.2
DRAW_SHARE = 0.05  # of the training time
# The experiment of lesson 06 has every combination of these five switches. With none it is the healthy run of the course's
# settings, with the three traps alone `ppo.BUGGY`. The story's healthy run has "policy rate 3e-4" and "minibatches of 128",
# its patient "policy rate 3e-4" and the three traps.
HEALTHY = replace(ppo.BUGGY, num_steps=32, critic_lr=1e-2, num_episodes=EPISODES)
# Switch -> (what it changes in the settings, which arguments of `train` it brings).
SWITCHES: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "policy rate 3e-4": ({"policy_lr": 3e-4}, {}),
    "minibatches of 128": ({"minibatch_size": 128}, {}),
    "joint clipping": ({}, JOINT_CLIPPING.seams),
    "128-step rollouts": ({"num_steps": ppo.BUGGY.num_steps}, {}),
    "slow critic": ({"critic_lr": ppo.BUGGY.critic_lr}, {}),
}
STORY = ("policy rate 3e-4", "minibatches of 128")  # on at first: the healthy run of the story
WELCOME = (
    "<p style='line-height: 1.4'>The first two switches are where the traps act: off, the policy's rate is 1e-3 and a "
    "minibatch has 512 rows. The others are the traps. Press Run: each run takes some seconds and stays in the figure.</p>"
)
ALT = (
    "Measured returns of PPO over 1,000 episodes at a policy rate of 3e-4, with and without each of the three suspects, in one "
    "panel for each critic. With short rollouts and the fast critic the curves reach 500; with long rollouts clipped together "
    "they stay lowest."
)
STATIC = (
    "Measured over ten seeds at the settings of the story: minibatches of 128 rows with rollouts of 32, 512 with those of 128. "
    "Run this cell in JupyterLab to try the switches yourself."
)


def trap_panels(histories: Sequence[History], episodes: int) -> list[Panel]:
    """Returns and diagnostics of up to MOST_RUNS runs. Args: episodes: the budget of each."""
    looks = [(colour(name), dashes) for name, dashes in LOOKS]
    metrics = [history.metrics for history in histories]
    ranges = healthy_ranges(EXPECTED["ppo"], HEALTHY.env_id) | {GAP: (0.9, 1.1)}
    most = max([episodes, *(len(history.episodes[0]) for history in histories)])
    averages = [
        moving_average(returns, WINDOW) if len(returns) else NOTHING
        for returns in (history.episodes[1] for history in histories)
    ]
    lines = [_thinned(np.arange(1, len(mean) + 1), mean, *look) for mean, look in zip(averages, looks, strict=False)]
    panels = [Panel(f"return, mean of the last {WINDOW} episodes", lines, most, always=(0, TOP), x_label="episode")]
    for name in SHOWN:
        lines = [
            _thinned(run["charts/episodes"], _gap(run) if name == GAP else run[name], *look)
            for run, look in zip(metrics, looks, strict=False)
            if run
        ]
        limits = (-1.0 if name == EXPLAINED else -np.inf, 3.0 if name == GAP else np.inf)
        title = GAP_TITLE if name == GAP else panel_title(name)
        panels.append(Panel(title, lines, most, healthy=ranges.get(name), limits=limits))
    return panels


def _thinned(x: Any, y: Any, look: str, dashes: str) -> Line:
    keep = thin(len(y), POINTS)
    return Line(x[keep], y[keep], look, dashes)


def _gap(metrics: Any) -> Any:
    """Mean value over mean return; 1 is a critic that keeps up."""
    return metrics["charts/value_mean"] / np.where(
        metrics["charts/return_mean"] == 0, np.nan, metrics["charts/return_mean"]
    )


@dataclass
class TrapRun:
    """One run of the lab: which switches were on, and what has come of it."""

    switches: tuple[str, ...]
    seed: int
    run: RemoteRun

    @property
    def label(self) -> str:
        """For the legend."""
        return f"{' + '.join(self.switches) or 'no trap'}, seed {self.seed}"

    @property
    def history(self) -> History:
        """Its numbers so far."""
        return self.run.history


def settings_of(switches: tuple[str, ...], seed: int) -> tuple[Any, dict[str, Any]]:
    """Config and arguments of `train` for a set of switches."""
    changes: dict[str, Any] = {}
    parts: dict[str, Any] = {}
    for switch in switches:
        changes |= SWITCHES[switch][0]
        parts |= SWITCHES[switch][1]
    return replace(HEALTHY, seed=seed, **changes), parts


class TrapLab:
    """Press Run with some switches on; each run stays in the figure until Clear.

    `results` holds label -> Result of the runs that have ended.
    """

    def __init__(self) -> None:
        self.runs: list[TrapRun] = []
        self.draw_seconds = self._draw_cost = 0.0
        self._task: asyncio.Task[None] | None = None
        self._renew: Callable[[Mapping[str, str]], None] = lambda static: None
        self.switches = {
            name: ipywidgets.Checkbox(
                value=name in STORY,
                description=name,
                indent=False,
                layout={"width": "auto", "margin": "2px 16px 2px 0"},
            )
            for name in SWITCHES
        }
        self.seed = seed_field(0)
        self.run_button = button("Run", "Train with these switches", button_style="primary")
        self.stop_button = button("Stop", "End the run and keep its curve", disabled=True)
        self.clear_button = button("Clear", "Take all curves away", disabled=True)
        for pressed, action in (
            (self.run_button, self.start),
            (self.stop_button, self.stop),
            (self.clear_button, self.clear),
        ):
            pressed.on_click(lambda _, action=action: action())
        self.text = ipywidgets.HTML(WELCOME)
        self.alert = ipywidgets.HTML()
        self.curves = ipywidgets.HTML(layout={"width": "auto"})
        self._draw()
        above = [
            ipywidgets.HBox(list(self.switches.values()), layout=ROW),
            ipywidgets.HBox([self.run_button, self.stop_button, self.clear_button, self.seed], layout=ROW),
        ]
        self.box = ipywidgets.VBox([*above, self.alert, self.text, self.curves])

    @property
    def results(self) -> dict[str, Result]:
        """Label -> result of the runs that have ended."""
        return {run.label: run.run.result for run in self.runs if run.run.result is not None}

    @property
    def running(self) -> bool:
        """Whether a run is on."""
        return bool(self.runs) and not self.runs[-1].run.ended

    def start(self) -> None:
        """What Run does."""
        if self.running:
            return
        if len(self.runs) == MOST_RUNS:
            self.alert.value = said(
                f"{MOST_RUNS} curves are all that can be told apart: press Clear first.", role="alert"
            )
            return
        chosen = tuple(name for name, control in self.switches.items() if control.value)
        config, parts = settings_of(chosen, self.seed.value)
        run = TrapRun(chosen, self.seed.value, RemoteRun(ppo.train, config, parts, film=False))
        self.runs.append(run)
        self.draw_seconds = 0.0
        self._update()
        with contextlib.suppress(RuntimeError):  # no event loop, as in a script
            self._task = asyncio.get_running_loop().create_task(self._watch(run))

    def stop(self) -> None:
        """What Stop does: the curve so far stays."""
        if self.running:
            self.runs[-1].run.stop()
            self._update()

    def clear(self) -> None:
        """What Clear does."""
        if self.running:
            return
        self.runs.clear()
        self._draw()
        self._update()

    async def _watch(self, run: TrapRun) -> None:
        while not run.run.ended:
            await asyncio.sleep(POLL_INTERVAL_S)
            if run.run.poll() and self.draw_seconds + self._draw_cost <= DRAW_SHARE * run.run.seconds:
                self._draw()
                self.draw_seconds += self._draw_cost
                self._update()
        self._draw()
        self._update()
        picture = page.picture(still(self._panels()), "image/svg+xml", alt=self.describe())
        # For the notebook, when it is opened without this kernel.
        self._renew({"text/html": self.text.value + picture["text/html"], "text/plain": picture["text/plain"]})

    def _draw(self) -> None:
        start = time.thread_time()
        self.curves.value = live(self._panels(), self.describe())
        self._draw_cost = time.thread_time() - start

    def _panels(self) -> list[Panel]:
        return trap_panels([run.history for run in self.runs], HEALTHY.num_episodes or EPISODES)

    def describe(self) -> str:
        """The figure in words."""
        found = [f"{run.label}: {recent(run.history)}" for run in self.runs]
        return "Returns and diagnostics of the runs so far: " + ("; ".join(found) if found else "none yet") + "."

    def _update(self) -> None:
        on = self.running
        self.run_button.disabled, self.stop_button.disabled = on, not on
        self.clear_button.disabled = on or not self.runs
        lines = []
        for run, (name, dashes) in zip(self.runs, LOOKS, strict=False):
            state = ended(run.run) if run.run.state == ENDED else f"{run.run.state} …"
            lines.append(
                f"<li>{swatch(Line((), (), colour(name), dashes))}<strong>{html.escape(run.label)}</strong>: "
                f"{html.escape(state)}, {len(run.history.episodes[0]):,} episodes, {recent(run.history)}</li>"
            )
        listed = f"<ol style='line-height: 1.5; margin: 4px 0; padding-left: 20px'>{''.join(lines)}</ol>"
        self.text.value = listed if lines else WELCOME
        # Read out, and so rewritten only where something begins or ends.
        self.alert.value = said("Training …" if on else f"{ended(self.runs[-1].run)}.") if lines else ""

    def show(self, *, interactive: bool | None = None) -> None:
        """Show it; nothing runs before Run is pressed. Without a page to press in, measured curves stand there."""
        figure = corner_curves(load_claims("factorial")["curves"], "story")
        static = page.still(figure, alt=ALT, caption=STATIC)
        if not (has_frontend() if interactive is None else interactive):
            page.display(static, raw=True)
            return
        only_one_in_this_cell(self)
        self._renew = show_widget(self.box, static)
