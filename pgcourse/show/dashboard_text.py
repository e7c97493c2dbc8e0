"""What a dashboard says in words."""

import html
from typing import Any

from ..study.alarms import ALARMS
from ..study.diagnose import describe
from .dashboard_history import History
from .dashboard_run import PAUSED, PAUSING, RUNNING, STARTING, STOPPING, RemoteRun

WINDOW = 100  # episodes of the mean that is quoted
STATES = {
    STARTING: "Starting a training process …",
    RUNNING: "Training.",
    PAUSING: "Pausing after this update …",
    PAUSED: "Paused.",
    STOPPING: "Stopping after this update …",
}


def status(run: RemoteRun, overhead: float) -> str:
    """How the run stands, as HTML."""
    words = STATES.get(run.state) or ended(run)
    parts = [f"<strong>{html.escape(words)}</strong>"]
    history = run.history
    if history.updates:
        parts.append(f"Update {history.updates:,}, {_progress(run)}; {recent(history)}.")
        if run.seconds > 0:
            parts.append(f"{history.env_step / run.seconds:,.0f} steps/s.")
            parts.append(f"Curves and film take {overhead:.1%} of the training time.")
    return f"<p role='status' style='line-height: 1.4; margin: 4px 0'>{' '.join(parts)}</p>"


def ended(run: RemoteRun) -> str:
    """How it came to its end."""
    if run.error:
        return f"✗ It ended with an error: {run.error}."
    if run.result is not None and run.result.interrupted:
        return "Interrupted; what there is so far is kept as .result."
    return "Stopped; what there is so far is kept as .result." if run.stopped else "Done; it is kept as .result."


def alarm_list(history: History) -> str:
    """The alarms that have rung, as HTML, each with the step at which it was seen first."""
    if not history.updates:
        return ""
    rung = [alarm.id for alarm in ALARMS if alarm.id in history.rung]
    if not rung:
        return "<p role='status'>✓ No alarm so far.</p>"
    items = "".join(
        f"<li>✗ from step {history.rung[alarm]:,} on: {html.escape(describe(alarm))} "
        f"<code style='white-space: nowrap'>{alarm}</code></li>"
        for alarm in rung
    )
    return (
        f"<div role='status' style='line-height: 1.4; max-width: 520px'><strong>Alarms</strong>"
        f"<ul style='list-style: none; padding-left: 0; margin: 4px 0'>{items}</ul></div>"
    )


def one_line(name: str, config: Any, history: History, seconds: float) -> str:
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
