"""baseline_update(...): one step of REINFORCE with a value network as baseline, on a batch of complete episodes."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn

from pgcourse.checks.authoring import Case, Exercise, Misconception, edits_of, generator, integers, normal, rewritten
from pgcourse.checks.compare import Tolerance
from pgcourse.checks.observe.networks import SgdUpdate, kind_of_sgd
from pgcourse.checks.wording import value
from pgcourse.losses import reinforce_loss, value_loss
from pgcourse.returns import discounted_returns, normalize
from pgcourse.rollout import Episode


def baseline_update(
    policy: nn.Module,
    critic: nn.Module,
    policy_optimizer: torch.optim.Optimizer,
    critic_optimizer: torch.optim.Optimizer,
    episodes: list[Episode],
    *,
    gamma: float,
    critic_steps: int,
) -> tuple[Tensor, Tensor]:
    """One policy step on advantages over the critic as it stands, then `critic_steps` steps of the critic."""
    obs = torch.cat([episode.obs for episode in episodes])  # [B, D]
    actions = torch.cat([episode.actions for episode in episodes])  # [B]
    returns = torch.cat([discounted_returns(episode.rewards, gamma=gamma) for episode in episodes])  # [B]

    with torch.no_grad():
        advantages = normalize(returns - critic(obs))  # [B], before the critic is fitted to these very returns
    policy_loss = reinforce_loss(policy(obs).log_prob(actions), advantages)
    policy_optimizer.zero_grad()
    policy_loss.backward()
    policy_optimizer.step()

    for _ in range(critic_steps):
        critic_loss = value_loss(critic(obs), returns)
        critic_optimizer.zero_grad()
        critic_loss.backward()
        critic_optimizer.step()
    return policy_loss.detach(), critic_loss.detach()


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    smallest = {
        "policy_weight": torch.zeros(2, 1), "policy_bias": torch.zeros(2),
        "critic_weight": torch.tensor([1.0]), "critic_bias": torch.tensor(0.0),
        "learning_rate": 0.5, "gamma": 0.5, "critic_steps": 1, "lengths": torch.tensor([1, 2]),
        # The critic says 1, 1, 2 at first, the returns are 1, 4, 4.
        "obs": torch.tensor([[[1.0], [1.0], [2.0]], [[1.0], [0.0], [1.0]]]),
        "actions": torch.tensor([[0, 1, 1], [1, 0, 1]]),
        "rewards": torch.tensor([[1.0, 2.0, 4.0], [0.0, 1.0, 1.0]]),
    }  # fmt: skip
    yield smallest
    yield {  # The critic is exact: all advantages are 0, nothing moves, and every step is taken all the same.
        "policy_weight": torch.zeros(2, 1), "policy_bias": torch.zeros(2),
        "critic_weight": torch.tensor([1.0]), "critic_bias": torch.tensor(0.0),
        "learning_rate": 0.5, "gamma": 0.5, "critic_steps": 2, "lengths": torch.tensor([1, 1]),
        "obs": torch.tensor([[[1.0], [2.0]], [[0.0], [3.0]]]),
        "actions": torch.tensor([[0, 1], [1, 1]]),
        "rewards": torch.tensor([[1.0, 2.0], [0.0, 3.0]]),
    }  # fmt: skip
    # Only the first reward counts. Public: who weights later ones wrongly is right here.
    yield smallest | {"gamma": 0.0}
    source = generator(seed)
    yield random_batches(source, lengths=[3, 1, 5], gamma=0.9, critic_steps=3)
    yield random_batches(source, lengths=[6], gamma=1.0, critic_steps=2)
    # Observations so large that whoever clips a gradient, at whatever usual norm, takes another step.
    yield random_batches(source, lengths=[4, 7, 2, 3], gamma=0.97, critic_steps=5, dtype=torch.float64, scale=100)
    yield equal_at_first(random_batches(source, lengths=[2, 2], gamma=0.5, critic_steps=2))
    yield large({**outlying(source, gamma=0.9), **layers(source), "momentum": 0.9})
    yield large(equal_at_first({**outlying(source, gamma=0.5), **layers(source), "momentum": 0.5}))
    small = random_batches(generator(seed + 1000), lengths=[2, 4, 3], gamma=0.9, critic_steps=2)
    scaled = {name: 0.1 * small[name] for name in ("rewards", "critic_weight", "critic_bias")}
    yield {**small, **scaled, "momentum": 0.9}


def random_batches(
    source: torch.Generator,
    *,
    lengths: list[int],
    gamma: float,
    critic_steps: int,
    dtype: torch.dtype = torch.float32,
    scale: float = 1,
) -> Case:
    """Linear networks and the batches of two updates, each of episodes of these lengths. Args: scale: of obs."""
    steps, updates, obs_dim, num_actions = sum(lengths), 2, 3, 4
    return {
        "policy_weight": normal(source, num_actions, obs_dim, dtype=dtype) * 0.5,
        "policy_bias": normal(source, num_actions, dtype=dtype) * 0.5,
        "critic_weight": normal(source, obs_dim, dtype=dtype),
        "critic_bias": normal(source, 1, dtype=dtype)[0],
        "learning_rate": 0.2 / scale**2, "gamma": gamma, "critic_steps": critic_steps, "lengths": torch.tensor(lengths),
        "obs": normal(source, updates, steps, obs_dim, dtype=dtype) * scale,
        "actions": integers(source, num_actions, updates, steps),
        # Later steps earn more, so that episodes differ and every way of weighting them shows.
        "rewards": normal(source, updates, steps, dtype=dtype) + torch.linspace(0, 3, steps, dtype=dtype),
    }  # fmt: skip


def equal_at_first(case: Case) -> Case:
    """At the first update every return is 1 above what the critic says, in numbers that no sum rounds.

    The case has episodes of two steps, and a gamma of 0.5.
    """
    case = case | {name: (4 * case[name]).round() / 4 for name in ("critic_weight", "critic_bias", "obs")}
    returns = case["obs"][0] @ case["critic_weight"] + case["critic_bias"] + 1
    case["rewards"][0] = returns - torch.tensor([0.5, 0.0] * (len(returns) // 2)) * returns.roll(-1)
    return case


def outlying(source: torch.Generator, *, gamma: float) -> Case:
    """Batches of 60 steps, one of which has a return 7 standard deviations from the mean, and twelve steps of the critic."""
    case = random_batches(source, lengths=[2] * 30, gamma=gamma, critic_steps=12, dtype=torch.float64)
    for rewards in case["rewards"]:
        rewards[2 * int(integers(source, 30))] += 200 * (1 - 2 * int(integers(source, 2)))
    return {**case, "learning_rate": 0.02}


def large(case: Case) -> Case:
    """Rewards and values of some 10^5."""
    return {**case, **{name: 1e5 * case[name] for name in ("rewards", "critic_weight", "critic_bias")}}


def layers(source: torch.Generator) -> Case:
    """Another policy on three numbers, with a hidden layer. A critic's would diverge along errors as large as these."""
    hidden, weight = (normal(source, *shape, dtype=torch.float64) for shape in ((5, 3), (4, 5)))
    return {"policy_hidden": hidden, "policy_weight": 0.5 * weight}


