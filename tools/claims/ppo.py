"""Lesson 04, tables of sections 1, 3.2, 6, 6.2 and 6.5: PPO on CartPole, its parts taken out or changed one by one.

Section 1 (one gradient step made larger) is `STEPS`, the other tables are `CHANGED`; the curves of section 2.5 (one update
followed for 30 epochs) are `epoch_curves`. Lessons 07 and 08 quote some of these runs too.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pgcourse import optim, ppo
from pgcourse.diagnostics import approx_kl, clip_fraction
from pgcourse.evaluation import evaluate
from pgcourse.networks import CategoricalPolicy, ValueNetwork
from pgcourse.optim import set_learning_rate
from pgcourse.returns import normalize
from pgcourse.rollout import Batch
from pgcourse.study.seeds import Run

from .study import IQM, OF_RETURN, TO_THRESHOLD, Metric, Study, band, held_out, last_mean, metric_mean, steps_to

COMPARED = 100_000  # environment steps within which the versions are compared
STEP_SIZES = (1, 30, 100, 300, 1000, 10_000)  # times the learning rate
AT_UPDATE = 30  # the one that is made of a single step
MANY_EPOCHS = 20

SHORT = replace(ppo.CARTPOLE, total_timesteps=COMPARED)
# Each changes one thing, but for the second of a pair. Those of `ppo.CARTPOLE`'s own budget go on to 200,000 steps.
CHANGED: dict[str, ppo.PPOConfig] = {
    "cartpole": ppo.CARTPOLE,
    "no_clip": replace(ppo.CARTPOLE, clip_coef=None),
    "many_epochs": replace(SHORT, update_epochs=MANY_EPOCHS),
    "no_clip_many_epochs": replace(SHORT, clip_coef=None, update_epochs=MANY_EPOCHS),
    "one_epoch": replace(SHORT, update_epochs=1),
    "wide_clip": replace(SHORT, clip_coef=0.5),
    "normalize_batch": replace(SHORT, normalize_advantages="batch"),
    "normalize_never": replace(SHORT, normalize_advantages="never"),
    "target_kl": replace(SHORT, target_kl=0.015),
    "anneal_lr": replace(SHORT, anneal_lr=True),
    "default_init": SHORT,
    "large_last_layer": SHORT,
    "adam_eps_1e_8": SHORT,
    "no_min": SHORT,
    # A pair of its own: how much the clip matters depends on how far a gradient step takes the policy.
    "wide_network": replace(ppo.CARTPOLE, hidden_sizes=(64, 64)),
    "no_clip_wide_network": replace(ppo.CARTPOLE, hidden_sizes=(64, 64), clip_coef=None),
    "patient": SHORT,
}
# 50 updates of the usual kind follow the large step.
STEPS = {f"step_{size}": replace(ppo.CARTPOLE, total_timesteps=80 * 1024) for size in STEP_SIZES}
VARIANTS = CHANGED | STEPS


def default_policy() -> nn.Module:
    """CartPole's policy with torch's own initial weights and biases in every layer."""
    return with_default_weights(CategoricalPolicy(4, 2, ppo.CARTPOLE.hidden_sizes))


def default_critic() -> nn.Module:
    """CartPole's critic with torch's own initial weights and biases in every layer."""
    return with_default_weights(ValueNetwork(4, ppo.CARTPOLE.hidden_sizes))


def with_default_weights(network: nn.Module) -> nn.Module:
    """The network with the weights that `nn.Linear` gives itself."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            module.reset_parameters()
    return network


def large_last_layer() -> nn.Module:
    """CartPole's policy with a last layer a hundred times as large: it starts with preferences."""
    policy = CategoricalPolicy(4, 2, ppo.CARTPOLE.hidden_sizes)
    last = [module for module in policy.modules() if isinstance(module, nn.Linear)][-1]
    with torch.no_grad():
        last.weight *= 100  # the package's has a gain of 0.01
    return policy


