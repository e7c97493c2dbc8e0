"""ppo_update(policy, critic, ..., generator): epochs of minibatch steps on one batch, with all of PPO's guards."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import torch
from torch import Generator, Tensor, nn

from pgcourse.checks.authoring import Case, Exercise, Misconception, generator, integers, normal, rewritten
from pgcourse.checks.observe.networks import LinearPolicy, kind_of_sgd
from pgcourse.checks.observe.ppo_update import PpoUpdate
from pgcourse.checks.rewritten import Edits
from pgcourse.checks.unit_04.minibatches import minibatches
from pgcourse.checks.wording import value
from pgcourse.diagnostics import approx_kl, clip_fraction
from pgcourse.losses import ppo_clip_loss, value_loss
from pgcourse.returns import normalize
from pgcourse.rollout import Batch


def ppo_update(
    policy: nn.Module,
    critic: nn.Module,
    policy_optimizer: torch.optim.Optimizer,
    critic_optimizer: torch.optim.Optimizer,
    batch: Batch,
    *,
    clip_coef: float,
    ent_coef: float,
    update_epochs: int,
    minibatch_size: int,
    target_kl: float | None,
    max_grad_norm: float,
    generator: torch.Generator,
) -> dict[str, float]:
    """Epochs of minibatch steps, ended after an epoch that has moved the policy by more than target_kl."""
    kl, fraction, epochs = [], [], 0
    for _ in range(update_epochs):
        for rows in minibatches(len(batch.obs), minibatch_size, generator=generator):
            obs, actions, old_log_prob, advantages, returns = (column[rows] for column in batch)
            distribution = policy(obs)
            log_prob = distribution.log_prob(actions)
            loss = ppo_clip_loss(log_prob, old_log_prob, normalize(advantages), clip_coef=clip_coef)
            loss = loss - ent_coef * distribution.entropy().mean()
            policy_optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
            policy_optimizer.step()

            critic_optimizer.zero_grad()
            value_loss(critic(obs), returns).backward()
            nn.utils.clip_grad_norm_(critic.parameters(), max_grad_norm)
            critic_optimizer.step()

            kl.append(float(approx_kl(log_prob, old_log_prob)))
            fraction.append(float(clip_fraction(log_prob, old_log_prob, clip_coef=clip_coef)))
        epochs += 1
        with torch.no_grad():
            log_prob = policy(batch.obs).log_prob(batch.actions)
        if target_kl is not None and approx_kl(log_prob, batch.log_prob) > target_kl:
            break
    return {"losses/approx_kl": sum(kl) / len(kl), "losses/clipfrac": sum(fraction) / len(fraction), "epochs": epochs}


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
    # One minibatch an epoch: the shuffle cannot change the metrics, though the rows move out of the interval.
    changes: Case = {"max_grad_norm": 0.25, "learning_rate": 6.0, "clip_coef": 0.1, "look_at": "weights and metrics"}
    yield random_batch(generator(0), 12, ent_coef=0.1, **changes)
    random_batch(
        source, 9, dtype=torch.float64
    )  # drawn and left: the cases below are those that the mistakes are known on
    other = generator(seed + 1000)
    yield {**outlying(other, momentum=0.9), **layers(other)}
    yield stopping()
    # With an entropy bonus every row has a gradient, clipped or not.
    several: Case = {"minibatch_size": 3, "look_at": "rows", "ent_coef": 0.01, "update_epochs": 3}
    random_batch(source, 8)  # as above
    yield random_batch(generator(seed + 2000), 32, learning_rate=0.1, **{**several, "minibatch_size": 9})
    yield random_batch(source, 8, learning_rate=3.0, max_grad_norm=5.0, target_kl=1e-4, **several)
    yield equal_rows(source)
    # The bonus: a minibatch of clipped rows alone has a gradient, too, by whose norm a learner may divide.
    yield {**frozen(source, above=True), "ent_coef": 0.01}
    yield frozen(generator(2), above=False)
    yield frozen(generator(4), above=False)  # here the last minibatch is without that row
    yield equal_rows_that_move(0.3)
    # The divergence is 0 to the last bit, and 0 does not exceed 0.
    yield {**by_hand(), "target_kl": 0.0, "update_epochs": 2, "learning_rate": 0.0}
    groups: Case = {"max_grad_norm": 0.5, "momentum": 0.9, "look_at": "weights and metrics"}
    alike = random_batch(source, 6, target_kl=0.0, **groups)
    yield {**alike, "advantages": 0.1 * alike["advantages"]}
    # What only fixed batches have shown so far.
    yield random_batch(source, 12, ent_coef=0.1, **changes)
    yield {**frozen(source, above=False), "ent_coef": 0.01}
    yield equal_rows_that_move(0.2 + 0.1 * float(torch.rand(1, generator=source)))
    unmoved = {"target_kl": 0.0, "update_epochs": 2, "learning_rate": 0.0}
    yield {**by_hand(), **unmoved, "obs": normal(source, 2, 1), "returns": normal(source, 2)}


def by_hand() -> Case:
    """The example of the docstring."""
    return {
        **SETTINGS, "update_epochs": 1, "minibatch_size": 2, "max_grad_norm": 10.0, "policy_weight": torch.zeros(2, 1),
        "policy_bias": torch.zeros(2), "critic_weight": torch.zeros(1), "critic_bias": torch.tensor(0.0),
        "obs": torch.tensor([[1.0], [2.0]]), "actions": torch.tensor([0, 1]), "log_prob": torch.full((2,), 0.5).log(),
        "advantages": torch.tensor([1.0, 3.0]), "returns": torch.tensor([1.0, 3.0]), "seed": 0,
        "judge_seed": 0, "look_at": "weights",
    }  # fmt: skip


def random_batch(source: Generator, size: int, *, dtype: torch.dtype = torch.float32, **changes: Any) -> Case:
    """A batch of random rows, by default in one minibatch."""
    weight, bias = 0.5 * normal(source, 3, 2, dtype=dtype), 0.5 * normal(source, 3, dtype=dtype)
    obs, actions = normal(source, size, 2, dtype=dtype), integers(source, 3, size)
    return {
        **SETTINGS, "minibatch_size": size, "policy_weight": weight, "policy_bias": bias,
        "critic_weight": normal(source, 2, dtype=dtype), "critic_bias": normal(source, 1, dtype=dtype)[0],
        "obs": obs, "actions": actions, "log_prob": log_prob_of(LinearPolicy(weight, bias), obs, actions),
        "advantages": normal(source, size, dtype=dtype) * 3 + 1, "returns": normal(source, size, dtype=dtype) * 2 + 4,
        "seed": int(integers(source, 2**31)), "judge_seed": int(integers(source, 2**31)), "look_at": "weights", **changes,
    }  # fmt: skip


def outlying(source: Generator, *, momentum: float) -> Case:
    """Of 60 rows one has an advantage 7 standard deviations from the mean, and the critic is far from all returns."""
    changes: Case = {"max_grad_norm": 50.0, "learning_rate": 0.3, "update_epochs": 3, "momentum": momentum}
    case = random_batch(source, 60, dtype=torch.float64, ent_coef=0.3, look_at="weights and metrics", **changes)
    case["advantages"][int(integers(source, 60))] += 200 * (1 - 2 * int(integers(source, 2)))
    return {**case, "returns": case["returns"] + 200 + 100 * torch.rand(1, generator=source)}


def layers(source: Generator) -> Case:
    """Another policy and another critic on two numbers, both with a hidden layer."""
    weights: Case = {}
    for name, rows in (("policy", [3]), ("critic", [])):
        weights[f"{name}_hidden"] = normal(source, 4, 2, dtype=torch.float64)
        weights[f"{name}_weight"] = 0.5 * normal(source, *rows, 4, dtype=torch.float64)
    return weights


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
    arrays = PpoUpdate()(ppo_update, {**case, "update_epochs": epochs})
    parameters = (torch.from_numpy(arrays[f"the policy's {name} after the update"]) for name in ("weight", "bias"))
    return float(approx_kl(log_prob_of(LinearPolicy(*parameters), case["obs"], case["actions"]), case["log_prob"]))


def equal_rows(source: Generator, **changes: Any) -> Case:
    """Rows that differ in nothing but the advantage.

    Their scores are equal, so advantages of mean 0 cancel: normalised within each minibatch, they leave the policy
    where it is, whatever the shuffle. Where that is looked at, the old log-probabilities differ too, by some 1e-5: they
    keep the gradient's norm, by which a learner's own clipping may divide, from being exactly 0.
    """
    case = random_batch(source, 8, minibatch_size=4, look_at="stillness", update_epochs=2, max_grad_norm=5.0)
    case |= {"policy_weight": torch.zeros(3, 2), "policy_bias": torch.zeros(3), **changes}
    obs, actions = case["obs"][:1].expand(8, -1).clone(), case["actions"][:1].expand(8).clone()
    advantages = 2.0 ** torch.arange(8)  # no four of them have the mean of all eight
    log_prob = log_prob_of(LinearPolicy(case["policy_weight"], case["policy_bias"]), obs, actions)
    if case["look_at"] == "stillness":
        log_prob = log_prob + 1e-5 * torch.arange(8).sqrt()
    return {**case, "obs": obs, "actions": actions, "log_prob": log_prob, "advantages": advantages}


def equal_rows_that_move(learning_rate: float) -> Case:
    """The entropy bonus alone moves the policy, and the same return in all rows the critic: for every shuffle alike.

    All ratios are equal and stay inside of the interval, so the KL estimate of a minibatch is that of the whole batch.
    """
    case = equal_rows(generator(0), policy_bias=torch.tensor([1.5, 0.0, -1.0]), look_at="weights and metrics")
    changes = {"ent_coef": 1.0, "clip_coef": 0.9, "learning_rate": learning_rate, "max_grad_norm": 50.0}
    return {**case, **changes, "returns": torch.full((8,), 3.0)}


def frozen(source: Generator, *, above: bool) -> Case:
    """A policy that has moved already and stays put; one row carries most of the divergence.

    `above`: whether the target lies above the batch's divergence (all epochs run) or below (the first is the last).
    """
    case = random_batch(source, 12, minibatch_size=3, look_at="metrics", clip_coef=0.3, learning_rate=0.0)
    # As factors of the old probability, 4 outside: none on the interval's edge. Of the logarithms only 2 are, of 1 / ratio 3.
    ratio = torch.tensor([1.0, 1.1, 0.85, 1.33, 0.95, 1.33, 0.5, 1.05, 1.0, 0.75, 1.15, 8.0])
    log_prob = case["log_prob"] - ratio[torch.randperm(12, generator=source)].log()
    target = float(approx_kl(case["log_prob"], log_prob)) * (1.1 if above else 0.9)
    epochs = 2 if above else 4
    return {**case, "log_prob": log_prob, "critic_learning_rate": 0.0, "target_kl": target, "update_epochs": epochs}


def show(case: Case) -> str:
    """The call in short: settings, and the columns of a batch that is small enough."""
    settings = ("clip_coef", "ent_coef", "update_epochs", "minibatch_size", "target_kl", "max_grad_norm")
    listed = ", ".join(f"{name}={value(case[name])}" for name in settings)
    rates = kind_of_sgd(case) if case["learning_rate"] else "learning rates of 0, so that nothing moves"
    columns = ""
    if len(case["obs"]) <= 2:
        columns = ": " + ", ".join(f"{name} {value(case[name])}" for name in Batch._fields)
    same = bool((case["obs"] == case["obs"][0]).all())
    kind = "rows of one observation and one action" if same else "rows"
    return f"ppo_update(..., {listed}) with {rates}, on a batch of {len(case['obs'])} {kind}{columns}"


def unbiased(x: Tensor) -> Tensor:
    """Mean 0 and standard deviation 1, with the other standard deviation."""
    return (x - x.mean()) / (x.std() + 1e-8)


def both(edits: Edits) -> tuple[Callable[..., Any], ...]:
    """The update with these edits, for either standard deviation."""
    return tuple(rewritten(ppo_update, edits, normalize=kind) for kind in (normalize, unbiased))


def mistake(id: str, explanation: str, *spellings: Edits) -> Misconception:
    """A misconception from edits of the right update."""
    wrong, *variants = chain.from_iterable(map(both, spellings))
    return Misconception(id, explanation, wrong, tuple(variants))


def objectives(log_ratio: Tensor, advantages: Tensor, clip_coef: float) -> tuple[Tensor, Tensor]:
    """rho A and clip(rho) A, [B] each."""
    ratio = log_ratio.exp()
    return ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages


def cleared_after(*networks: str) -> Edits:
    """Edits: gradients are cleared behind the step, and not before backward."""
    edits: dict[str, str] = {}
    for each in networks:
        step = f"{each}_optimizer.step()"
        edits |= {f"{each}_optimizer.zero_grad()": "", step: f"{step}; {each}.zero_grad()"}
    return edits


NOW = "log_prob_of(policy, batch.obs, batch.actions)"
LOSS = "ppo_clip_loss(log_prob, old_log_prob, normalize(advantages), clip_coef=clip_coef)"
OBJECTIVES = "objectives(log_prob - old_log_prob, normalize(advantages), clip_coef)"
NOT_CLEARED = {"policy_optimizer.zero_grad()": "", "critic_optimizer.zero_grad()": ""}
LOG = """            kl.append(float(approx_kl(log_prob, old_log_prob)))
            fraction.append(float(clip_fraction(log_prob, old_log_prob, clip_coef=clip_coef)))