def show(case: Case) -> str:
    """The case in one line: its first episodes by their rewards, and what the critic says of them."""
    lengths = case["lengths"].tolist()
    parts = case["rewards"][0].split(lengths)
    rewards = ", ".join(value(part) for part in parts[:6]) + ", ..." * (len(parts) > 6)
    predicted = (case["obs"][0] @ case["critic_weight"] + case["critic_bias"]).split(lengths)
    values = ", ".join(value(part) for part in predicted[:6]) + ", ..." * (len(parts) > 6)
    return (
        f"baseline_update(policy, critic, policy_optimizer, critic_optimizer, episodes, gamma={case['gamma']}, "
        f"critic_steps={case['critic_steps']}), called twice, with {kind_of_sgd(case)} and gradients of 1 left from before; "
        f"first with {len(lengths)} episode{'s' * (len(lengths) > 1)} of rewards {rewards}, where the critic says {values}"
    )


def unbiased(x: Tensor) -> Tensor:
    """Mean 0 and standard deviation 1, the other one that counts as right."""
    return (x - x.mean()) / (x.std() + 1e-8)


def mistake(id: str, explanation: str, *edits: dict[str, str]) -> Misconception:
    """A misconception, for both standard deviations."""
    one, other = (edits_of(baseline_update, normalize=each)(id, explanation, *edits) for each in (normalize, unbiased))
    return replace(one, variants=(*one.variants, other.wrong, *other.variants))