def adam_eps_1e_8(parameters: Any, learning_rate: float) -> torch.optim.Optimizer:
    """Adam with torch's own eps."""
    return torch.optim.Adam(parameters, lr=learning_rate, eps=1e-8, fused=True)


def clip_without_min(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
    """Minus the mean of the clipped term alone: beyond the clip no gradient, not even the one that leads back."""
    ratio = (log_prob - old_log_prob).exp()  # [B]
    return -(ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages).mean()


def optimist_loss(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
    """The lesson's patient: the larger of the two terms, where PPO takes the smaller."""
    ratio = (log_prob - old_log_prob).exp()  # [B]
    return -torch.maximum(ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages).mean()


@dataclass
class OneLargeStep:
    """`ppo.update`, but update number `at` is one gradient step with a learning rate `size` times as large.

    That update also reports what the step did: "charts/return_before" and "charts/return_after", means of 64 episodes
    with sampled actions, and as "losses/approx_kl" the divergence after the step.
    """

    size: float
    at: int = AT_UPDATE
    optimizer: torch.optim.Optimizer | None = field(default=None, repr=False, compare=False)

    def __call__(
        self,
        policy: nn.Module,
        critic: nn.Module,
        policy_optimizer: torch.optim.Optimizer,
        critic_optimizer: torch.optim.Optimizer,
        batch: Batch,
        config: ppo.PPOConfig,
        **functions: Any,
    ) -> dict[str, Tensor | float]:
        networks = (policy, critic, policy_optimizer, critic_optimizer)
        if policy_optimizer is not self.optimizer:  # another run
            self.optimizer, self.updates = policy_optimizer, 0
        self.updates += 1
        if self.updates != self.at:
            return ppo.update(*networks, batch, config, **functions)
        before = sampled_return(policy, config)
        set_learning_rate(policy_optimizer, config.policy_lr * self.size)
        single = replace(config, update_epochs=1, minibatch_size=config.batch_size)
        metrics = ppo.update(*networks, batch, single, **functions)
        set_learning_rate(policy_optimizer, config.policy_lr)
        with torch.no_grad():
            log_prob = policy(batch.obs).log_prob(batch.actions)
        return metrics | {
            "losses/approx_kl": approx_kl(log_prob, batch.log_prob),
            "charts/return_before": before,
            "charts/return_after": sampled_return(policy, config),
        }


def sampled_return(policy: nn.Module, config: ppo.PPOConfig) -> float:
    """Mean return of 64 held-out episodes in which the policy acts as in training."""
    return evaluate(policy, config.env_id, num_episodes=64, seed=config.seed, deterministic=False).mean


SEAMS: dict[str, dict[str, Any]] = {
    "default_init": {"policy": default_policy, "critic": default_critic},
    "large_last_layer": {"policy": large_last_layer},
    "adam_eps_1e_8": {"optimizer_fn": adam_eps_1e_8},
    "no_min": {"policy_loss_fn": clip_without_min},
    "patient": {"policy_loss_fn": optimist_loss},
    **{f"step_{size}": {"update_fn": OneLargeStep(size)} for size in STEP_SIZES},
}


KL, CLIPFRAC, ENTROPY = SHOWN = ("losses/approx_kl", "losses/clipfrac", "losses/entropy")
UPDATES = 98  # of 1,024 steps: within COMPARED
SOLVED = 475
MILLI = "0.001 nat"  # one gradient step moves a policy by less than a ten-thousandth of a nat
LONG = ("cartpole", "no_clip", "wide_network", "no_clip_wide_network")  # runs of 200,000 steps


def steps_within(run: Run) -> int | None:
    """Steps until the mean of 100 episodes is at least 475; None where that takes more than COMPARED steps."""
    steps = steps_to(run, SOLVED)
    return steps if steps is not None and steps <= COMPARED else None


def late_mean(run: Run) -> float:
    """Mean return of the episodes that ended in the last fifth of COMPARED steps; NaN for a run that is shorter."""
    ended = run.episodes["env_step"]
    late = (ended > 0.8 * COMPARED) & (ended <= COMPARED)
    return float(run.episodes["episodic_return"][late].mean()) if late.any() else np.nan


def in_the_end(run: Run) -> float:
    """Mean return of the episodes that ended in the last ten updates."""
    ended = run.episodes["env_step"]
    return float(run.episodes["episodic_return"][ended > ended[-1] - 10 * 1024].mean())


def mean_within(run: Run, name: str) -> float:
    """Mean of a metric over the updates within COMPARED steps."""
    return float(run.metrics[name][:UPDATES].mean())


def only(run: Run, name: str) -> float:
    """A metric that one update alone reported; NaN for a run without it."""
    return float(run.metrics[name][0]) if name in run.metrics else np.nan


TRAINING = {
    "steps_to_475": Metric("environment steps", TO_THRESHOLD, steps_within),
    "late": Metric("return", OF_RETURN, late_mean),
    "kl": Metric(MILLI, [IQM], lambda run: 1000 * mean_within(run, KL)),
    "largest_kl": Metric(MILLI, [IQM, "worst"], lambda run: 1000 * float(run.metrics[KL][:UPDATES].max())),
    "clipfrac": Metric("of the rows", [IQM], lambda run: mean_within(run, CLIPFRAC)),
    "early_stop": Metric("of the updates", [IQM], lambda run: mean_within(run, "charts/early_stop")),
    "epochs": Metric("epochs an update", [IQM], lambda run: mean_within(run, "charts/epochs")),
}
WHOLE = {
    "last_100": Metric("return", OF_RETURN, last_mean),
    "held_out": Metric("return", OF_RETURN, held_out),
    "steps_to_475_of_200k": Metric("environment steps", TO_THRESHOLD, lambda run: steps_to(run, SOLVED)),
    "ends_above_475": Metric("return", ["count"], lambda run: last_mean(run) if last_mean(run) >= SOLVED else None),
}
ONE_STEP = {
    "before": Metric("return", OF_RETURN, lambda run: only(run, "charts/return_before")),
    "after": Metric("return", OF_RETURN, lambda run: only(run, "charts/return_after")),
    "step_kl": Metric(MILLI, [IQM], lambda run: 1000 * float(run.metrics[KL][AT_UPDATE - 1])),
    "in_the_end": Metric("return", OF_RETURN, in_the_end),
    "end_entropy": Metric("nats", [IQM], lambda run: metric_mean(run, ENTROPY, last=10)),
    "dead": Metric("return", ["count"], lambda run: in_the_end(run) if in_the_end(run) < 30 else None),
}
STUDY = Study(
    description="PPO on CartPole-v1: as it is and without its clip for 200,000 steps, its other parts taken out or changed one "
    "by one for 100,000; one gradient step of update 30 made larger; one update followed over 30 epochs.",
    variants=VARIANTS,
    seams=SEAMS,
    metrics=TRAINING | WHOLE | ONE_STEP,
    every=2000,
    until=200_000,
    x="env_step",
    window=100,
    diagnosed=dict.fromkeys(("cartpole", "no_clip", "many_epochs", "patient"), SHOWN),
    updates_a_point=5,
)


def metrics_of(name: str) -> dict[str, Metric]:
    """What is told of a variant."""
    return ONE_STEP if name in STEPS else TRAINING | (WHOLE if name in LONG else {})


def up_to(curve: dict[str, Any], last: int) -> dict[str, Any]:
    """A curve of the claims file, cut where the runs end."""
    keep = sum(x <= last for x in curve["x"])
    per_seed = {"per_seed": [line[:keep] for line in curve["per_seed"]]} if "per_seed" in curve else {}
    return {**curve, **{key: curve[key][:keep] for key in ("x", "mean", "low", "high")}, **per_seed}


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs, and follow one update. Returns: the content of `claims/ppo.json`."""
    content = STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
    told = [f"{name}/{key}" for name in VARIANTS for key in metrics_of(name)]
    content["values"] = {key: content["values"][key] for key in told}
    budgets = {name: config.total_timesteps or 0 for name, config in VARIANTS.items()}
    content["curves"] = {
        name: up_to(curve, budgets[name.partition("/")[0]])
        for name, curve in content["curves"].items()
        if name not in STEPS
    }
    content["curves"] |= epoch_curves(content["seeds"])
    return content


# --- Section 2.5: one update looked at epoch by epoch, with the clip and without --------------------------------------

LOOKED_AT = 10  # the policy is on its way up then: its advantages are large, and there is something to lose
EPOCHS = 30
CLIPS = {"clip": 0.2, "no_clip": None}
QUANTITIES = ("kl", "clipfrac", "surrogate", "return")

Moment = tuple[nn.Module, nn.Module, torch.optim.Optimizer, torch.optim.Optimizer, Batch, ppo.PPOConfig]


def epoch_curves(seeds: list[int]) -> dict[str, Any]:
    """Curves of a claims file, "epochs/CLIP/QUANTITY": a value before the update and after each of its epochs."""
    measured = [measure_epochs(seed) for seed in seeds]
    epochs = np.arange(EPOCHS + 1)
    return {
        f"epochs/{name}": band(epochs, "epoch", np.array([each[name] for each in measured])) for name in measured[0]
    }


def measure_epochs(seed: int) -> dict[str, list[float]]:
    """ "CLIP/QUANTITY" -> [EPOCHS + 1] for one training run, both from the same weights, batch and order of rows."""
    moment = moment_of_training(seed)
    curves: dict[str, list[float]] = {}
    for name, clip_coef in CLIPS.items():
        with optim.seeded(seed):
            rows = follow_epochs(moment, clip_coef)
        for quantity, column in zip(QUANTITIES, zip(*rows, strict=True), strict=True):
            curves[f"{name}/{quantity}"] = list(column)
    return curves


def follow_epochs(moment: Moment, clip_coef: float | None) -> list[tuple[float, ...]]:
    """KL, clip fraction at 0.2, surrogate and return of a copy, before the update and after each epoch."""
    # One deepcopy for all, so that the copied optimisers hold the copied networks' parameters.
    policy, critic, policy_optimizer, critic_optimizer, batch, config = copy.deepcopy(moment)
    one_epoch = replace(config, update_epochs=1, clip_coef=clip_coef)
    rows = [look_at(policy, batch, config)]
    for _ in range(EPOCHS):
        ppo.update(policy, critic, policy_optimizer, critic_optimizer, batch, one_epoch)
        rows.append(look_at(policy, batch, config))
    return rows


def look_at(policy: nn.Module, batch: Batch, config: ppo.PPOConfig) -> tuple[float, ...]:
    """Quantities of the policy against the one that collected the batch."""
    with torch.no_grad():
        log_prob = policy(batch.obs).log_prob(batch.actions)
    surrogate = ((log_prob - batch.log_prob).exp() * normalize(batch.advantages)).mean()
    return (
        float(approx_kl(log_prob, batch.log_prob)),
        float(clip_fraction(log_prob, batch.log_prob, clip_coef=0.2)),
        float(surrogate),
        sampled_return(policy, config),
    )


def moment_of_training(seed: int, at_update: int = LOOKED_AT) -> Moment:
    """Networks, optimisers and batch of a training run as they are when update number `at_update` is due."""
    kept: list[Moment] = []
    updates = 0

    def keep(*arguments: Any, **functions: Callable[..., Any]) -> dict[str, Tensor | float]:
        nonlocal updates
        updates += 1
        if updates < at_update:
            return ppo.update(*arguments, **functions)
        kept.append(copy.deepcopy(arguments))  # type: ignore[arg-type]
        return {}

    ppo.train(
        replace(ppo.CARTPOLE, seed=seed),
        device="cpu",
        update_fn=keep,
        on_iteration=lambda progress: progress.iteration >= at_update,
    )
    return kept[0]
