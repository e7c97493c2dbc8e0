"""reinforce_update(policy, optimizer, episodes, *, gamma): one step of REINFORCE on a batch of complete episodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from pgcourse.checks.cases import generator, integers, normal
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe.networks import SgdUpdate
from pgcourse.checks.observe.record import Case
from pgcourse.checks.wording import value
from pgcourse.losses import reinforce_loss
from pgcourse.returns import discounted_returns, normalize
from pgcourse.rollout import Episode

Update = Callable[..., Any]


def reinforce_update(
    policy: nn.Module, optimizer: torch.optim.Optimizer, episodes: list[Episode], *, gamma: float
) -> float:
    """One step on the log-probabilities, weighted by returns-to-go standardised over all steps of the batch."""
    obs = torch.cat([episode.obs for episode in episodes])  # [B, D]
    actions = torch.cat([episode.actions for episode in episodes])  # [B]
    returns = torch.cat([discounted_returns(episode.rewards, gamma=gamma) for episode in episodes])  # [B]
    loss = reinforce_loss(policy(obs).log_prob(actions), normalize(returns))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return float(loss)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield _plain([1, 2], [[1.0, 1.0, 2.0], [1.0, 0.0, 1.0]], [[0, 1, 1], [1, 0, 1]], [[1.0, 2.0, 4.0], [0.0, 1.0, 1.0]])
    yield _plain([1, 1], [[1.0, 2.0], [1.0, 0.0]], [[0, 1], [1, 1]], [[1.0, 1.0], [2.0, 2.0]])  # all returns equal
    source = generator(seed)
    yield _random(source, lengths=[3, 1, 5], gamma=0.9)
    yield _random(source, lengths=[6], gamma=1.0)
    yield _random(source, lengths=[4, 7, 2, 3], gamma=0.97, dtype=torch.float64)


def _plain(lengths: list[int], obs: list[list[float]], actions: list[list[int]], rewards: list[list[float]]) -> Case:
    """Two updates, obs, actions and rewards [2, S], of a uniform policy on observations of one number."""
    return {
        "policy_weight": torch.zeros(2, 1),
        "policy_bias": torch.zeros(2),
        "learning_rate": 1.0,
        "gamma": 0.5,
        "lengths": torch.tensor(lengths),
        "obs": torch.tensor(obs).unsqueeze(-1),
        "actions": torch.tensor(actions),
        "rewards": torch.tensor(rewards),
    }


def _random(source: torch.Generator, *, lengths: list[int], gamma: float, dtype: torch.dtype = torch.float32) -> Case:
    steps, updates, obs_dim, num_actions = sum(lengths), 2, 3, 4
    return {
        "policy_weight": normal(source, num_actions, obs_dim, dtype=dtype) * 0.5,
        "policy_bias": normal(source, num_actions, dtype=dtype) * 0.5,
        "learning_rate": 0.5,
        "gamma": gamma,
        "lengths": torch.tensor(lengths),
        "obs": normal(source, updates, steps, obs_dim, dtype=dtype),
        "actions": integers(source, num_actions, updates, steps),
        # Later steps earn more, so that episodes differ and every way of weighting them shows.
        "rewards": normal(source, updates, steps, dtype=dtype) + torch.linspace(0, 3, steps, dtype=dtype),
    }


def _show(case: Case) -> str:
    episodes = [value(rewards) for rewards in case["rewards"][0].split(case["lengths"].tolist())]
    return (
        f"reinforce_update(policy, optimizer, episodes, gamma={case['gamma']}), called twice, with plain SGD and gradients "
        f"of 1 left from before; first with {len(episodes)} episode{'s' * (len(episodes) > 1)} of rewards {', '.join(episodes)}"
    )


def standardize(x: Tensor, correction: int) -> Tensor:
    """Mean 0, standard deviation 1; NaN for one element where correction is 1."""
    return (x - x.mean()) / (x.std(correction=correction) + 1e-8)


def each_episode(rewards: list[Tensor], gamma: float) -> list[Tensor]:
    """Right: every episode discounted on its own."""
    return [discounted_returns(own, gamma=gamma) for own in rewards]


def whole_return(rewards: list[Tensor], gamma: float) -> list[Tensor]:
    """Each step gets its episode's whole return."""
    return [discounted_returns(own, gamma=gamma)[:1].expand_as(own) for own in rewards]


def across_episodes(rewards: list[Tensor], gamma: float) -> list[Tensor]:
    """All rewards in one row before discounting."""
    return [discounted_returns(torch.cat(rewards), gamma=gamma)]


def rewards_only(rewards: list[Tensor], gamma: float) -> list[Tensor]:
    """No returns at all."""
    return rewards


def undiscounted(rewards: list[Tensor], gamma: float) -> list[Tensor]:
    """Gamma ignored."""
    return each_episode(rewards, 1.0)


def of_standardised_rewards(rewards: list[Tensor], gamma: float) -> list[Tensor]:
    """The rewards standardised before they are summed."""
    return each_episode(list(standardize(torch.cat(rewards), 0).split([len(own) for own in rewards])), gamma)