def step(name: str, loss: str) -> str:
    """One step of the policy or the critic, as it stands in a loop."""
    optimizer = f"{name}_optimizer"
    return f"        {name}_loss = {loss}; {optimizer}.zero_grad(); {name}_loss.backward(); {optimizer}.step()\n"


ADVANTAGES = "normalize(returns - critic(obs))"
LOOP = "    for _ in range(critic_steps):\n"
CRITIC_STEP = step("critic", "value_loss(critic(obs), returns)")
POLICY_STEP = step("policy", "reinforce_loss(policy(obs).log_prob(actions), advantages)")
ASKED_ONCE = {"critic(obs), ": "values, ", LOOP: "    values = critic(obs)\n" + LOOP}
TOTAL = {LOOP: "    total = 0\n" + LOOP, "(obs), returns)": "(obs), returns); total += critic_loss.detach()"}
NO_CHECK = {"reinforce_loss(": "-torch.mul(", "actions), advantages)": "actions), advantages).mean()"}
CLEARED_AFTER = [
    {f"{x}_optimizer.zero_grad()": "", f"{x}_optimizer.step()": f"{x}_optimizer.step(); {x}.zero_grad()"}
    for x in ("policy", "critic")
]
INTO_THE_CRITIC = {"no_grad": "enable_grad", **NO_CHECK, **CLEARED_AFTER[1]}
COLUMNS = {"value_loss(critic(obs), returns)": "0.5 * (critic(obs)[:, None] - returns).square().mean()"}
POLICY_CLIPPED, CRITIC_CLIPPED, BOTH_CLIPPED_AT_1 = (
    {f"{x}_loss.backward()": f"{x}_loss.backward(); nn.utils.clip_grad_norm_({x}.parameters(), {norm})" for x in names}
    for names, norm in ((["policy"], 0.5), (["critic"], 0.5), (["policy", "critic"], 1.0))
)

