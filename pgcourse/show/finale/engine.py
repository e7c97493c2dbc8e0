"""The engine of the finales: a learner's functions in the real loop, their curve on the reference's band, and a sentence."""

import copy
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import nn

from ...checks.observe import TimeLimit
from ...checks.sandbox import time_limit
from ...errors import InvalidInput
from ...evaluation import evaluate
from ...optim import load_fully
from ...statistics import moving_average
from ...study.claims import load_claims
from ...training import Progress, Result, TrainingDiverged
from .. import page
from ..figures.curves import X_LABELS, claimed_band
from ..live.agents import watch
from ..page.style import COLOURS, LABELS, LINE_STYLES, new_figure
from .validation import NAN_ADVICE, Fault, Untouched, describe
from .verdict import average_window, stopped, verdict

# Seconds of computing after which a run is stopped, and its curve shown as far as it got. The processor's time, so that
# other programs on the machine cut nothing short.
TRAIN_SECONDS = 20.0
WALL_FACTOR = 5  # times as many seconds by the clock end it too: code that sleeps uses no processor
HARD_SECONDS = 18.0  # by the clock, without any update in between: a function that never returns is ended
STILL_ADVICE = "The policy has the very weights it began with: does your update call `backward()` and `step()`?"


@dataclass(frozen=True)
class Plan:
    """What a finale needs: how to make the learner's policy, how to train it, what to measure it against."""

    functions: Mapping[str, Callable[[], Any]]  # by exercise id: the learner's function called once, guarded
    make_policy: Callable[[], nn.Module]
    train: Callable[..., Result]  # takes policy and on_iteration
    env_id: str
    good_return: float  # mean of the last episodes from which there is nothing to say
    algorithm: str  # key of COLOURS, for the reference's band
    curve: tuple[str, str] = ("", "")  # claims file and curve of the reference
    advice: str = ""  # where to look when the curve stays flat
    notes: list[str] = field(default_factory=list)  # small things to say once at the end
    causes: list[str] = field(default_factory=list)  # grave ones, seen while it trained: said in place of the advice
    x_unit: str = "episode"  # of the curve, the learner's and the reference's: "episode" or "env_step"
    last_step: int | None = None  # environment step at which the run ends by plan, before its config's budget
    num_episodes: int | None = None  # episodes at which it does
    poor_return: float | None = None  # below it hardly anything was learnt; None: twice a random agent's return
    still_advice: str = STILL_ADVICE  # where to look when the policy has not changed at all
    window: int | None = None  # episodes in the mean at the end; None: those of the reference's curve
    # In place of `judge` and `display`, where an episode is no run of an environment.
    judge: Callable[["Plan", NDArray[np.float64], str, NDArray[np.int64] | None], str] | None = None
    display: Callable[["Plan", "Outcome"], None] | None = None


@dataclass
class Outcome:
    """What came of it. `status`: "not attempted", "broken" (stopped by an error), or "trained"."""

    status: str
    sentence: str
    returns: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    policy: nn.Module | None = None
    env_steps: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))  # at which each episode ended


