"""Lesson 07, section 5.3: activations and the units that they switch off, initial weights, and dropout, in PPO's networks.

How ReLU, torch's own initial weights and a large last layer learn is measured in claims/sensitivity.json and claims/ppo.json;
here are the units that are off under ReLU, and the first update of the others.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from pgcourse import ppo
from pgcourse.study.seeds import Run

from .network_parts import (
    collect_still,
    counted,
    ddpg_policy,
    dropout_critic,
    dropout_policy,
    he_critic,
    he_policy,
    pendulum_dropout,
    watched,
    xavier_critic,
    xavier_policy,
)
from .pendulum import solved, steps_to_solved
from .ppo import (
    CLIPFRAC,
    COMPARED,
    ENTROPY,
    KL,
    MILLI,
    SHORT,
    default_critic,
    default_policy,
    large_last_layer,
    late_mean,
    steps_within,
)
from .runs import kept_runs
from .study import IQM, OF_RETURN, TO_THRESHOLD, Metric, Study, held_out, metric_mean, metric_values

FAST = 10  # times the policy's learning rate
LAST_UPDATES = 10

# One change each; a second one in "relu_fast".
CARTPOLE: dict[str, ppo.PPOConfig] = {
    "relu": replace(SHORT, activation="relu"),
    "relu_fast": replace(SHORT, activation="relu", policy_lr=SHORT.policy_lr * FAST),
    "leaky_relu": replace(SHORT, activation="leaky_relu"),
    "elu": replace(SHORT, activation="elu"),
    "hidden_xavier": SHORT,
    "hidden_he": SHORT,
    "dropout": SHORT,
    "dropout_still": SHORT,
    "dropout_critic": SHORT,
}
PENDULUM: dict[str, ppo.PPOConfig] = {
    "pendulum_relu": replace(ppo.PENDULUM, activation="relu"),
    "pendulum_dropout": ppo.PENDULUM,
}
VARIANTS = CARTPOLE | PENDULUM
COUNTED = ("relu", "relu_fast")
WATCHED = ("dropout", "dropout_still", "pendulum_dropout")
SEAMS: dict[str, dict[str, Any]] = {
    **{name: {"update_fn": counted} for name in COUNTED},
    "hidden_xavier": {"policy": xavier_policy, "critic": xavier_critic},
    "hidden_he": {"policy": he_policy, "critic": he_critic},
    "dropout": {"policy": dropout_policy, "update_fn": watched},
    "dropout_still": {"policy": dropout_policy, "update_fn": watched, "collect_fn": collect_still},
    "dropout_critic": {"critic": dropout_critic},
    "pendulum_dropout": {"policy": pendulum_dropout, "update_fn": watched},
}
# One update each, for what the first policy is like.
FIRST: dict[str, dict[str, Any]] = {
    "first": {},
    "first_large_last": {"policy": large_last_layer},
    "first_default": {"policy": default_policy, "critic": default_critic},
    "first_ddpg": {"policy": ddpg_policy},
    "first_xavier": {"policy": xavier_policy, "critic": xavier_critic},
    "first_he": {"policy": he_policy, "critic": he_critic},
}
BEFORE, BEFORE_CLIPPED = "charts/first_ratio_std", "charts/first_clipfrac"


def at_the_end(name: str) -> Callable[[Run], float]:
    """Mean of a metric over the last updates."""
    return lambda run: metric_mean(run, name, last=LAST_UPDATES)


LEARNING = {
    "late": Metric("return", OF_RETURN, late_mean),
    "held_out": Metric("return", OF_RETURN, held_out),
    "kl": Metric(MILLI, [IQM], lambda run: 1000 * metric_mean(run, KL)),
    "clipfrac": Metric("of the rows", [IQM], lambda run: metric_mean(run, CLIPFRAC)),
    "end_entropy": Metric("nats", [IQM], at_the_end(ENTROPY)),
}
ON_CARTPOLE = {"steps_to_475": Metric("environment steps", TO_THRESHOLD, steps_within)}
ON_PENDULUM = {
    "steps_to_solved": Metric("environment steps", TO_THRESHOLD, steps_to_solved),
    "solved": Metric("return", ["count"], solved),
}
UNITS = {
    f"{kind}_{network}": Metric("of the units", [IQM, "worst"], at_the_end(f"charts/{kind}_{network}"))
    for kind in ("off", "dead")
    for network in ("policy", "critic")
}
LIES = {
    "first_ratio_std": Metric("of the ratio", [IQM], lambda run: metric_mean(run, BEFORE)),
    "first_clipfrac": Metric("of the rows", [IQM], lambda run: metric_mean(run, BEFORE_CLIPPED)),
    "end_first_ratio_std": Metric("of the ratio", [IQM], at_the_end(BEFORE)),
    "end_first_clipfrac": Metric("of the rows", [IQM], at_the_end(BEFORE_CLIPPED)),
}
FIRST_METRICS = {
    "entropy": Metric("nats", [IQM], lambda run: float(run.metrics[ENTROPY][0])),
    "kl": Metric(MILLI, [IQM], lambda run: 1000 * float(run.metrics[KL][0])),
}
# What is told of each. ReLU's learning is told in claims/sensitivity.json.
TOLD: Sequence[tuple[Sequence[str], dict[str, Metric]]] = (
    ([name for name in VARIANTS if name != "relu"], LEARNING),
    ([name for name in CARTPOLE if name != "relu"], ON_CARTPOLE),
    (list(PENDULUM), ON_PENDULUM),
    (COUNTED, UNITS),
    (WATCHED, LIES),
)
STUDY = Study(
    description=f"PPO for {COMPARED:,} environment steps on CartPole-v1 and on Pendulum-v1 with other networks: activations, "
    "with the share of the units that are off; initial weights of the hidden layers and of the policy's last layer; dropout "
    "in policy or critic, with the ratio before an update's first step.",
    variants=VARIANTS,
    seams=SEAMS,
    metrics={},
    x="env_step",
    every=4096,
    until=98_304,
    window=50,
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/networks.json`."""
    content = STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
    runs = kept_runs(VARIANTS, content["seeds"], seams=SEAMS, num_workers=num_workers)
    for names, metrics in TOLD:
        for name in names:
            content["values"] |= {f"{name}/{key}": metric_values(metric, runs[name]) for key, metric in metrics.items()}
    one_update = replace(SHORT, total_timesteps=SHORT.batch_size)
    first = kept_runs(dict.fromkeys(FIRST, one_update), content["seeds"], seams=FIRST, num_workers=num_workers)
    for name, group in first.items():
        content["values"] |= {f"{name}/{key}": metric_values(metric, group) for key, metric in FIRST_METRICS.items()}
    return content