EXERCISE = Exercise.listed(
    "baseline_update",
    cases=cases,
    observe=SgdUpdate(
        "policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps", gradients_left=True
    ),
    show_case=show,
    reference=baseline_update,
    also_correct=(rewritten(baseline_update, {}, normalize=unbiased),),
    tolerance=Tolerance(number_for_scalar=True),
    hints=(
        "It is reinforce_update of unit 01 with one line changed and a loop added. Which line makes the weights? And what must "
        "not have happened to the critic before that line runs?",
        "Join observations, actions and returns of all episodes. Advantages: returns minus critic(obs), no gradient, "
        "standardised over the batch. Then one step of the policy. Then, critic_steps times: value_loss of critic(obs), computed "
        "anew each time, against the raw returns; clear, backward, step.",
        "advantages = normalize(advantages_with_baseline(returns, critic(obs))); loss = "
        "reinforce_loss(policy(obs).log_prob(actions), advantages); policy_optimizer.zero_grad(); loss.backward(); "
        "policy_optimizer.step(); then a loop over range(critic_steps) with the same three lines for value_loss(critic(obs), "
        "returns) and critic_optimizer; return loss.item() and the last value loss.item().",
    ),
    misconceptions=(
        mistake(
            "critic-fitted-first",
            "You fitted the critic before you took the advantages. It has seen these very returns then, and with many critic "
            "steps next to nothing is left of them. First the values, then the fit.",
            {"range(critic_steps)": "range(0)", "    with": LOOP + CRITIC_STEP + "    with"},
        ),
        mistake(
            "gradient-into-the-critic",
            "The policy's loss reached the critic: the values in your advantages are not detached, and the gradient that flowed "
            "through them is in the critic's step. The baseline is a constant for the policy.",
            INTO_THE_CRITIC,
            INTO_THE_CRITIC | {"policy_optimizer.zero_grad()": "policy_optimizer.zero_grad(); critic.zero_grad()"},
        ),
        mistake(
            "policy-stepped-in-the-critic-loop",
            "The policy takes a step each time the critic does. After the first one it is no longer the policy that acted, "
            "and advantages taken anew come from a critic that has seen these returns. Put its one step before the loop.",
            {"policy_optimizer.step()": "", LOOP: LOOP + POLICY_STEP},
            {"policy_optimizer.step()": "", LOOP: LOOP + f"        advantages = {ADVANTAGES}\n" + POLICY_STEP},
        ),
        mistake(
            "critic-not-fitted-critic-steps-times",
            "Your critic takes another number of steps than critic_steps says. Look at the range of the loop. Or it takes none: "
            "its backward or its step is missing, zero_grad stands between the two, or the policy's optimiser steps.",
            {"range(critic_steps)": "range(1)"},
            {"range(critic_steps)": "range(critic_steps + 1)"},
            {"range(critic_steps)": "range(max(1, critic_steps - 1))"},
            {"critic_optimizer.step()": ""},
            {"critic_optimizer.step()": "policy_optimizer.step()"},
            {"critic_loss.backward()": ""},
            {"critic_loss.backward()": "critic_loss.backward(); critic_optimizer.zero_grad()"},
        ),
        mistake(
            "policy-not-moved",
            "Your policy stays what it was: its step or its backward is missing, or zero_grad stands between the two and throws "
            "the gradient away. The order is zero_grad, backward, step, for the policy and for the critic.",
            {"policy_loss.backward()": "policy_loss.backward(); policy_optimizer.zero_grad()"},
            {"policy_optimizer.step()": ""},
            {"policy_loss.backward()": ""},
            {
                "policy_loss.backward()": "policy_loss.backward(); policy_optimizer.zero_grad()",
                "critic_loss.backward()": "critic_loss.backward(); critic_optimizer.zero_grad()",
            },
        ),
        mistake(
            "gradients-not-cleared",
            "An old gradient is still there when backward adds the next one to it. Clear each network's gradients before each "
            "of its backward passes, inside the critic's loop too.",
            {"critic_optimizer.zero_grad()": ""},
            {"policy_optimizer.zero_grad()": ""},
            {"critic_optimizer.zero_grad()": "", "policy_optimizer.zero_grad()": ""},
            *CLEARED_AFTER,
            {**CLEARED_AFTER[0], **CLEARED_AFTER[1]},
            {"critic_optimizer.zero_grad()": "", LOOP: "    critic_optimizer.zero_grad()\n" + LOOP},
        ),
        mistake(
            "column-against-row",
            "A column [B, 1] met a row [B], and broadcasting paired every row with every other, [B, B], without an error: the "
            "critic learns one mean for all states, or nothing is left of the policy's gradient. Make the shapes equal.",
            COLUMNS,
            NO_CHECK | {"actions), advantages)": "actions), advantages[:, None]).mean()"},
            NO_CHECK | {"actions), advantages)": "actions), advantages[:, None]).mean()"} | COLUMNS,
            NO_CHECK | {ADVANTAGES: "normalize(returns - critic(obs)[:, None])"},
            NO_CHECK | {ADVANTAGES: "normalize(returns - critic(obs)[:, None])"} | COLUMNS,
        ),
        mistake(
            "critic-asked-once",
            "You called critic(obs) once and used the answer in every critic step. After a step it is out of date, and torch "
            "may complain of going backward a second time; retain_graph=True only silences that. Call it anew in each pass.",
            ASKED_ONCE,
            ASKED_ONCE | {"critic_loss.backward(": "critic_loss.backward(retain_graph=True"},
        ),
        mistake(
            "gradients-clipped",
            "You clipped the gradients. It is a good habit, and the training loop of the finale does it for you; this update is "
            "to follow the gradient as it is.",
            POLICY_CLIPPED | CRITIC_CLIPPED,
            BOTH_CLIPPED_AT_1,
            POLICY_CLIPPED,
            CRITIC_CLIPPED,
        ),
        mistake(
            "value-not-subtracted",
            "The advantage is return minus value. Without the value the critic is fitted for nothing; added, it praises what "
            "was expected anyway; value minus return, or a loss without its minus, unlearns what went well.",
            {ADVANTAGES: "normalize(critic(obs) - returns)"},
            {ADVANTAGES: "normalize(returns + critic(obs))"},
            {ADVANTAGES: "normalize(returns)"},
        ),
        mistake(
            "not-standardised-over-the-batch",
            "The advantages need mean 0 and standard deviation 1 over all steps of the batch. You left out one or both, or "
            "standardised each episode by itself: then nothing tells the policy which episode was better.",
            {"normalize": ""},
            {ADVANTAGES: "returns - critic(obs)\n        advantages -= advantages.mean()"},
            {ADVANTAGES: "returns - critic(obs)\n        advantages /= advantages.std() + 1e-8"},
            {ADVANTAGES: "returns - critic(obs)\n        advantages /= advantages.std(correction=0) + 1e-8"},
            {ADVANTAGES: "torch.cat([*map(normalize, (returns - critic(obs)).split([len(e.obs) for e in episodes]))])"},
        ),
        mistake(
            "division-by-zero",
            "Where all advantages are equal, their standard deviation is 0 and the weights become 0 / 0, NaN, and so does every "
            "parameter of the policy. A tiny number beside the standard deviation keeps them at 0.",
            {ADVANTAGES: "((a := returns - critic(obs)) - a.mean()) / a.std()"},
            {ADVANTAGES: "((a := returns - critic(obs)) - a.mean()) / a.std(correction=0)"},
        ),
        mistake(
            "returns-standardised-before-the-subtraction",
            "You standardised the returns and subtracted the values afterwards. The critic predicts returns in units of reward, "
            "so it has to be subtracted from those: first the difference, then the scale.",
            {ADVANTAGES: "normalize(returns) - critic(obs)"},
            {ADVANTAGES: "normalize(normalize(returns) - critic(obs))"},
        ),
        mistake(
            "critic-fitted-to-another-target",
            "You fitted the critic to the advantages, or to standardised returns. Their scale changes with every batch, and "
            "subtracted from raw returns such values take nothing away. The target is the return, in units of reward.",
            {"critic(obs), returns": "critic(obs), normalize(returns)"},
            {"critic(obs), returns": "critic(obs), advantages"},
            {"critic(obs), returns": "critic(obs), raw", "with": "raw = returns - critic(obs).detach()\n    with"},
            {"with": "returns = normalize(returns)\n    with"},
        ),
        mistake(
            "another-scale-of-a-loss",
            "The critic's loss lacks its half, or you summed over the steps where the mean is asked for, in one of the "
            "losses. Its steps are too long then, with a sum the longer the episodes are. Use your value_loss.",
            {"= value_loss": "= 2 * value_loss"},
            {"= value_loss": "= len(obs) * value_loss"},
            {"= reinforce_loss": "= len(obs) * reinforce_loss"},
        ),
        mistake(
            "returns-across-episodes",
            "You joined the rewards of all episodes before discounting, so the return of one episode contains the rewards of the "
            "next. Discount each on its own, join afterwards.",
            {"with": "returns = discounted_returns(torch.cat([e.rewards for e in episodes]), gamma=gamma)\n    with"},
        ),
        mistake(
            "other-losses-returned",
            "The weights are right, but not the losses that you returned. The policy's comes first, then the one that the "
            "critic's last step followed: not its first, the sum or the mean of all, or one computed afterwards.",
            {LOOP: "    first = value_loss(critic(obs), returns)\n" + LOOP, ", critic_loss": ", first"},
            TOTAL | {", critic_loss.detach()": ", total"},
            TOTAL | {", critic_loss.detach()": ", total / critic_steps"},
            {", critic_loss": ", value_loss(critic(obs), returns)"},
            {"return policy_loss.detach(), critic_loss": "return critic_loss.detach(), policy_loss"},
        ),
    ),
)