def run(plan: Plan, *, seconds: float | None = None) -> Outcome:
    """Train with the learner's functions. Never raises for what they do.

    Args: seconds: of computing after which the run is stopped, default `TRAIN_SECONDS`.
    """
    limit = TRAIN_SECONDS if seconds is None else seconds
    last_step, num_episodes = plan.last_step or math.inf, plan.num_episodes or math.inf
    load_fully()
    if missing := untouched(plan):
        return Outcome("not attempted", _not_attempted(missing))
    seen: dict[str, Any] = {"returns": np.zeros(0), "env_steps": np.zeros(0, np.int64), "policy": None}
    before: dict[str, torch.Tensor] = {}
    try:
        with time_limit(HARD_SECONDS) as restart_clock:
            started = time.process_time()

            def watch(progress: Progress) -> bool:
                restart_clock()
                done = progress.env_step >= last_step or len(progress.episodes) >= num_episodes
                seen["returns"] = progress.episodes["episodic_return"].copy()
                seen["env_steps"] = progress.episodes["env_step"].copy()
                seen["policy"], seen["env_step"] = progress.policy, progress.env_step
                return done or time.process_time() - started > limit or progress.seconds > WALL_FACTOR * limit

            policy = plan.make_policy()
            before = copy.deepcopy(policy.state_dict())
            result = plan.train(policy=policy, on_iteration=watch)
    except Untouched as error:
        return Outcome("not attempted", _not_attempted([str(error)]))
    except Fault as error:
        return _broken(seen, f"{error}.")
    except TimeLimit:
        return _broken(seen, f"A call had not come back after {HARD_SECONDS:g} s; look for an endless loop.")
    except TrainingDiverged as error:  # its result holds the last good weights
        episodes = error.result.episodes
        seen |= {"returns": episodes["episodic_return"], "env_steps": episodes["env_step"]}
        seen["policy"] = error.result.policy
        return _broken(seen, f"The policy's weights or its loss became NaN or infinite; {NAN_ADVICE}.")
    except Exception as error:  # from the learner's network, inside our loop
        return _broken(seen, f"The policy does not fit the loop: {describe(error)}.")
    returns, env_steps = result.episodes["episodic_return"], result.episodes["env_step"]
    after = result.policy.state_dict()
    unchanged = all(torch.equal(value, after[name].cpu()) for name, value in before.items())
    pressing = [*(f"{cause}." for cause in plan.causes[:1]), *([plan.still_advice] if unchanged else [])]
    sentence = (plan.judge or judge)(plan, returns, pressing[0] if pressing else plan.advice, env_steps)
    if pressing and pressing[0] not in sentence:
        sentence += f" {pressing[0]}"
    if plan.notes:
        sentence += f" One more thing: {plan.notes[0]}."
    planned_episodes = plan.num_episodes or getattr(result.config, "num_episodes", None) or 0
    planned_steps = min(getattr(result.config, "total_timesteps", None) or 0, last_step)
    if result.interrupted:
        sentence += " You interrupted it."
    elif len(returns) < planned_episodes:
        sentence += f" {stopped(limit, len(returns), planned_episodes, 'episode')}"
    elif seen.get("env_step", math.inf) < planned_steps:
        sentence += f" {stopped(limit, seen['env_step'], int(planned_steps), 'env_step')}"
    return Outcome("trained", sentence, returns, result.policy, env_steps)


def untouched(plan: Plan) -> list[str]:
    """Names of the functions that are still stubs. Other errors do not count: the training meets them."""
    names = []
    for call in plan.functions.values():
        try:
            with time_limit(HARD_SECONDS):
                call()
        except Untouched as error:
            names.append(str(error))
        except (Fault, TimeLimit):
            pass
    return list(dict.fromkeys(names))


def reference_curve(plan: Plan) -> Mapping[str, Any] | None:
    """The measured curve of the reference, None where it is not there."""
    name, curve = plan.curve
    try:
        return load_claims(name)["curves"].get(curve)
    except (InvalidInput, KeyError):
        return None


def _not_attempted(names: list[str]) -> str:
    listed = ", ".join(f"`{name}`" for name in names)
    return f"{listed}: not attempted. The finale runs once your functions are there; come back to it then."


def _broken(seen: dict[str, Any], sentence: str) -> Outcome:
    episodes = len(seen["returns"])
    sentence += f" The curve shows the {episodes} episodes before that." if episodes else ""
    return Outcome("broken", sentence, seen["returns"], seen["policy"], seen["env_steps"])


def judge(plan: Plan, returns: NDArray[np.float64], advice: str, env_steps: NDArray[np.int64] | None = None) -> str:
    """What the curve says: what was reached, against reference and random agent, and what to do next."""
    if not len(returns):
        return f"No episode ended within the budget, so there is nothing to compare. {advice}"
    random = evaluate(None, plan.env_id, num_episodes=100, seed=0).mean
    return verdict(
        returns,
        len(returns) if plan.x_unit == "episode" or env_steps is None else int(env_steps[-1]),
        reference=reference_curve(plan),
        x_unit=plan.x_unit,
        random=random,
        poor=2 * random if plan.poor_return is None else plan.poor_return,
        good=plan.good_return,
        advice=advice,
    )