def own_scale(parts: list[Tensor], correction: int) -> Tensor:
    """Each episode standardised by itself."""
    return torch.cat([standardize(own, correction) for own in parts])


def mean_of_means(terms: Tensor, lengths: list[int]) -> Tensor:
    """Within episodes first, over episodes afterwards."""
    return torch.stack([own.mean() for own in terms.split(lengths)]).mean()


def update_with(
    correction: int,
    *,
    returns: Callable[[list[Tensor], float], list[Tensor]] = each_episode,
    weights: Callable[[list[Tensor], int], Tensor] = lambda parts, c: standardize(torch.cat(parts), c),
    combine: Callable[[Tensor, Tensor], Tensor] = lambda log_prob, weight: log_prob * weight,
    reduce: Callable[[Tensor, list[int]], Tensor] = lambda terms, lengths: terms.mean(),
    entropy: float = 0.0,
    fresh_actions: bool = False,
    clear: str = "before backward",
    answer: Callable[[Tensor, Tensor, Callable[[], Tensor]], Any] = lambda loss, total, again: float(loss),
) -> Update:
    """A REINFORCE update with some parts exchanged. `answer`: of the loss, with the entropy bonus, and computed anew."""

    def update(policy: nn.Module, optimizer: torch.optim.Optimizer, episodes: list[Episode], *, gamma: float) -> Any:
        weight = weights(returns([episode.rewards for episode in episodes], gamma), correction)
        obs, actions, _ = (torch.cat(field) for field in zip(*episodes, strict=True))

        def compute() -> Tensor:
            log_prob = policy(obs).log_prob(policy(obs).sample() if fresh_actions else actions)
            return -reduce(combine(log_prob, weight), [len(episode.rewards) for episode in episodes])

        loss = compute()
        total = loss - entropy * policy(obs).entropy().mean()
        if clear == "before backward":
            optimizer.zero_grad()
        total.backward()
        if clear == "before the step":
            optimizer.zero_grad()
        optimizer.step()
        if clear == "after the step":
            optimizer.zero_grad()
        return answer(loss.detach(), total.detach(), compute)

    return update


def step_for_each_episode(correction: int, *, own: bool = False, share: bool = False) -> Update:
    """A step after each episode. `own`: standardised in the episode; `share`: its loss divided by the batch's steps."""

    def update(policy: nn.Module, optimizer: torch.optim.Optimizer, episodes: list[Episode], *, gamma: float) -> float:
        returns = each_episode([episode.rewards for episode in episodes], gamma)
        weights = own_scale(returns, correction) if own else standardize(torch.cat(returns), correction)
        losses = []
        for episode, weight in zip(episodes, weights.split([len(one) for one in returns]), strict=True):
            weight = weight * len(weight) / len(weights) if share else weight
            step = update_with(correction, weights=lambda parts, c, weight=weight: weight)  # type: ignore[misc]
            losses.append(step(policy, optimizer, [episode], gamma=gamma))
        return sum(losses) / (1 if share else len(losses))

    return update


def mistake(
    id: str, explanation: str, *more: dict[str, Any], make: Callable[..., Update] = update_with, **changes: Any
) -> Misconception:
    """A misconception from the changed parts, in both standard deviations; `more` are further spellings."""
    wrong, *variants = (make(correction, **change) for change in (changes, *more) for correction in (0, 1))
    return Misconception(id, explanation, wrong, tuple(variants))


