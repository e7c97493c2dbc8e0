"""baseline_update(...): one step of REINFORCE with a value network as baseline, on a batch of complete episodes."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from pgcourse.checks.cases import generator, integers, normal
from pgcourse.checks.compare import Tolerance
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe.networks import SgdUpdate
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_02.baseline_update_right import (
    accumulating,
    by_hand,
    critic_first_with_kept_values,
    one_loss_for_both,
    step_by_step,
    unbiased,
)
from pgcourse.checks.unit_02.baseline_update_wrong import MISCONCEPTIONS
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
    yield {
        "policy_weight": torch.zeros(2, 1),
        "policy_bias": torch.zeros(2),
        "critic_weight": torch.tensor([1.0]),
        "critic_bias": torch.tensor(0.0),
        "learning_rate": 0.5,
        "gamma": 0.5,
        "critic_steps": 1,
        "lengths": torch.tensor([1, 2]),
        # The critic says 1, 1, 2 at first, the returns are 1, 4, 4.
        "obs": torch.tensor([[[1.0], [1.0], [2.0]], [[1.0], [0.0], [1.0]]]),
        "actions": torch.tensor([[0, 1, 1], [1, 0, 1]]),
        "rewards": torch.tensor([[1.0, 2.0, 4.0], [0.0, 1.0, 1.0]]),
    }
    source = generator(seed)
    yield _random(source, lengths=[3, 1, 5], gamma=0.9, critic_steps=3)
    yield _random(source, lengths=[6], gamma=1.0, critic_steps=2)
    yield _random(source, lengths=[4, 7, 2, 3], gamma=0.97, critic_steps=5, dtype=torch.float64)


def _random(
    source: torch.Generator, *, lengths: list[int], gamma: float, critic_steps: int, dtype: torch.dtype = torch.float32
) -> Case:
    steps, updates, obs_dim, num_actions = sum(lengths), 2, 3, 4
    return {
        "policy_weight": normal(source, num_actions, obs_dim, dtype=dtype) * 0.5,
        "policy_bias": normal(source, num_actions, dtype=dtype) * 0.5,
        "critic_weight": normal(source, obs_dim, dtype=dtype),
        "critic_bias": normal(source, 1, dtype=dtype)[0],
        "learning_rate": 0.2,
        "gamma": gamma,
        "critic_steps": critic_steps,
        "lengths": torch.tensor(lengths),
        "obs": normal(source, updates, steps, obs_dim, dtype=dtype),
        "actions": integers(source, num_actions, updates, steps),
        # Later steps earn more, so that episodes differ and every way of weighting them shows.
        "rewards": normal(source, updates, steps, dtype=dtype) + torch.linspace(0, 3, steps, dtype=dtype),
    }


def _show(case: Case) -> str:
    lengths = case["lengths"].tolist()
    rewards = ", ".join(value(part) for part in case["rewards"][0].split(lengths))
    predicted = case["obs"][0] @ case["critic_weight"] + case["critic_bias"]
    values = ", ".join(value(part) for part in predicted.split(lengths))
    return (
        f"baseline_update(policy, critic, policy_optimizer, critic_optimizer, episodes, gamma={case['gamma']}, "
        f"critic_steps={case['critic_steps']}), called twice, with plain SGD; first with {len(lengths)} "
        f"episode{'s' * (len(lengths) > 1)} of rewards {rewards}, where the critic says {values}"
    )


EXERCISE = Exercise(
    id="baseline_update",
    unit="02",
    title="One update of REINFORCE with baseline",
    points=4,
    minutes=30,
    difficulty=3,
    cases=cases,
    observe=SgdUpdate("policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps"),
    show_case=_show,
    reference=baseline_update,
    also_correct=(unbiased,),
    tolerance=Tolerance(number_for_scalar=True),
    alternatives=(
        unbiased,
        step_by_step,
        accumulating,
        one_loss_for_both,
        critic_first_with_kept_values,
        by_hand,
    ),
    hints=(
        "It is reinforce_update of unit 01 with one line changed and a loop added. Which line makes the weights? And "
        "what must not have happened to the critic before that line runs?",
        "Join observations, actions and returns of all episodes. Advantages: returns minus critic(obs), no gradient, "
        "standardised over the batch. Then one step of the policy. Then, critic_steps times: value_loss of "
        "critic(obs), computed anew each time, against the raw returns; clear, backward, step.",
        "advantages = normalize(advantages_with_baseline(returns, critic(obs))); loss = reinforce_loss("
        "policy(obs).log_prob(actions), advantages); policy_optimizer.zero_grad(); loss.backward(); "
        "policy_optimizer.step(); then a loop over range(critic_steps) with the same three lines for "
        "value_loss(critic(obs), returns) and critic_optimizer; return loss.item() and the last value loss.item().",
    ),
    misconceptions=MISCONCEPTIONS,
)
