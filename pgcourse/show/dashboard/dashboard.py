"""Watch an agent learn: start, pause and stop a training run in the page, with its curves and its alarms."""

import asyncio
import contextlib
import functools
import html
import time
from collections.abc import Callable, Mapping
from typing import Any

from ...algorithms.by_name import TRAIN, made_fresh
from ...config import Config
from ...errors import InvalidInput
from ...runs import Result
from ...study.alarms import ALARMS
from ...study.diagnose import describe
from .. import page
from ..page.widgets import has_frontend, has_kernel, only_one_in_this_cell, show_widget
from .controls import Controls, said
from .panels import Panels, expected_metrics, panel_title, reference_of, ringing_panels
from .run import PAUSED, PAUSING, RUNNING, STARTING, STOPPING, History, RemoteRun

WINDOW = 100  # episodes of the mean that is quoted
STATES = {
    STARTING: "Starting a training process …",
    RUNNING: "Training.",
    PAUSING: "Pausing after this update …",
    PAUSED: "Paused.",
    STOPPING: "Stopping after this update …",
}
POLL_INTERVAL_S = 0.1
DRAW_SHARE = 0.04  # of the training time; reports and films have theirs in `run`
NAMES = {"ppo": "PPO", "a2c": "A2C", "reinforce": "REINFORCE", "trpo": "TRPO"}


class Dashboard:
    """A training run with buttons, curves, alarms in words, and the agent at work.

        dashboard = Dashboard(ppo.CARTPOLE)
        dashboard.show()
        dashboard.result            # of the last run, also of one that was stopped

    Args: config: where the controls start. film: whether the agent is shown at work. parts: replaceable parts of `train`,
    such as advantage_fn=my_gae. Training goes on in a process of its own. Interrupting the kernel stops it as Stop does,
    and it ends with the kernel.
    Raises: InvalidInput for settings of no algorithm of the course.
    """

    def __init__(self, config: Config, *, film: bool = True, **parts: Any) -> None:
        if getattr(config, "algorithm", None) not in TRAIN:
            raise InvalidInput(
                f"Dashboard got {type(config).__name__}; give settings of an algorithm, such as ppo.CARTPOLE"
            )
        self.config, self.parts = config, parts
        self.run: RemoteRun | None = None
        self.results: list[Result] = []  # of all runs, in order
        self.draw_seconds = 0.0  # of this run, while it was training
        self._draw_cost = 0.0
        self._task: asyncio.Task[None] | None = None
        self._panels = self._new_panels(config)
        self._film = film
        self._renew: Callable[[Mapping[str, str]], None] = lambda static: None

    @functools.cached_property
    def controls(self) -> Controls:
        """Buttons, settings and pictures; made when they are first needed, as nobody sees them in a terminal."""
        made = Controls(self.config, film=self._film, curves=self._panels.live(History()))
        made.on_press(start=self.start, pause=self.pause, stop=self.stop, film=self._show_film)
        return made

    @property
    def result(self) -> Result | None:
        """The result of the last run that has ended; None before."""
        if self.run is not None:
            self.run.poll()
            self._keep()
        return self.results[-1] if self.results else None

    @property
    def running(self) -> bool:
        """Whether a run is on, paused ones included."""
        return self.run is not None and not self.run.ended

    @property
    def overhead(self) -> float:
        """What curves, films and reports of this run have taken, as a share of its training time."""
        if self.run is None or not self.run.seconds:
            return 0.0
        return (self.draw_seconds + self.run.shown_seconds) / self.run.seconds

    def show(self, *, interactive: bool | None = None) -> None:
        """Show it. Nothing runs before Start is pressed.

        Where nobody can press Start (a notebook that is run from end to end, a terminal) the run is made to its end,
        and one line and the curves say how it went. Args: interactive: None finds out which.
        """
        if not (has_frontend() if interactive is None else interactive):
            self._run_to_the_end()
            return
        only_one_in_this_cell(self)
        self._renew = show_widget(self.controls.box, self._static(self._history))

    def wait(self, seconds: float | None = None) -> Result | None:
        """Wait in a cell until the run has ended. Args: seconds: at most. Returns: as `result`."""
        if self.run is not None:
            self.run.wait(seconds)
        return self.result

    def start(self) -> None:
        """What the Start button does: a new run with the settings of the controls."""
        if self.running:
            return
        self._keep()
        try:
            config = self.controls.read()
            parts = made_fresh(config, self.parts)
            self.run = RemoteRun(TRAIN[config.algorithm], config, parts, film=self.controls.film.value)
        except InvalidInput as error:
            self.controls.complain(str(error))
            return
        self.draw_seconds = 0.0
        self._panels = self._new_panels(config)
        self._update()
        self._show_film()
        self._draw()
        with contextlib.suppress(RuntimeError):  # no event loop, as in a script: `wait` takes in what arrives
            self._task = asyncio.get_running_loop().create_task(self._watch(self.run))

    def pause(self) -> None:
        """What the Pause button does; pressed again, the run goes on."""
        if self.run is not None:
            (self.run.resume if self.run.state in (PAUSING, PAUSED) else self.run.pause)()
            self._update()

    def stop(self) -> None:
        """What the Stop button does: the run ends after its present update, and keeps its result."""
        if self.run is not None:
            self.run.stop()
            self._update()

    async def _watch(self, run: RemoteRun) -> None:
        """Until the run has ended: take in what arrives, and draw it as often as its share of the time allows."""
        while not run.ended:
            await asyncio.sleep(POLL_INTERVAL_S)
            if not run.poll():
                continue
            run.history.look_for_alarms()
            self._update()
            self._show_film()
            if self.draw_seconds + self._draw_cost <= DRAW_SHARE * run.seconds:
                self._draw()
                self.draw_seconds += self._draw_cost
        self._keep()
        self._update()
        self._show_film()
        self._draw()
        self._renew(self._static(run.history))  # for the notebook, when it is opened without this kernel

    def _keep(self) -> None:
        """Keep the result of a run that has ended, once."""
        found = self.run.result if self.run is not None else None
        if found is not None and not any(result is found for result in self.results):
            self.results.append(found)

    def _update(self) -> None:
        """Buttons and words."""
        assert self.run is not None
        self.controls.follow(self.run.state)
        self.controls.text.value = said(STATES.get(self.run.state) or _kept(self.run))
        self.controls.numbers.value = numbers(self.run, self.overhead)

    def _draw(self) -> None:
        """Curves and alarms; what they cost, in processor time, is what they take from the training."""
        start = time.thread_time()
        self._history.look_for_alarms()
        self.controls.curves.value = self._panels.live(self._history)
        self.controls.alarms.value = alarm_list(self._history)
        self._draw_cost = time.thread_time() - start

    @property
    def _history(self) -> History:
        return self.run.history if self.run is not None else History()

    def _show_film(self) -> None:
        """The newest film where films are wanted; it plays once and stands still."""
        self.controls.show_agent(self.run.film if self.run is not None else None)

    def _new_panels(self, config: Config) -> Panels:
        title = f"{NAMES[config.algorithm]} on {config.env_id}, seed {config.seed}"
        reference = reference_of(config, self.parts)
        if reference is None and config.env_id == self.config.env_id:
            before = reference_of(self.config, {})
            reference = before and before._replace(changed=True)
        metrics, budget = expected_metrics(config), (config.total_timesteps, config.num_episodes)
        return Panels(title, reference, config.env_id, metrics=metrics, budget=budget)

    def _run_to_the_end(self) -> None:
        start = time.perf_counter()
        result = TRAIN[self.config.algorithm](self.config, **made_fresh(self.config, self.parts))
        self.results.append(result)
        history = History.of(result)
        history.look_for_alarms()
        print(one_line(NAMES[self.config.algorithm], self.config, history, time.perf_counter() - start))
        if has_kernel():
            page.display(self._static(history), raw=True)

    def _static(self, history: History) -> Mapping[str, str]:
        picture = page.picture(
            self._panels.still(history), "image/svg+xml", alt=self._panels.describe(history),
            caption="The dashboard: it starts, pauses and stops a run, and changes its settings.",
        )  # fmt: skip
        return {kind: picture[kind] for kind in ("text/html", "text/plain")}


