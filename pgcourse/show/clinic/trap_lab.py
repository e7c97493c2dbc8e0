"""The trap lab: three suspects and two settings as switches, the runs so far overlaid, their diagnostics side by side."""

import asyncio
import contextlib
import html
import textwrap
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ipywidgets
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ...algorithms import ppo
from ...runs import Result
from ...statistics import moving_average
from ...study.claims import load_claims
from ...study.traps import JOINT_CLIPPING
from .. import page
from ..dashboard.dashboard import ended, recent
from ..dashboard.panels import EXPECTED, EXPLAINED, POINTS, TITLES, Canvas, healthy_ranges, styled, whole_ticks
from ..dashboard.run import ENDED, History, RemoteRun
from ..figures.curves import thin
from ..figures.diagnostics import PANELS
from ..figures.factorial import corner_curves
from ..page.style import PALETTE
from ..page.widgets import (
    PICTURE_LAYOUT,
    ROW,
    DescribedImage,
    button,
    has_frontend,
    only_one_in_this_cell,
    seed_field,
    show_widget,
)

WINDOW = 50  # episodes of the moving average, as in the measured curves
TOP = 500  # the highest return of CartPole
LEGEND_LINE = 0.08  # room for each line of the legend, in parts of TOP
LEGEND_WIDTH = 56  # characters of a line of the legend
# What the three suspects differ in. The gap between V and the returns shows a critic that lags behind.
GAP = "gap"
SHOWN = ("losses/approx_kl", "losses/entropy", EXPLAINED, GAP, "losses/policy_grad_norm", "losses/critic_grad_norm")
GAP_TITLE = "mean of V / mean of G"
# Colour is never the only difference; a black line and a light blue one differ most, so they come first and second.
LOOKS: tuple[tuple[str, Any], ...] = (
    ("#000000", "-"),
    (PALETTE[1], "-"),
    (PALETTE[0], "--"),
    (PALETTE[3], "-."),
    (PALETTE[5], "-"),
    (PALETTE[4], (0, (5, 1, 1, 1))),
)
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
    "The first two switches are where the traps act: off, the policy's rate is 1e-3 and a minibatch has 512 rows. The others "
    "are the traps. Press Run: each run takes some seconds and stays in the figure."
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