"""
LOG_EACH_EPOCH = {LOG: f"        log_prob, old_log_prob = {NOW}, batch.log_prob\n{LOG.replace(' ' * 12, ' ' * 8)}"}

EXERCISE = Exercise.listed(
    "ppo_update",
    cases=cases,
    observe=PpoUpdate(),
    show_case=show,
    reference=ppo_update,
    # The other standard deviation; metrics of the whole batch, the mean over the epochs or after the last.
    also_correct=(
        both({})[1],
        *both(LOG_EACH_EPOCH),
        *both(LOG_EACH_EPOCH | {"for rows": "kl, fraction = [], []\n        for rows"}),
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
            "one-step-an-epoch",
            "A network took one step an epoch: on the whole batch, on the last minibatch, or with the gradients of all added up. "
            "Each minibatch gets a step of its own: clear, backward, clip and step belong into the inner loop, of both networks.",
            {"minibatch_size, generator=": "len(batch.obs), generator="},
            {"critic_optimizer.step()": "", "epochs += 1": "epochs += 1; critic_optimizer.step()"},
            {
                "critic_optimizer.step()": "",
                "critic(obs), returns": "critic(batch.obs), batch.returns",
                "epochs += 1": "epochs += 1; critic_optimizer.step()",
            },
            NOT_CLEARED
            | {
                "policy_optimizer.step()": "",
                "critic_optimizer.step()": "",
                "epochs += 1": "epochs += 1; policy_optimizer.step(); policy.zero_grad(); "
                "critic_optimizer.step(); critic.zero_grad()",
            },
        ),
        mistake(
            "one-permutation-for-all-epochs",
            "Every epoch has the same minibatches. Draw a new permutation inside of the loop over epochs; with always the "
            "same neighbours, an odd minibatch pulls the same odd way each time.",
            {"=generator)": "=generator.manual_seed(generator.initial_seed()))"},
        ),
        mistake(
            "columns-mixed-up",
            "You shuffled some columns of the batch and not the others. Index all five with the same rows.",
            {"in batch)": "in batch); advantages = batch.advantages[: len(rows)]"},
            {"in batch)": "in batch); returns = batch.returns[: len(rows)]"},
            {"in batch)": "in batch); old_log_prob = batch.log_prob[: len(rows)]"},
            {"in batch)": "in batch); _, _, _, advantages, returns = (x[: len(rows)] for x in batch)"},
            {"in batch)": "in batch); _, _, old_log_prob, advantages, returns = (x[: len(rows)] for x in batch)"},
        ),
        mistake(
            "gradients-not-cleared",
            "An old gradient is still there, and backward adds to it: of the step before, or of what was done before the call. "
            "Clear the gradients of both networks before each backward.",
            NOT_CLEARED,
            {"policy_optimizer.zero_grad()": ""},
            {"critic_optimizer.zero_grad()": ""},
            NOT_CLEARED | {"for rows": "policy.zero_grad(); critic.zero_grad()\n        for rows"},
            *(cleared_after(*networks) for networks in (("policy", "critic"), ("policy",), ("critic",))),
        ),
        mistake(
            "network-does-not-move",
            "One of your networks stays as it is: its optimizer takes no step, its gradient was cleared after backward, or "
            "backward was never called for it. The order is zero_grad, backward, clip, step, for each network.",
            {"critic_optimizer.step()": ""},
            {"policy_optimizer.step()": ""},
            {"returns).backward()": "returns).backward(); critic_optimizer.zero_grad()"},
            {"loss.backward()": "loss.backward(); policy_optimizer.zero_grad()"},
        ),
        mistake(
            "not-normalised",
            "You used the advantages as they are, or did only half of it: subtract the mean and divide by the standard "
            "deviation. Else the step's size follows the reward's scale, or most actions are pushed the same way.",
            {"normalize(advantages)": "advantages"},
            {"normalize(advantages)": "advantages - advantages.mean()"},
            {"normalize(advantages)": "advantages / (advantages.std() + 1e-8)"},
            {"normalize(advantages)": "advantages / (advantages.std(correction=0) + 1e-8)"},
        ),
        mistake(
            "normalised-over-the-batch",
            "You normalised the advantages once over the whole batch. Others do, too, and it learns as well; this contract "
            "normalises within each minibatch, so that every step sees mean 0 and standard deviation 1.",
            {"normalize(advantages)": "normalize(batch.advantages)[rows]"},
        ),
        mistake(
            "old-log-prob-recomputed",
            "You computed the old log-probabilities yourself. They stand in the batch, of the policy that collected the data, "
            "and stay as they are. Renewed, the ratio starts from 1, and the clip does not see how far the policy has gone.",
            {"in batch)": "in batch); old_log_prob = log_prob_of(policy, obs, actions)"},
            {"loss(log_prob, old_log_prob": "loss(log_prob, log_prob.detach()"},
            {"for rows": f"old = {NOW}\n        for rows", "in batch)": "in batch); old_log_prob = old[rows]"},
            {"for rows": f"batch = batch._replace(log_prob={NOW})\n        for rows"},
            {"for _": f"old = {NOW}\n    for _", "in batch)": "in batch); old_log_prob = old[rows]"},
        ),
        mistake(
            "log-probs-swapped",
            "You handed log_prob and old_log_prob over in the wrong order, to the loss or to the gauges. The policy of now comes "
            "first, the one that acted second: swapped, the ratio stands upside down.",
            {"loss(log_prob, old_log_prob": "loss(-log_prob, -old_log_prob"},
            {
                "kl(log_prob, old_log_prob)": "kl(old_log_prob, log_prob)",
                "fraction(log_prob, old_log_prob": "fraction(old_log_prob, log_prob",
                "kl(log_prob, batch.log_prob)": "kl(batch.log_prob, log_prob)",
            },
        ),
        mistake(
            "another-entropy-bonus",
            "The entropy bonus has the wrong sign or size, or is missing. ent_coef times the mean entropy of the minibatch is "
            "subtracted from the policy's loss: added, it punishes the policy for trying things; summed, it drowns the rest.",
            {"loss - ent_coef": "loss + ent_coef"},
            {"loss - ent_coef * distribution.entropy().mean()": "loss"},
            {"entropy().mean()": "entropy().sum()"},
        ),
        mistake(
            "another-policy-loss",
            "The critic is right, but the policy's step is not that of the clipped loss: the larger of the two objectives "
            "instead of the smaller, one of them alone, a sum over the rows, another sign. Check ppo_clip_loss, and call it.",
            *({LOSS: f"-{OBJECTIVES}[{which}].mean()"} for which in (0, 1)),
            {LOSS: f"-torch.maximum(*{OBJECTIVES}).mean()"},
            {LOSS: f"-torch.minimum(*{OBJECTIVES}).sum()"},
            {LOSS: f"torch.minimum(*{OBJECTIVES}).mean()"},
        ),
        mistake(
            "column-against-row",
            "Your critic's loss pairs every value with every return: [B, 1] against [B] broadcasts to [B, B] without an error, "
            "and the critic learns the mean return for all states. Both are [B]; look at each unsqueeze and squeeze.",
            {"value_loss(critic(obs), returns)": "(0.5 * (critic(obs)[:, None] - returns).square().mean())"},
            {"value_loss(critic(obs), returns)": "(critic(obs)[:, None] - returns).square().mean()"},
        ),
        mistake(
            "value-loss-scaled",
            "The policy is right, but the critic's step is not: its loss is half the mean squared error, with no further "
            "coefficient. One that multiplies both losses belongs where both share one optimizer.",
            {"returns).backward()": "returns).mul(2).backward()"},
            {"returns).backward()": "returns).mul(0.5).backward()"},
        ),
        mistake(
            "clipped-together",
            "You clipped the gradients of both networks by one common norm. The critic's gradient is by far the larger, so "
            "the policy's is cut down with it. Clip each network by its own norm.",
            {
                "nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)": "",
                "policy_optimizer.step()": "",
                "critic.parameters()": "[*policy.parameters(), *critic.parameters()]",
                "critic_optimizer.step()": "critic_optimizer.step(); policy_optimizer.step()",
            },
        ),
        mistake(
            "gradients-not-clipped",
            "The gradients are not clipped, or not when it counts: backward first, then clip, then the step.",
            {f"nn.utils.clip_grad_norm_({each}.parameters(), max_grad_norm)": "" for each in ("policy", "critic")},
            {"nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)": ""},
            {"nn.utils.clip_grad_norm_(critic.parameters(), max_grad_norm)": ""},
        ),
        mistake(
            "clipped-by-value",
            "You clipped each entry by itself, which bends the gradient. clip_grad_norm_ shortens it and keeps its direction.",
            {"norm_(policy": "value_(policy", "norm_(critic": "value_(critic"},
        ),
        mistake(
            "target-kl-ignored",
            "Your update never stops early, or not for a target_kl of 0: `if target_kl` is false for 0.0 as it is for None. "
            "Ask for target_kl is not None, and compare it with the divergence after each epoch.",
            {"target_kl is not None": "target_kl"},
            {"break": "pass"},
        ),
        mistake(
            "compared-with-none",
            "target_kl may be None, for never stopping early, and a number cannot be compared with None. Ask for that first: "
            "if target_kl is not None and ... > target_kl.",
            {"target_kl is not None and": "approx_kl(log_prob, batch.log_prob).item() > target_kl and"},
            {"target_kl is not None and ": ""},
        ),
        mistake(
            "another-limit",
            "You stop at a multiple of target_kl, as several libraries do, or as soon as it is reached. Here the update ends "
            "where the divergence is larger than target_kl itself; a policy that has not moved does not exceed a target of 0.",
            {"> target_kl": "> 1.5 * target_kl"},
            {"> target_kl": ">= target_kl"},
        ),
        mistake(
            "stops-by-minibatches",
            "You stopped by what was measured inside the loop over minibatches, of the last one or as a mean: of a few rows, "
            "or of the policy before a step. After the epoch, measure once on the whole batch.",
            {"approx_kl(log_prob, batch.log_prob) >": "kl[-1] >"},
            {"approx_kl(log_prob, batch.log_prob) >": "approx_kl(log_prob_of(policy, obs, actions), old_log_prob) >"},
            {"approx_kl(log_prob, batch.log_prob) >": "sum(kl) / len(kl) >"},
            {
                "for rows": "before = len(kl)\n        for rows",
                "approx_kl(log_prob, batch.log_prob) >": "sum(kl[before:]) / len(kl[before:]) >",
            },
        ),
        mistake(
            "stops-inside-an-epoch",
            "You left the loop over minibatches in the middle of an epoch. The contract asks once an epoch, on the whole batch, "
            "so that every row is used equally often. And a break there leaves the inner loop only.",
            *(
                {
                    "clip_coef)))": f"clip_coef)))\n            if target_kl is not None and {gauge} > target_kl: break",
                    "approx_kl(log_prob, batch.log_prob) > target_kl": after,
                }
                for gauge in (
                    "kl[-1]",
                    f"approx_kl({NOW}, batch.log_prob)",
                    "approx_kl(log_prob_of(policy, obs, actions), old_log_prob)",
                )
                for after in (f"{gauge} > target_kl", "False", f"approx_kl({NOW}, batch.log_prob) > target_kl")
            ),
            # A return there ends both loops, and the epoch that was begun is not counted.
            {
                "clip_coef)))": "clip_coef)))\n            if target_kl is not None and kl[-1] > target_kl: "
                "return {'losses/approx_kl': sum(kl) / len(kl), 'losses/clipfrac': sum(fraction) / len(fraction), "
                "'epochs': epochs}",
                "approx_kl(log_prob, batch.log_prob) > target_kl": "False",
            },
            # As several libraries do: before the step.
            {
                LOG: "",
                "            loss = ppo": f"{LOG}            if target_kl is not None and kl[-1] > target_kl: break\n"
                "            loss = ppo",
                "approx_kl(log_prob, batch.log_prob) >": "kl[-1] >",
            },
        ),
        mistake(
            "other-metrics-reported",
            "Your networks are right, the numbers you report are not: they are of the last minibatch or epoch only, or "
            "measured after the step. Measure with the log_prob of each loss, and return the mean over the update.",
            {"sum(kl) / len(kl)": "kl[-1]", "sum(fraction) / len(fraction)": "fraction[-1]"},
            {"sum(kl) / len(kl)": "kl[-1]"},
            {"sum(fraction) / len(fraction)": "fraction[-1]"},
            {"for rows": "kl, fraction = [], []\n        for rows"},
            {"kl.append": "log_prob = policy(obs).log_prob(actions); kl.append"},
        ),
        mistake(
            "logarithm-compared",
            "For the clip fraction you compared the log-ratio with clip_coef. It is ratio - 1 that the clip looks at: 1.33 is "
            "outside of 1 +- 0.3, and its logarithm is 0.29.",
            {
                "clip_fraction(log_prob, old_log_prob, clip_coef=clip_coef)": "((log_prob - old_log_prob).abs() > clip_coef)"
                ".float().mean()"
            },
        ),
        mistake(
            "epochs-miscounted",
            "You report another number of epochs than were done: those that were planned, or one too few, because the count "
            "begins with 0 or comes after the break. A log has to show how often the update stops early.",
            {": epochs}": ": update_epochs}"},
            {": epochs}": ": epochs - 1}"},
            {"epochs += 1": "", "break": "break\n        epochs += 1"},
        ),
    ),
)