def numbers(run: RemoteRun, overhead: float) -> str:
    """How far the run is, as HTML."""
    history = run.history
    if not history.updates:
        return ""
    parts = [f"Update {history.updates:,}, {_progress(run)}; {recent(history)}."]
    if run.seconds > 0:
        parts.append(f"{history.env_step / run.seconds:,.0f} steps/s.")
        parts.append(f"Curves and film take {overhead:.1%} of the training time.")
    return f"<p class='pg-numbers' style='line-height: 1.4; margin: 0'>{' '.join(parts)}</p>"


def ended(run: RemoteRun) -> str:
    """How it came to its end, in a word or with the error."""
    if run.error:
        return f"✗ It ended with an error: {run.error}"
    if run.result is not None and run.result.interrupted:
        return "Interrupted"
    return "Stopped" if run.stopped else "Done"


def _kept(run: RemoteRun) -> str:
    end = ended(run)
    if run.error:
        return f"{end}."
    return f"{end}; {'it' if end == 'Done' else 'what there is so far'} is kept as .result."


def alarm_list(history: History) -> str:
    """The alarms that have rung, as HTML, each with the step at which it was seen first."""
    if not history.updates:
        return ""
    panels = {alarm: panel_title(name) for name, alarms in ringing_panels(history).items() for alarm in alarms}
    rung = [alarm.id for alarm in ALARMS if alarm.id in history.rung]
    if not rung:
        return "<p role='status'>✓ No alarm so far.</p>"
    items = "".join(
        f"<li>⚠ <strong>{html.escape(panels[alarm])}</strong>, from step {history.rung[alarm]:,} on: "
        f"{html.escape(describe(alarm))} <code style='white-space: nowrap'>{alarm}</code></li>"
        for alarm in rung
    )
    return (
        f"<div role='status' style='line-height: 1.4; max-width: 520px'><strong>Alarms</strong>"
        f"<ul style='list-style: none; padding-left: 0; margin: 4px 0'>{items}</ul></div>"
    )


def one_line(name: str, config: Config, history: History, seconds: float) -> str:
    """A finished run, for who sees no dashboard."""
    rung = [alarm.id for alarm in ALARMS if alarm.id in history.rung]
    alarms = f"alarms: {', '.join(rung)}" if rung else "no alarm"
    return (
        f"{name} on {config.env_id}, seed {config.seed}: {history.env_step:,} steps, {len(history.episodes[0]):,} episodes, "
        f"{seconds:.1f} s; {recent(history)}; {alarms}."
    )


def _progress(run: RemoteRun) -> str:
    config, history = run.config, run.history
    steps = f"step {history.env_step:,}"
    if config.total_timesteps is not None:
        steps += f" of {config.total_timesteps:,}"
    episodes = f"episode {len(history.episodes[0]):,}"
    if config.num_episodes is not None:
        episodes += f" of {config.num_episodes:,}"
    return f"{steps}, {episodes}"


def recent(history: History) -> str:
    """The mean return of the last episodes."""
    mean = history.recent_return(WINDOW)
    return "no episode has ended yet" if mean is None else f"mean return of the last {WINDOW} episodes {mean:.1f}"