class TrapCurves:
    """Figure of up to MOST_RUNS runs. Args: episodes: the budget of each."""

    def __init__(self, episodes: int, env_id: str = "CartPole-v1") -> None:
        ranges = healthy_ranges(EXPECTED["ppo"], env_id)
        self._labels: list[str] = []
        with styled():
            self.canvas = Canvas(left=0.075)
            self.main = self.canvas.main
            self.main.set(
                xlabel="episode", ylabel="return of an episode", xlim=(0, 1.05 * episodes), ylim=(0, 1.05 * TOP)
            )
            self.main.set_title(f"mean of the last {WINDOW} episodes", fontsize=11)
            whole_ticks(self.main, 5)
            self.lines: dict[str, list[Any]] = {"return": self._new_lines(self.main)}
            for name in SHOWN:
                title = GAP_TITLE if name == GAP else TITLES.get(name, PANELS.get(name, (name,))[0])
                healthy = (0.9, 1.1) if name == GAP else ranges.get(name)
                self.lines[name] = self._new_lines(self.canvas.add_small(name, title, 1.05 * episodes, healthy))
            self.canvas.note("Green: healthy runs (of the gap: within a tenth of 1).")

    def draw(self, runs: Sequence[tuple[str, History]]) -> tuple[bytes, float]:
        """The picture of these runs, (label, numbers so far) each, and the processor seconds that it took."""
        start = time.thread_time()
        labels = [label for label, _ in runs]
        if labels != self._labels:
            self._labels = labels
            for lines in self.lines.values():
                for line in lines[len(runs) :]:
                    line.set_data([], [])
            self._legend(labels)
        for place, (_, history) in enumerate(runs):
            if history.updates:
                self._place(place, history)
        return self.canvas.png(), time.thread_time() - start

    def _place(self, place: int, history: History) -> None:
        _, returns = history.episodes
        if len(returns):
            keep = thin(len(returns), POINTS)
            self.lines["return"][place].set_data(keep + 1, moving_average(returns, WINDOW)[keep])
            self.canvas.make_room(self.main, float(len(returns)), 0.0, TOP)
        metrics = history.metrics
        episodes = metrics["charts/episodes"]
        keep = thin(len(episodes), POINTS)
        for name in SHOWN:
            numbers = _gap(metrics) if name == GAP else metrics[name]
            self.lines[name][place].set_data(episodes[keep], numbers[keep])
            self.canvas.fit(name, float(episodes[-1]), numbers, most=3.0 if name == GAP else np.inf)

    def _new_lines(self, ax: Axes) -> list[Any]:
        lines = [ax.plot([], [], color=colour, linestyle=style, linewidth=1.6)[0] for colour, style in LOOKS]
        self.canvas.move(*lines)
        return lines

    def _legend(self, labels: list[str]) -> None:
        """Above the curves; drawn with the axes, as it changes with the runs alone."""
        if (old := self.main.get_legend()) is not None:
            old.remove()
        labels = [textwrap.fill(label, LEGEND_WIDTH) for label in labels]
        self.main.set_ylim(0, (1.05 + LEGEND_LINE * sum(label.count("\n") + 1 for label in labels)) * TOP)
        if labels:
            with styled():
                handles = [
                    Line2D([], [], color=colour, linestyle=style, linewidth=1.6, label=label)
                    for label, (colour, style) in zip(labels, LOOKS, strict=False)
                ]
                self.main.legend(handles=handles, loc="upper left", fontsize=9, frameon=True, framealpha=0.8,
                                 edgecolor="none")  # fmt: skip
        self.canvas.redraw(self.main)


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
        self.curves = TrapCurves(EPISODES)
        self.draw_seconds = self._draw_cost = 0.0
        self._task: asyncio.Task[None] | None = None
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
        self.text = ipywidgets.HTML(f"<p role='status'>{WELCOME}</p>")
        self.image = DescribedImage(format="png", layout=PICTURE_LAYOUT)
        self._draw()
        above = [
            ipywidgets.HBox(list(self.switches.values()), layout=ROW),
            ipywidgets.HBox([self.run_button, self.stop_button, self.clear_button, self.seed], layout=ROW),
        ]
        self.box = ipywidgets.VBox([*above, self.text, self.image])

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
            self.text.value = (
                f"<p role='alert'>{MOST_RUNS} curves are all that can be told apart: press Clear first.</p>"
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
                self._draw_cost = self._draw()
                self.draw_seconds += self._draw_cost
                self._update()
        self._draw()
        self._update()

    def _draw(self) -> float:
        """Returns: what it took [s]."""
        self.image.value, seconds = self.curves.draw([(run.label, run.history) for run in self.runs])
        self.image.tooltip = self.describe()
        return seconds

    def describe(self) -> str:
        """The figure in words."""
        found = [f"{run.label}: {recent(run.history)}" for run in self.runs]
        return "Returns and diagnostics of the runs so far: " + ("; ".join(found) if found else "none yet") + "."

    def _update(self) -> None:
        on = self.running
        self.run_button.disabled, self.stop_button.disabled = on, not on
        self.clear_button.disabled = on or not self.runs
        lines = []
        for run in self.runs:
            state = ended(run.run) if run.run.state == ENDED else f"{run.run.state} …"
            state = state.replace("; it is kept as .result.", "").replace(
                "; what there is so far is kept as .result.", ""
            )
            lines.append(
                f"<li><strong>{html.escape(run.label)}</strong>: {html.escape(state)}, {run.history.updates:,} updates, "
                f"{len(run.history.episodes[0]):,} of {EPISODES:,} episodes, {run.history.env_step:,} steps; "
                f"{recent(run.history)}</li>"
            )
        self.text.value = (
            f"<ol role='status' style='line-height: 1.4; margin: 4px 0'>{''.join(lines)}</ol>" if lines else ""
        )

    def show(self, *, interactive: bool | None = None) -> None:
        """Show it; nothing runs before Run is pressed. Without a page to press in, measured curves stand there."""
        figure = corner_curves(load_claims("factorial")["curves"], "story")
        static = page.still(figure, alt=ALT, caption=STATIC)
        if not (has_frontend() if interactive is None else interactive):
            page.display(static, raw=True)
            return
        only_one_in_this_cell(self)
        show_widget(self.box, static)