EXERCISE = Exercise.listed(
    "reinforce_update",
    cases=cases,
    observe=SgdUpdate("policy, optimizer, episodes, *, gamma", gradients_left=True),
    show_case=_show,
    reference=reinforce_update,
    also_correct=(update_with(1),),
    hints=(
        "You have written every part already. Which of them works on one episode at a time, and which needs the steps of all "
        "episodes together?",
        "Returns: episode by episode, then torch.cat over the batch, then standardize once. Log-probabilities: "
        "policy(obs).log_prob(actions) on all observations together. Then the loss, and the three lines of every training loop: "
        "clear the gradients, backward, step. Return the loss as a float.",
        "obs, actions and returns are each a torch.cat over the episodes, the returns being discounted_returns(episode.rewards, "
        "gamma=gamma). loss = reinforce_loss(policy(obs).log_prob(actions), standardize(returns)). optimizer.zero_grad(); "
        "loss.backward(); optimizer.step(); return loss.item().",
    ),
    misconceptions=(
        mistake(
            "gradients-not-cleared",
            "Gradients from before are still there when backward adds to them: those of the last update, or whatever somebody "
            "else has left. Clear them first, before backward; after the step is too late for the first update.",
            {"clear": "after the step"},
            clear="never",
        ),
        mistake(
            "step-for-each-episode",
            "You took an optimiser step after each episode. From the second one on, the episodes no longer come from the policy "
            "that you are changing, and each step follows the noise of a single episode. Collect all of them into one loss.",
            {"own": True},
            {"share": True},
            make=step_for_each_episode,
        ),
        mistake(
            "each-episode-standardised-by-itself",
            "You standardised the returns of each episode by itself. A poor and a splendid episode then both have mean 0, and "
            "nothing tells the policy which was better. Put all steps together first.",
            {"weights": own_scale, "reduce": mean_of_means},
            weights=own_scale,
        ),
        mistake(
            "not-standardised",
            "You used the returns as they are, or subtracted their mean without dividing by the standard deviation. The step's "
            "size then follows the reward's scale. The contract asks for returns standardised over all steps of the batch.",
            {"weights": lambda parts, c: torch.cat(parts) - torch.cat(parts).mean()},
            weights=lambda parts, c: torch.cat(parts),
        ),
        mistake(
            "division-by-zero",
            "Where all returns are equal, their standard deviation is 0 and the weights become 0 / 0, NaN, and so do all the "
            "weights of the policy. A tiny number beside the standard deviation keeps them at 0.",
            weights=lambda parts, c: (torch.cat(parts) - torch.cat(parts).mean()) / torch.cat(parts).std(correction=c),
        ),
        mistake(
            "rewards-standardised",
            "You standardised the rewards and then summed them. A return is a sum, so long episodes gain or lose by their length "
            "alone, and the weights do not have mean 0. First the returns, then standardise these.",
            {"returns": of_standardised_rewards},
            returns=of_standardised_rewards,
            weights=lambda parts, c: torch.cat(parts),
        ),
        mistake(
            "whole-return-for-every-step",
            "Every step of an episode got the episode's whole return. Rewards that came before an action are no merit of it; "
            "they only add noise. Use the reward-to-go of each step.",
            returns=whole_return,
        ),
        mistake(
            "rewards-instead-of-returns",
            "You weighted each action by its own reward only. What an action leads to later is then ignored, and in CartPole "
            "every step has the same reward. The weight is the return.",
            returns=rewards_only,
        ),
        mistake(
            "returns-across-episodes",
            "You joined the rewards of all episodes before discounting, so the return of one episode contains the rewards of the "
            "next. Each episode ends on its own: discount first, join afterwards.",
            returns=across_episodes,
        ),
        mistake(
            "discount-ignored",
            "Your returns are not discounted: gamma has no influence on your update. Pass it on to discounted_returns.",
            returns=undiscounted,
        ),
        mistake(
            "discounted-from-the-start",
            "You multiplied each return by gamma to the power of its step, so that late steps of an episode hardly count. Theory "
            "has that factor, practice leaves it out; the return of a step is discounted from that step on.",
            returns=lambda r, gamma: [gamma ** torch.arange(len(own)) * own for own in each_episode(r, gamma)],
        ),
        mistake(
            "sum-for-mean",
            "You summed over the steps, or divided the sum by the number of episodes, where the mean over all steps is asked "
            "for. A batch of long episodes then takes a larger step than one of short ones.",
            {"reduce": lambda terms, lengths: terms.sum() / len(lengths)},
            reduce=lambda terms, lengths: terms.sum(),
        ),
        mistake(
            "every-episode-alike",
            "You averaged within each episode first and over episodes afterwards. A step of a short episode then weighs more "
            "than one of a long episode; the contract asks for one mean over all steps.",
            reduce=mean_of_means,
        ),
        mistake(
            "every-step-with-every-weight",
            "A column of weights [B, 1] met a row of log-probabilities [B], and broadcasting multiplied each by every other, "
            "without an error. Standardised weights have mean 0, so nothing is left of the gradient.",
            combine=lambda log_prob, weight: log_prob * weight[:, None],
        ),
        mistake(
            "downhill",
            "Your update makes the better actions less likely. Optimizers minimise: the loss is minus the mean of weight times "
            "log-probability.",
            combine=lambda log_prob, weight: -log_prob * weight,
        ),
        mistake(
            "fresh-actions",
            "You sampled actions anew from the policy and gave them the weights that others had earned. Learn from the actions "
            "that were taken: episode.actions.",
            fresh_actions=True,
        ),
        mistake(
            "entropy-bonus",
            "You added an entropy bonus. Many libraries have one; this update is plain REINFORCE, and its step follows the "
            "gradient of weight times log-probability alone.",
            {"entropy": 0.01, "answer": lambda loss, total, again: float(total)},
            entropy=0.01,
        ),
        mistake(
            "backward-missing",
            "The loss is right, but no parameter moves. Between clearing the gradients and the step, the gradient has to be "
            "computed.",
            clear="before the step",
        ),
        mistake(
            "loss-after-the-step",
            "The update is right, and the loss that you return is that of the policy after it, computed anew. Return the loss "
            "whose gradient you followed.",
            answer=lambda loss, total, again: float(again()),
        ),
        mistake(
            "tensor-returned",
            "The update is right, but it returns the loss as a tensor. Whoever collects losses would keep tensors, and with them "
            "perhaps whole graphs, in memory: return a float.",
            answer=lambda loss, total, again: loss,
        ),
    ),
)
