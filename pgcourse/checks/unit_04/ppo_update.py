"""ppo_update(policy, critic, ..., generator): epochs of minibatch steps on one batch, with all of PPO's guards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, zip_longest
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor, nn

from pgcourse.checks.cases import generator, integers, normal
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe.networks import LinearCritic, LinearPolicy
from pgcourse.checks.observe.ppo_update import PpoUpdate
from pgcourse.checks.observe.record import Case
from pgcourse.checks.wording import value
from pgcourse.diagnostics import approx_kl, clip_fraction
from pgcourse.losses import ppo_clip_loss, value_loss
from pgcourse.rollout import Batch

SETTINGS: Case = {
    "clip_coef": 0.2, "ent_coef": 0.0, "update_epochs": 4, "target_kl": None, "max_grad_norm": 0.5, "learning_rate": 1.0,
    "critic_learning_rate": 0.1,
}  # fmt: skip
STOPPING_SEED = 21  # of a batch on which the plain KL estimate is negative while the policy moves away steadily


def cases(seed: int) -> Iterator[Case]:
    """Values with SGD where the shuffle cannot change them, facts about rows where it can."""
    yield by_hand()
    source = generator(seed)
    # Steps long enough to leave the interval, and gradients of both networks above max_grad_norm. A fixed batch: on
    # some the rows leave an interval of 0.1 and one of 0.2 alike, and clip_coef would not show.
    yield random_batch(generator(0), 12, ent_coef=0.1, max_grad_norm=0.25, learning_rate=6.0, clip_coef=0.1)
    yield random_batch(source, 9, dtype=torch.float64, ent_coef=0.3, max_grad_norm=50.0, update_epochs=3)
    yield stopping()
    # With an entropy bonus every row has a gradient, clipped or not.
    several: Case = {"minibatch_size": 3, "look_at": "rows", "ent_coef": 0.01, "update_epochs": 3}
    yield random_batch(source, 8, learning_rate=0.1, **several)
    yield random_batch(source, 8, learning_rate=3.0, max_grad_norm=5.0, target_kl=1e-4, **several)
    yield equal_rows(source)
    yield frozen(source, above=True)
    yield frozen(generator(2), above=False)
    yield equal_rows_that_move()
    yield random_batch(source, 6, max_grad_norm=5.0, target_kl=0.0)


def by_hand() -> Case:
    """The example of the docstring."""
    return {
        **SETTINGS, "update_epochs": 1, "minibatch_size": 2, "max_grad_norm": 10.0, "policy_weight": torch.zeros(2, 1),
        "policy_bias": torch.zeros(2), "critic_weight": torch.zeros(1), "critic_bias": torch.tensor(0.0),
        "obs": torch.tensor([[1.0], [2.0]]), "actions": torch.tensor([0, 1]), "log_prob": torch.full((2,), 0.5).log(),
        "advantages": torch.tensor([1.0, 3.0]), "returns": torch.tensor([1.0, 3.0]), "seed": 0, "look_at": "weights",
    }  # fmt: skip


def random_batch(source: Generator, size: int, *, dtype: torch.dtype = torch.float32, **changes: Any) -> Case:
    """A batch of random rows, by default in one minibatch."""
    weight, bias = 0.5 * normal(source, 3, 2, dtype=dtype), 0.5 * normal(source, 3, dtype=dtype)
    obs, actions = normal(source, size, 2, dtype=dtype), integers(source, 3, size)
    return {
        **SETTINGS,
        "minibatch_size": size,
        "policy_weight": weight,
        "policy_bias": bias,
        "critic_weight": normal(source, 2, dtype=dtype),
        "critic_bias": normal(source, 1, dtype=dtype)[0],
        "obs": obs,
        "actions": actions,
        "log_prob": log_prob_of(LinearPolicy(weight, bias), obs, actions),
        "advantages": normal(source, size, dtype=dtype) * 3 + 1,
        "returns": normal(source, size, dtype=dtype) * 2 + 4,
        "seed": int(integers(source, 2**31)),
        "look_at": "weights",
        **changes,
    }


@torch.no_grad()
def log_prob_of(policy: nn.Module, obs: Tensor, actions: Tensor) -> Tensor:
    """[B], of the policy as it is now."""
    log_prob: Tensor = policy(obs).log_prob(actions)
    return log_prob


def stopping() -> Case:
    """A target between the divergences after the second and after the third of six epochs."""
    changes: Case = {"update_epochs": 6, "learning_rate": 0.5, "max_grad_norm": 5.0, "clip_coef": 0.3}
    case = random_batch(generator(STOPPING_SEED), 12, **changes)
    after = [divergence(case, epochs) for epochs in (2, 3)]
    return {**case, "target_kl": float((after[0] * after[1]) ** 0.5)}


def divergence(case: Case, epochs: int) -> float:
    """KL estimate of the whole batch after so many epochs of a right update."""
    policy = LinearPolicy(case["policy_weight"], case["policy_bias"])
    critic = LinearCritic(case["critic_weight"], case["critic_bias"])
    optimizers = (
        torch.optim.SGD(policy.parameters(), lr=case["learning_rate"]),
        torch.optim.SGD(critic.parameters(), lr=case["critic_learning_rate"]),
    )
    batch = Batch(*(case[name] for name in Batch._fields))
    names = ("clip_coef", "ent_coef", "minibatch_size", "max_grad_norm")
    settings = {name: case[name] for name in names} | {"update_epochs": epochs, "target_kl": None}
    ppo_update(policy, critic, *optimizers, batch, **settings, generator=torch.Generator().manual_seed(0))
    return float(approx_kl(log_prob_of(policy, batch.obs, batch.actions), batch.log_prob))


def equal_rows(source: Generator, **changes: Any) -> Case:
    """Rows that differ in nothing but the advantage.

    Their scores are equal, so advantages of mean 0 cancel: normalised within each minibatch, they leave the policy
    where it is, whatever the shuffle.
    """
    case = random_batch(source, 8, minibatch_size=4, look_at="stillness", update_epochs=2, max_grad_norm=5.0)
    case |= {"policy_weight": torch.zeros(3, 2), "policy_bias": torch.zeros(3), **changes}
    obs, actions = case["obs"][:1].expand(8, -1).clone(), case["actions"][:1].expand(8).clone()
    advantages = 2.0 ** torch.arange(8)  # no four of them have the mean of all eight
    log_prob = log_prob_of(LinearPolicy(case["policy_weight"], case["policy_bias"]), obs, actions)
    return {**case, "obs": obs, "actions": actions, "log_prob": log_prob, "advantages": advantages}


def equal_rows_that_move() -> Case:
    """The entropy bonus alone moves the policy, and the same return in all rows the critic: for every shuffle alike.

    All ratios are equal and stay inside of the interval, so the KL estimate of a minibatch is that of the whole batch.
    """
    case = equal_rows(generator(0), policy_bias=torch.tensor([1.5, 0.0, -1.0]), look_at="weights and metrics")
    changes = {"ent_coef": 1.0, "clip_coef": 0.9, "learning_rate": 0.3, "max_grad_norm": 50.0}
    return {**case, **changes, "returns": torch.full((8,), 3.0)}


def frozen(source: Generator, *, above: bool) -> Case:
    """A policy that has moved already and stays put; one row carries most of the divergence.

    `above`: whether the target lies above the batch's divergence (all epochs run) or below (the first is the last).
    """
    case = random_batch(source, 12, minibatch_size=3, look_at="metrics", clip_coef=0.3, learning_rate=0.0)
    # As factors of the old probability: none on the interval's edge.
    ratio = torch.tensor([1.0, 1.1, 0.85, 1.5, 0.95, 1.2, 0.5, 1.05, 1.0, 0.9, 1.15, 8.0])
    log_prob = case["log_prob"] - ratio[torch.randperm(12, generator=source)].log()
    target = float(approx_kl(case["log_prob"], log_prob)) * (1.1 if above else 0.9)
    epochs = 2 if above else 4
    return {**case, "log_prob": log_prob, "critic_learning_rate": 0.0, "target_kl": target, "update_epochs": epochs}


def show(case: Case) -> str:
    """The call in short: settings, and the columns of a batch that is small enough."""
    settings = ("clip_coef", "ent_coef", "update_epochs", "minibatch_size", "target_kl", "max_grad_norm")
    listed = ", ".join(f"{name}={value(case[name])}" for name in settings)
    rates = "plain SGD" if case["learning_rate"] else "learning rates of 0, so that nothing moves"
    columns = ""
    if len(case["obs"]) <= 2:
        columns = ": " + ", ".join(f"{name} {value(case[name])}" for name in Batch._fields)
    same = bool((case["obs"] == case["obs"][0]).all())
    kind = "equal rows but for their advantages" if same else "rows"
    return f"ppo_update(..., {listed}) with {rates}, on a batch of {len(case['obs'])} {kind}{columns}"


Part = Callable[..., Any]
STEP = "clear backward clip step"  # what is done with a network, in this order


class Log(NamedTuple):
    """[KL estimate, clip fraction] of each minibatch in each epoch, and of the whole batch after it."""

    epochs: list[list[Tensor]]
    wholes: list[Tensor]

    @property
    def last(self) -> Tensor:
        """Of the last minibatch."""
        return self.epochs[-1][-1]

    @property
    def mean(self) -> Tensor:
        """Over all minibatches."""
        return mean_of(chain(*self.epochs))


def mean_of(numbers: Iterable[Tensor]) -> Tensor:
    """The mean over minibatches or epochs."""
    return torch.stack([*numbers]).mean(0)


def shuffled(size: int, part: int, source: Generator, epoch: int) -> Iterable[Tensor]:
    """Right: a new permutation in each epoch."""
    return torch.randperm(size, generator=source).split(part)


def own_rows(batch: Batch, rows: Tensor) -> Batch:
    """Right: the same rows of every column."""
    return Batch(*(column[rows] for column in batch))


def standardize(x: Tensor, correction: int) -> Tensor:
    """Right: mean 0, standard deviation 1, biased or not."""
    return (x - x.mean()) / (x.std(correction=correction) + 1e-8)


def clip_own(network: nn.Module, both: list[nn.Parameter], limit: float) -> None:
    """Right: each network by its own norm."""
    nn.utils.clip_grad_norm_(network.parameters(), limit)


def exceeds(kl: Tensor, target: float | None) -> bool:
    """Right: None is no limit."""
    return target is not None and bool(kl > target)


def update_with(
    correction: int = 0,
    *,
    epochs_of: Part = lambda planned: planned,
    rows_of: Part = shuffled,
    take: Part = own_rows,
    scale: Part = standardize,
    over: str = "the minibatch",
    loss: Part = ppo_clip_loss,
    bonus: Part = lambda entropy: entropy.mean(),
    value_scale: float = 1.0,
    renews: str = "never",
    stops_by_renewed: bool = False,
    compares: Part = lambda new, old: (new, old),
    does: tuple[str, str] = (STEP, STEP),
    begins: tuple[str, str] = ("", ""),
    ends: tuple[str, str] = ("", ""),
    ends_on: Part = lambda part, batch: part,
    clip: Part = clip_own,
    measured_late: bool = False,
    asks: str = "each epoch",
    leaves: str = "both loops",
    gauge: Part = lambda log: log.wholes[-1][0],
    stops: Part = exceeds,
    reports: Part = lambda log: log.mean,
    counts: Part = lambda planned, done: done,
) -> Callable[..., dict[str, float]]:
    """The right update with some of its parts exchanged.

    Args: over: of what the advantages are normalised. renews: when the old log-probabilities are replaced by those of the
    policy as it is. compares: what the gauges are given. does, begins, ends: what is done with policy and critic for each
    minibatch, at the beginning and at the end of an epoch (there with the losses of `ends_on`). asks: when `stops` is asked
    about `gauge`, and leaves: what then ends. reports: the log as metrics. counts: planned and done epochs as one number.
    """

    def update(
        policy: nn.Module, critic: nn.Module, policy_optimizer: Any, critic_optimizer: Any, batch: Batch, *,
        clip_coef: float, ent_coef: float, update_epochs: int, minibatch_size: int, target_kl: float | None,
        max_grad_norm: float, generator: Generator,
    ) -> dict[str, float]:  # fmt: skip
        networks = ((policy, policy_optimizer), (critic, critic_optimizer))
        parameters = [*policy.parameters(), *critic.parameters()]

        def act(orders: tuple[str, str], part: Batch) -> None:
            if not any(orders):
                return
            distribution = policy(part.obs)
            advantages = scale(part.advantages, correction) if over == "the minibatch" else part.advantages
            objective = loss(distribution.log_prob(part.actions), part.log_prob, advantages, clip_coef=clip_coef)
            losses = (
                objective - ent_coef * bonus(distribution.entropy()),
                value_scale * value_loss(critic(part.obs), part.returns),
            )
            for actions in zip_longest(*(order.split() for order in orders)):
                for action, (network, optimizer), minimised in zip(actions, networks, losses, strict=True):
                    if action == "clear":
                        optimizer.zero_grad()
                    elif action == "backward":
                        minimised.backward()
                    elif action == "clip":
                        clip(network, parameters, max_grad_norm)
                    elif action == "step":
                        optimizer.step()

        def measure(part: Batch) -> Tensor:
            new, old = compares(log_prob_of(policy, part.obs, part.actions), part.log_prob)
            return torch.stack([approx_kl(new, old), clip_fraction(new, old, clip_coef=clip_coef)])

        def renewed(part: Batch) -> Batch:
            return part._replace(log_prob=log_prob_of(policy, part.obs, part.actions))

        log, collected = Log([], []), batch
        if over == "the batch":
            batch = batch._replace(advantages=scale(batch.advantages, correction))
        for epoch in range(epochs_of(update_epochs)):
            if renews == "each epoch" or (renews == "at the start" and epoch == 0):
                batch = renewed(batch)
            act(begins, batch)
            log.epochs.append([])
            stopped = False
            for rows in rows_of(len(batch.obs), minibatch_size, generator, epoch):
                part = take(batch, rows)
                if renews == "each minibatch":
                    part = renewed(part)
                log.epochs[-1].append(measure(part))
                if asks == "each minibatch" and stops(gauge(log), target_kl):
                    stopped = leaves == "both loops"
                    break
                act(does, part)
                if measured_late:
                    log.epochs[-1][-1] = measure(part)
                if asks == "each step":
                    log.wholes.append(measure(batch))
                    if stops(gauge(log), target_kl):
                        stopped = leaves == "both loops"
                        break
            act(ends, ends_on(part, batch))
            log.wholes.append(measure(batch if stops_by_renewed else collected))
            if stopped or (asks == "each epoch" and stops(gauge(log), target_kl)):
                break
        kl, fraction = reports(log).tolist()
        epochs = counts(update_epochs, len(log.epochs))
        return {"losses/approx_kl": kl, "losses/clipfrac": fraction, "epochs": epochs}

    return update


ppo_update = update_with()


def mistake(id: str, explanation: str, *others: dict[str, Any], **changes: Any) -> Misconception:
    """A misconception from the changed parts, for either standard deviation; `others` are further spellings."""
    wrong, *variants = (update_with(correction, **parts) for parts in (changes, *others) for correction in (0, 1))
    return Misconception(id, explanation, wrong, tuple(variants))


def unlike(*names: str) -> dict[str, Part]:
    """These columns are taken from the first rows of the batch, the others from the shuffled ones."""
    return {
        "take": lambda batch, rows: own_rows(batch, rows)._replace(
            **{name: getattr(batch, name)[: len(rows)] for name in names}
        )
    }


def swapped(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
    """The clipped loss with its first two arguments exchanged, and nothing detached."""
    ratio = (old_log_prob - log_prob).exp()
    return -torch.minimum(ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages).mean()


EXERCISE = Exercise.listed(
    "ppo_update",
    cases=cases,
    observe=PpoUpdate(),
    show_case=show,
    reference=ppo_update,
    # The other standard deviation; metrics of the whole batch, after the last epoch or the mean over the epochs.
    also_correct=(
        update_with(1),
        update_with(reports=lambda log: log.wholes[-1]),
        update_with(reports=lambda log: mean_of(log.wholes)),
    ),
    hints=(
        "Two loops: epochs outside, minibatches inside. What belongs into the inner one (everything that takes a step), "
        "and what is asked only once an epoch? Draw new minibatches for each epoch.",
        "Inside: take the same rows of all five columns, normalise these advantages, compute log_prob anew and use the "
        "batch's own log_prob as the old one. Policy: loss minus ent_coef times the mean entropy; zero_grad, backward, "
        "clip_grad_norm_ of policy.parameters(), step. Critic: the same with its own loss, parameters and optimizer. After "
        "the inner loop: log_prob of the whole batch under no_grad, its approx_kl, and break if it exceeds target_kl.",
        "for _ in range(update_epochs): for rows in minibatches(len(batch.obs), minibatch_size, generator=generator): obs, "
        "actions, old, advantages, returns = (column[rows] for column in batch); ... two steps ...; kl.append(...). Then "
        "epochs += 1; with torch.no_grad(): new = policy(batch.obs).log_prob(batch.actions); if target_kl is not None and "
        "approx_kl(new, batch.log_prob) > target_kl: break. Return the means of the lists, and epochs, in a dict.",
    ),
    misconceptions=(
        mistake(
            "one-epoch",
            "You went through the batch once. PPO uses each batch update_epochs times: that is what ratio and clip are for.",
            epochs_of=lambda planned: 1,
        ),
        mistake(
            "one-step-an-epoch",
            "A network took one step an epoch: on the whole batch, on the last minibatch, or with the gradients of all added up. "
            "Each minibatch gets a step of its own: clear, backward, clip and step belong into the inner loop, of both networks.",
            {"rows_of": lambda size, part, source, epoch: [torch.arange(size)]},
            {"does": ("backward", "backward"), "ends": ("clip step clear", "clip step clear")},
            {"does": (STEP, ""), "ends": ("", STEP)},
            {"does": (STEP, ""), "ends": ("", STEP), "ends_on": lambda part, batch: batch},
            rows_of=lambda size, part, source, epoch: shuffled(size, size, source, epoch),
        ),
        mistake(
            "last-minibatch-dropped",
            "You left out the last minibatch because it is shorter. Its rows were collected at the same price as all the "
            "rest; every epoch uses every row once.",
            rows_of=lambda size, part, *others: [rows for rows in shuffled(size, part, *others) if len(rows) == part],
        ),
        mistake(
            "with-replacement",
            "Some rows come several times in an epoch and others never. Draw one permutation an epoch and cut it into "
            "minibatches.",
            {
                "rows_of": lambda size, part, source, epoch: [
                    torch.randperm(size, generator=source)[: min(part, size - start)] for start in range(0, size, part)
                ]
            },
            rows_of=lambda size, part, source, epoch: torch.randint(size, (size,), generator=source).split(part),
        ),
        mistake(
            "one-permutation-for-all-epochs",
            "Every epoch has the same minibatches. Draw a new permutation inside of the loop over epochs; with always the "
            "same neighbours, an odd minibatch pulls the same odd way each time.",
            rows_of=lambda size, part, source, epoch: shuffled(
                size, part, source.manual_seed(source.initial_seed()), epoch
            ),
        ),
        mistake(
            "generator-not-used",
            "The minibatches do not come from the generator that was handed in, but from the global random numbers. The same "
            "seed then gives another run, and nobody can repeat yours.",
            rows_of=lambda size, part, source, epoch: torch.randperm(size).split(part),
        ),
        mistake(
            "columns-mixed-up",
            "You shuffled some columns of the batch and not the others, so advantages, returns or old log-probabilities are "
            "those of other rows. Index all five with the same rows.",
            unlike("returns"),
            unlike("log_prob"),
            unlike("advantages", "returns"),
            unlike("log_prob", "advantages", "returns"),
            **unlike("advantages"),
        ),
        mistake(
            "gradients-not-cleared",
            "The first step is right and a later one is not: the old gradient is still there, and backward adds to it. Clear "
            "the gradients of both networks before each step.",
            {"does": (STEP, "backward clip step")},
            {"does": ("backward clip step", STEP)},
            {"does": ("backward clip step", "backward clip step"), "begins": ("clear", "clear")},
            does=("backward clip step", "backward clip step"),
        ),
        mistake(
            "gradient-cleared-before-the-step",
            "One of your networks steps without moving: its gradient was cleared after backward, or backward was never called "
            "for it. The order is zero_grad, backward, clip, step, for each network.",
            {"does": (STEP, "backward clear clip step")},
            {"does": ("clear clip step", "clear clip step")},
            {"does": ("backward clear clip step", "backward clear clip step")},
            does=("backward clear clip step", STEP),
        ),
        mistake(
            "network-never-steps",
            "One of the networks stays as it is: its optimizer takes no step. Each network has its own optimizer here, and both "
            "need zero_grad, backward and step.",
            {"does": ("clear backward clip", STEP)},
            does=(STEP, "clear backward clip"),
        ),
        mistake(
            "not-normalised",
            "You used the advantages as they are. The step's size then follows the reward's scale, and where most advantages "
            "of a minibatch have one sign, all its actions are pushed the same way.",
            scale=lambda advantages, correction: advantages,
        ),
        mistake(
            "half-normalised",
            "You only subtracted the mean advantage of the minibatch, or only divided by the standard deviation. Normalised "
            "means both, so that the advantages have mean 0 and standard deviation 1.",
            {"scale": lambda advantages, correction: advantages / (advantages.std(correction=correction) + 1e-8)},
            scale=lambda advantages, correction: advantages - advantages.mean(),
        ),
        mistake(
            "normalised-over-the-batch",
            "You normalised the advantages once over the whole batch. Others do, too, and it learns as well; this contract "
            "normalises within each minibatch, so that every step sees mean 0 and standard deviation 1.",
            over="the batch",
        ),
        mistake(
            "returns-for-advantages",
            "You used the returns where the advantages belong, or the reverse. The critic is fitted to the returns; whether an "
            "action was better than expected, which is what the policy's step needs, is in the advantages.",
            {"take": lambda batch, rows: own_rows(batch._replace(returns=batch.advantages), rows)},
            take=lambda batch, rows: own_rows(batch._replace(advantages=batch.returns), rows),
        ),
        mistake(
            "old-log-prob-recomputed",
            "You computed the old log-probabilities yourself: at the start of the update, or anew for each epoch or minibatch. "
            "They stand in the batch, are of the policy that collected the data, and stay as they are. Renewed, the ratio starts "
            "from 1 again, and the clip does not see how far the policy has gone already.",
            {"renews": "each epoch"},
            {"renews": "each epoch", "stops_by_renewed": True},
            {"renews": "at the start"},
            renews="each minibatch",
        ),
        mistake(
            "log-probs-swapped",
            "You handed log_prob and old_log_prob over in the wrong order, to the loss or to the gauges. The policy of now comes "
            "first, the one that acted second: swapped, the ratio stands upside down.",
            {"loss": swapped, "compares": lambda new, old: (old, new)},
            {"compares": lambda new, old: (old, new)},
            loss=swapped,
        ),
        mistake(
            "entropy-bonus-reversed",
            "Your loss goes up with the entropy, so the policy is punished for trying things. A bonus is subtracted from a loss.",
            bonus=lambda entropy: -entropy.mean(),
        ),
        mistake(
            "entropy-bonus-of-another-size",
            "The entropy bonus is missing or has another size. It is ent_coef times the mean entropy of the minibatch, and "
            "belongs to the policy's loss; summed over the rows, it would drown the rest.",
            {"bonus": torch.sum},
            bonus=lambda entropy: 0 * entropy.mean(),
        ),
        mistake(
            "value-loss-scaled",
            "The policy is right, but the critic's step is not: its loss is half the mean squared error, with no further "
            "coefficient. One that multiplies both losses belongs where both share one optimizer.",
            {"value_scale": 0.5},
            value_scale=2.0,
        ),
        mistake(
            "clipped-together",
            "You clipped the gradients of both networks by one common norm. The critic's gradient is by far the larger, so "
            "the policy's is cut down with it. Clip each network by its own norm.",
            clip=lambda network, both, limit: nn.utils.clip_grad_norm_(both, limit),
        ),
        mistake(
            "gradients-not-clipped",
            "The gradients are not clipped, or not when it counts: backward first, then clip, then the step.",
            {"does": (STEP, "clear backward step")},
            {"does": ("clear backward step", STEP)},
            does=("clear backward step", "clear backward step"),
        ),
        mistake(
            "clipped-by-value",
            "You clipped each entry of the gradient by itself, which bends its direction. clip_grad_norm_ shortens the whole "
            "vector and keeps the direction.",
            clip=lambda network, both, limit: nn.utils.clip_grad_value_(network.parameters(), limit),
        ),
        mistake(
            "target-kl-ignored",
            "Your update never stops early: target_kl changes nothing. After each epoch, compare the divergence over the "
            "whole batch with it.",
            stops=lambda kl, target: False,
        ),
        mistake(
            "zero-taken-for-none",
            "A target_kl of 0 never stops your update. `if target_kl` is false for 0.0 as it is for None; 0.0 is a limit as good "
            "as any. Ask for target_kl is not None.",
            stops=lambda kl, target: bool(target and kl > target),
        ),
        mistake(
            "compared-with-none",
            "target_kl may be None, for never stopping early, and a number cannot be compared with None. Ask for that first: "
            "if target_kl is not None and ... > target_kl.",
            {"stops": lambda kl, target: bool(kl > target)},
            stops=lambda kl, target: float(kl) > target,
        ),
        mistake(
            "target-multiplied",
            "You stop at a multiple of target_kl, 1.5 times it in several libraries. This contract ends the update where the "
            "divergence exceeds target_kl itself.",
            stops=lambda kl, target: target is not None and kl > 1.5 * target,
        ),
        mistake(
            "stops-one-epoch-late",
            "You stopped by what was measured inside the loop over minibatches: the divergence of the last one, or their mean. "
            "Each is of a few rows, and of the policy before a step. After the epoch, measure once on the whole batch, with the "
            "policy as it is then.",
            {"gauge": lambda log: mean_of(log.epochs[-1])[0]},
            {"gauge": lambda log: log.mean[0]},
            gauge=lambda log: log.last[0],
        ),
        mistake(
            "stops-inside-an-epoch",
            "You left the loop over minibatches in the middle of an epoch. The contract asks once an epoch, on the whole batch, "
            "so that every row is used equally often. And a break there leaves the inner loop alone.",
            {"asks": "each step"},
            {"asks": "each step", "leaves": "the inner loop"},
            {"asks": "each minibatch", "gauge": lambda log: log.last[0], "leaves": "the inner loop"},
            {"asks": "each step", "gauge": lambda log: log.last[0]},
            {"asks": "each step", "gauge": lambda log: log.last[0], "leaves": "the inner loop"},
            asks="each minibatch",
            gauge=lambda log: log.last[0],
        ),
        mistake(
            "last-minibatch-reported",
            "Your networks are right, but you report the numbers of the last minibatch or of the last epoch only. They jump from "
            "update to update; return the mean over the update.",
            {"reports": lambda log: mean_of(log.epochs[-1])},
            reports=lambda log: log.last,
        ),
        mistake(
            "measured-after-the-step",
            "Your networks are right, but you measured each minibatch after its step. The contract asks for the log_prob of its "
            "loss, which you have at hand: what is reported belongs to what was trained on.",
            measured_late=True,
        ),
        mistake(
            "epochs-miscounted",
            "You report another number of epochs than were done: those that were planned, or one too few, because the count "
            "begins with 0 or comes after the break. A log has to show how often the update stops early.",
            {"counts": lambda planned, done: done - 1},
            {"counts": lambda planned, done: done - (done < planned)},
            counts=lambda planned, done: planned,
        ),
    ),
)
