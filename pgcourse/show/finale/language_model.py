"""The finale of unit 09: the learner's functions train a language model, and its answers are shown while they change."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ... import optim
from ...language.config import PRESETS, LanguageConfig
from ...language.imitation import imitate
from ...language.sampling import Answers
from ...language.tasks import SORTING
from ...language.training import train
from ...statistics import moving_average
from ...training import OnIteration, Progress, Result
from .. import page
from ..figures.curves import claimed_band
from ..live.transcripts import Transcripts
from ..page.style import COLOURS, new_figure
from .engine import Outcome, Plan, reference_curve, show
from .units import refused
from .validation import Function, checked, guarded

REFERENCE = "language", "sorting/leave_one_out"  # claims file and curve, in percent over updates
PROMPTS = ("352941>", "700164>", "998877>", "012345>")
LOOKS = 10  # at the answers, after the first
END = 10  # updates in the mean at the end
WINDOW = 5  # updates in the curve's moving average, as in the reference's
GOOD = 0.9
NEAR = 0.1  # a single right run may end so far below the interval of the mean over seeds
SECONDS = 60.0


def language(
    *,
    answer_log_prob: Function | None,
    leave_one_out: Function | None,
    clipped_token_loss: Function | None,
    num_updates: int = 150,
    seed: int = 1,
    seconds: float | None = None,
) -> None:
    """Train a transformer to sort six digits with the learner's functions of unit 09, and show what came of it.

    Takes 60 s of computing at most, or `seconds`. It begins with a model that has imitated a careless teacher; everything
    else is the preset "sorting": 32 prompts with 8 answers each, two steps on them, clip 0.2. A function that is still the
    stub is named in one line; a wrong one gives the curve as far as it got and a sentence.
    """
    show(
        language_plan(answer_log_prob, leave_one_out, clipped_token_loss, num_updates=num_updates, seed=seed),
        SECONDS if seconds is None else seconds,
    )


def language_plan(
    answer_log_prob: Function | None,
    leave_one_out: Function | None,
    clipped_token_loss: Function | None,
    *,
    num_updates: int,
    seed: int,
) -> Plan:
    """The finale of unit 09 as data."""
    config = replace(PRESETS["sorting"], num_updates=num_updates, seed=seed)
    log_prob_of = guarded("answer_log_prob", answer_log_prob)
    advantages_of = guarded("leave_one_out", leave_one_out)
    loss_of = guarded("clipped_token_loss", clipped_token_loss)
    notes: list[str] = []
    seen: list[Transcripts] = []

    def advantage_fn(rewards: Tensor) -> Tensor:
        return checked("leave_one_out", advantages_of(rewards), rewards.shape).detach()

    def update_fn(
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        answers: Answers,
        advantages: Tensor,
        config: LanguageConfig,
        **_: Any,
    ) -> dict[str, Tensor | float]:
        for _step in range(config.update_epochs):
            logits = model(torch.cat([answers.prompts, answers.tokens], dim=1))  # [B, P + T, V]
            found = log_prob_of(logits, answers.tokens, answers.mask)
            log_prob = checked("answer_log_prob", found, answers.tokens.shape, gradient=True)
            found = loss_of(log_prob, answers.log_prob, advantages[:, 0], answers.mask, clip_coef=config.clip_coef)
            loss = checked("clipped_token_loss", found, gradient=True)
            optim.gradient_step(loss, model, optimizer, max_grad_norm=config.max_grad_norm)
        return {"losses/policy_loss": loss.detach()}

    def train_and_look(policy: nn.Module, on_iteration: OnIteration) -> Result:
        seen[:] = [Transcripts(SORTING, policy, PROMPTS, every=max(num_updates // LOOKS, 1))]

        def look(progress: Progress) -> bool | None:
            seen[0](progress)
            return on_iteration(progress)

        return train(config, policy, device="cpu", advantage_fn=advantage_fn, update_fn=update_fn, on_iteration=look)

    def make_policy() -> nn.Module:
        functions = {
            "answer_log_prob": answer_log_prob, "leave_one_out": leave_one_out, "clipped_token_loss": clipped_token_loss
        }  # fmt: skip
        notes.extend(refused(functions))
        return imitate(SORTING, seed=seed)[0]

    def judge(plan: Plan, returns: NDArray[np.float64], advice: str, _: NDArray[np.int64] | None) -> str:
        return verdict(success_of(returns, config), advice, reference_curve(plan))

    def display(plan: Plan, outcome: Outcome) -> None:
        curve(success_of(outcome.returns, config), reference_curve(plan))
        seen[0].show()

    zeros = torch.zeros(1, 2)
    both = torch.ones(1, 2, dtype=torch.bool)
    return Plan(
        functions={
            "answer_log_prob": lambda: log_prob_of(torch.zeros(1, 3, 2), torch.zeros(1, 2, dtype=torch.int64), both),
            "leave_one_out": lambda: advantages_of(zeros),
            "clipped_token_loss": lambda: loss_of(zeros, zeros, torch.ones(1), both, clip_coef=0.2),
        },
        make_policy=make_policy,
        train=train_and_look,
        notes=notes,
        env_id="",
        good_return=GOOD,
        algorithm="",
        curve=REFERENCE,
        num_episodes=num_updates * per_update(config),
        window=END * per_update(config),
        advice="Look at the place of the logits (those of a token stand one place before it), at the sign of the loss, and at "
        "the mask.",
        judge=judge,
        display=display,
    )


def per_update(config: LanguageConfig) -> int:
    """Answers of an update."""
    return config.num_prompts * config.num_samples


def success_of(marks: NDArray[np.float64], config: LanguageConfig) -> NDArray[np.float64]:
    """Share of right answers of each whole update."""
    return marks[: len(marks) // per_update(config) * per_update(config)].reshape(-1, per_update(config)).mean(1)


def verdict(success: NDArray[np.float64], advice: str, measured: Mapping[str, Any] | None) -> str:
    """What the curve says in words. Args: success: of each update, 0 to 1, of at least one. measured: the reference's curve."""
    last, first = float(success[-END:].mean()), float(success[0])
    text = f"At first {100 * first:.0f} % of the answers were right, "
    text += f"in the last {min(END, len(success))} updates {100 * last:.0f} %"
    low = None
    if measured is not None:
        at = int(np.argmin(np.abs(np.asarray(measured["x"]) - len(success))))
        low = measured["low"][at] / 100
        text += f"; after {measured['x'][at]} updates the reference's interval is {100 * low:.0f} to {measured['high'][at]:.0f} %"
    if last < max(first, 0.05):
        return f"{text}. It has not learnt, or the opposite. {advice}"
    if low is not None and last < low - NEAR:
        return f"{text}. It learns, but more slowly than the reference: does every exercise pass its check? {advice}"
    if last < GOOD:
        return f"{text}. It learns. Another seed gives another curve: run the cell with `seed=5` and `seed=6`."
    return f"{text}. Your own functions drove every update of this model."


def curve(success: NDArray[np.float64], measured: Mapping[str, Any] | None) -> None:
    """Show the learner's curve on the reference's band."""
    figure, ax = new_figure()
    if measured is not None:
        claimed_band(ax, measured, label=f"reference, {measured['n']} seeds", colour="reference")
    smooth = 100 * moving_average(success, WINDOW)
    ax.plot(np.arange(1, len(smooth) + 1), smooth, color=COLOURS["learner"], label="yours, one seed")
    ax.set(xlabel="updates", ylabel="right answers [%]", xlim=(0, max(len(smooth), 10)), ylim=(0, 102))
    ax.legend(loc="lower right", frameon=False)
    page.figure(
        figure,
        alt=f"Your learning curve over {len(smooth)} updates, from {smooth[0]:.0f} to {smooth[-1]:.0f} percent right answers.",
        caption=f"Moving average of {WINDOW} updates of 256 answers. Line and band: interquartile mean of the reference and its "
        "95 % bootstrap interval, which is of the mean and not of single runs.",
    )