def show(plan: Plan, seconds: float | None) -> None:
    """Train with the learner's functions, and show what came of it. Args: seconds: as of `run`."""
    present(plan, run(plan, seconds=seconds))


def present(plan: Plan, outcome: Outcome) -> None:
    """Show the outcome: the curve on the reference's band, the agent at work, the sentence."""
    if len(outcome.returns):
        (plan.display or display)(plan, outcome)
    _answer(plan, outcome)


def display(plan: Plan, outcome: Outcome) -> None:
    """The learner's curve on the reference's band, and the agent at work."""
    figure, caption = curve_figure(plan, outcome.returns, outcome.env_steps)
    _, smooth = drawn_curve(plan, outcome.returns, outcome.env_steps)
    count = len(outcome.returns)
    alt = f"Your learning curve over {count} episode{'s' * (count > 1)}, from {smooth[0]:.0f} at first to {smooth[-1]:.0f}."
    page.figure(figure, alt=alt, caption=caption)
    if outcome.policy is not None:
        try:
            watch(
                {"random": None, "your agent": outcome.policy}, plan.env_id, caption="Push them and see who recovers."
            )
        except Exception as error:  # the learner's network, in another batch size
            outcome.sentence += f" Your policy could not be shown: {describe(error)}."


def _answer(plan: Plan, outcome: Outcome) -> None:
    """The sentence as a card."""
    last = outcome.returns[-(plan.window or average_window(reference_curve(plan))) :]
    reached = outcome.status == "trained" and len(last) > 0 and float(last.mean()) >= plan.good_return
    status = {"not attempted": "not attempted", "broken": "not yet"}.get(outcome.status, "correct" if reached else "")
    verdict = {"broken": "Stopped by an error", "trained": "Trained"}.get(outcome.status, "")
    page.answer("with your own functions", outcome.sentence, status=status, verdict=verdict)


def drawn_curve(
    plan: Plan, returns: NDArray[np.float64], env_steps: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The points of the learner's curve: where it is, and the moving average there."""
    smooth = moving_average(returns, average_window(reference_curve(plan)))
    if plan.x_unit != "env_step" or env_steps is None:
        return np.arange(1, len(smooth) + 1), smooth
    # Environments that began together end together: one point for all of them, not a vertical line.
    last = np.append(np.diff(env_steps) > 0, True)
    return env_steps[last], smooth[last]


def curve_figure(
    plan: Plan, returns: NDArray[np.float64], env_steps: NDArray[np.int64] | None = None
) -> tuple[Figure, str]:
    """The learner's curve on the reference's band, and the caption."""
    figure, ax = new_figure()
    reference = reference_curve(plan)
    window = average_window(reference)
    if reference:
        label = f"{LABELS[plan.algorithm]}, {reference['n']} seed{'s' * (reference['n'] > 1)}"
        style = LINE_STYLES.get(plan.algorithm, "-")
        claimed_band(ax, reference, label=label, colour=COLOURS[plan.algorithm], style=style)
    x, smooth = drawn_curve(plan, returns, env_steps)
    ax.plot(x, smooth, color=COLOURS["learner"], label="yours, one seed")
    ax.set(xlabel=X_LABELS[plan.x_unit], ylabel="episodic return", xlim=(0, max(int(x[-1]), 10)))
    ax.legend(loc="best", frameon=False)
    caption = f"Moving average of {window} episodes."
    if reference:
        caption += " Line and band: interquartile mean of the reference and its 95 % bootstrap interval. "
        caption += "A right solution may leave the band: it is an interval of the mean, not of single runs."
    else:
        caption += " The reference's band is not measured in this copy, so your curve stands alone."
    return figure, caption
