"""reinforce_update(policy, optimizer, episodes, *, gamma): one step of REINFORCE on a batch of complete episodes."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from pgcourse.checks.authoring import Case, Exercise, Misconception, generator, integers, normal, rewritten
from pgcourse.checks.observe.networks import SgdUpdate, kind_of_sgd
from pgcourse.checks.rewritten import Edits
from pgcourse.checks.wording import value
from pgcourse.losses import reinforce_loss
from pgcourse.returns import discounted_returns, normalize
from pgcourse.rollout import Episode


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
    # Only the first reward counts. Public: who weights later ones wrongly is right here.
    alone = _plain(
        [2, 1], [[1.0, 0.0, 2.0], [2.0, 1.0, 1.0]], [[0, 1, 1], [1, 0, 1]], [[1.0, 2.0, 4.0], [0.0, 1.0, 3.0]]
    )
    yield {**alone, "gamma": 0.0}
    source = generator(seed)
    yield _random(source, lengths=[3, 1, 5], gamma=0.9)
    yield _random(source, lengths=[6], gamma=1.0)
    # Observations so large that whoever clips the gradient, at whatever usual norm, takes another step.
    yield {**_random(source, lengths=[4, 7, 2, 3], gamma=0.97, dtype=torch.float64, scale=100), "momentum": 0.9}
    equal = _random(source, lengths=[2, 2], gamma=0.5, dtype=torch.float64, scale=100)
    equal["rewards"][1] = (1 + integers(source, 9)) * torch.tensor([0.5, 1.0, 0.5, 1.0])  # its returns are all the same
    yield equal
    yield {**_outlying(source, gamma=0.9), **_layers(source), "momentum": 0.9}
    small = _random(generator(seed + 1000), lengths=[2, 4, 3], gamma=0.9)
    yield {**small, "rewards": 0.1 * small["rewards"], "momentum": 0.9}
    equal = {**_outlying(source, gamma=0.5), **_layers(source), "momentum": 0.5}
    equal["rewards"][1] = (1 + integers(source, 9)) * torch.tensor([0.5, 1.0] * 30)
    yield equal


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


def _random(
    source: torch.Generator, *, lengths: list[int], gamma: float, dtype: torch.dtype = torch.float32, scale: float = 1
) -> Case:
    steps, updates, obs_dim, num_actions = sum(lengths), 2, 3, 4
    return {
        "policy_weight": normal(source, num_actions, obs_dim, dtype=dtype) * 0.5,
        "policy_bias": normal(source, num_actions, dtype=dtype) * 0.5,
        "learning_rate": 0.5,
        "gamma": gamma,
        "lengths": torch.tensor(lengths),
        "obs": normal(source, updates, steps, obs_dim, dtype=dtype) * scale,
        "actions": integers(source, num_actions, updates, steps),
        # Later steps earn more, so that episodes differ and every way of weighting them shows.
        "rewards": normal(source, updates, steps, dtype=dtype) + torch.linspace(0, 3, steps, dtype=dtype),
    }


def _outlying(source: torch.Generator, *, gamma: float) -> Case:
    """Batches of 60 steps, one of which has a return 7 standard deviations from the mean."""
    case = _random(source, lengths=[2] * 30, gamma=gamma, dtype=torch.float64)
    for rewards in case["rewards"]:
        rewards[2 * int(integers(source, 30))] += 200 * (1 - 2 * int(integers(source, 2)))
    return case


def _layers(source: torch.Generator) -> Case:
    """Another policy on three numbers, with a hidden layer."""
    hidden, weight = (normal(source, *shape, dtype=torch.float64) for shape in ((5, 3), (4, 5)))
    return {"policy_hidden": hidden, "policy_weight": 0.5 * weight}


def _show(case: Case) -> str:
    episodes = [value(rewards) for rewards in case["rewards"][0].split(case["lengths"].tolist())]
    return (
        f"reinforce_update(policy, optimizer, episodes, gamma={case['gamma']}), called twice, with {kind_of_sgd(case)} and "
        f"gradients of 1 left from before; first with {len(episodes)} episode{'s' * (len(episodes) > 1)} of rewards "
        f"{', '.join(episodes[:6])}{', ...' * (len(episodes) > 6)}"
    )


def written_out(policy, optimizer, episodes, *, gamma):  # type: ignore[no-untyped-def]
    """A right answer in a learner's words, from which the wrong ones are made."""
    lengths = [len(episode.rewards) for episode in episodes]
    rewards = torch.cat([episode.rewards for episode in episodes])
    returns = torch.cat([discounted_returns(own, gamma=gamma) for own in rewards.split(lengths)])
    weights, total = normalize(returns).split(lengths), 0.0
    optimizer.zero_grad()
    for episode, weight in zip(episodes, weights, strict=True):
        log_prob = policy(episode.obs).log_prob(episode.actions)
        loss = -(weight * log_prob).sum() / len(returns)
        loss.backward()
        total += loss.item()
    optimizer.step()
    return total


def unbiased(x: Tensor) -> Tensor:
    """Standardised, the sum of squares divided by n - 1."""
    return (x - x.mean()) / (x.std() + 1e-8)


def mistake(id: str, explanation: str, *spellings: Edits, of: Callable[..., Any] = written_out) -> Misconception:
    """The spellings with the biased standard deviation and with the unbiased one."""
    wrong, *variants = (rewritten(of, edits, normalize=each) for edits in spellings for each in (normalize, unbiased))
    return Misconception(id, explanation, wrong, tuple(variants))


EXERCISE = Exercise.listed(
    "reinforce_update",
    cases=cases,
    observe=SgdUpdate("policy, optimizer, episodes, *, gamma", gradients_left=True),
    show_case=_show,
    reference=reinforce_update,
    also_correct=(rewritten(reinforce_update, {}, normalize=unbiased),),
    hints=(
        "You have written every part already. Which of them works on one episode at a time, and which needs the steps of all "
        "episodes together?",
        "Returns: episode by episode, then torch.cat over the batch, then standardize once. Log-probabilities: "
        "policy(obs).log_prob(actions) on all observations together. Then the loss, and the three lines of every training "
        "loop: clear the gradients, backward, step. Return the loss as a float.",
        "obs, actions and returns are each a torch.cat over the episodes, the returns being "
        "discounted_returns(episode.rewards, gamma=gamma). loss = reinforce_loss(policy(obs).log_prob(actions), "
        "standardize(returns)). optimizer.zero_grad(); loss.backward(); optimizer.step(); return loss.item().",
    ),
    misconceptions=(
        mistake(
            "clear-backward-step-not-in-order",
            "Clear the gradients, backward, step: in this order. What the last update or somebody else has left is added to "
            "yours where it is cleared never or after the step; cleared after backward, nothing is left to follow.",
            {"optimizer.zero_grad()": ""},
            {"optimizer.zero_grad()": "", "return total": "optimizer.zero_grad()\n    return total"},
            {"loss.backward()": ""},
        ),
        mistake(
            "step-for-each-episode",
            "You took an optimiser step after each episode. From the second one on, the episodes no longer come from the "
            "policy that you are changing, and each step follows the noise of one episode. Collect all of them into one loss.",
            {"    optimizer.step()": "        optimizer.step()\n        optimizer.zero_grad()"},
            {
                "    optimizer.step()": "        optimizer.step()\n        optimizer.zero_grad()",
                "sum() / len(returns)": "mean()",
                "return total": "return total / len(episodes)",
            },
        ),
        mistake(
            "standardised-too-early",
            "You standardised each episode's returns by themselves, or the rewards before they were summed. Then nothing tells "
            "which episode was better, or long ones gain by their length. First all returns, then standardise.",
            {"normalize(returns).split(lengths)": "[normalize(own) for own in returns.split(lengths)]"},
            {"rewards.split": "normalize(rewards).split", "normalize(returns)": "returns"},
            {"rewards.split": "normalize(rewards).split"},
        ),
        mistake(
            "not-standardised",
            "You used the returns as they are, or subtracted their mean without dividing by the standard deviation. The step's "
            "size then follows the reward's scale. Standardise the returns over all steps of the batch.",
            {"normalize(returns)": "returns"},
            {"normalize(returns)": "(returns - returns.mean())"},
        ),
        mistake(
            "division-by-zero",
            "Where all returns are equal, their standard deviation is 0 and the weights become 0 / 0, NaN, and so do all the "
            "weights of the policy. A tiny number beside the standard deviation keeps them at 0.",
            {"normalize(returns)": "((returns - returns.mean()) / returns.std(correction=0))"},
            {"normalize(returns)": "((returns - returns.mean()) / returns.std())"},
        ),
        mistake(
            "whole-return-for-every-step",
            "Every step of an episode got the episode's whole return. Rewards that came before an action are no merit of it; "
            "they only add noise. Use the reward-to-go of each step.",
            {"gamma=gamma)": "gamma=gamma)[:1].expand_as(own)"},
        ),
        mistake(
            "returns-across-episodes",
            "You joined the rewards of all episodes before discounting, so the return of one episode contains the rewards of "
            "the next. Each episode ends on its own: discount first, join afterwards.",
            {"rewards.split(lengths)": "[rewards]"},
        ),
        mistake(
            "another-discount",
            "Your returns are not discounted by gamma, or late steps hardly count because you multiplied by gamma to the power "
            "of the step, which practice leaves out. The return of a step is discounted from that step on.",
            {"gamma=gamma": "gamma=1.0"},
            {"gamma=gamma": "gamma=0.0"},
            {"discounted_returns": "gamma ** torch.arange(len(own)) * discounted_returns"},
            {"-(weight": "-(gamma ** torch.arange(len(weight)) * weight"},
        ),
        mistake(
            "not-the-mean-over-all-steps",
            "You summed over the steps, divided by the number of episodes, or averaged within each episode first. The step's "
            "size, or a step's weight, then follows the length of episodes. Asked for is one mean over all steps.",
            {" / len(returns)": ""},
            {"len(returns)": "len(episodes)"},
            {"sum() / len(returns)": "mean() / len(episodes)"},
        ),
        mistake(
            "every-step-with-every-weight",
            "A column of weights [B, 1] met a row of log-probabilities [B], and broadcasting multiplied each by every other, "
            "without an error. Standardised weights have mean 0, so nothing is left of the gradient.",
            {"weight *": "normalize(returns).mean() *"},
        ),
        mistake(
            "downhill",
            "Your update makes the better actions less likely. Optimizers minimise: the loss is minus weight times "
            "log-probability.",
            {"-(weight": "(weight"},
        ),
        mistake(
            "fresh-actions",
            "You sampled actions anew from the policy and gave them the weights that others had earned. Learn from the actions "
            "that were taken: episode.actions.",
            {"log_prob(actions)": "log_prob(policy(obs).sample())"},
            of=reinforce_update,
        ),
        mistake(
            "gradient-clipped",
            "You clipped the gradient. This update is to follow the gradient as it is; in the finale the optimiser clips it, as "
            "in the measured runs.",
            *(
                {"loss.backward()": f"loss.backward(); nn.utils.clip_grad_norm_(policy.parameters(), {n})"}
                for n in (0.5, 1, 5)
            ),
            of=reinforce_update,
        ),
        mistake(
            "entropy-bonus",
            "You added an entropy bonus. Many libraries have one; this update is plain REINFORCE, and its step follows the "
            "gradient of weight times log-probability alone.",
            {"loss.backward()": "(loss - 0.01 * policy(obs).entropy().mean()).backward()"},
            {"normalize(returns))": "normalize(returns)) - 0.01 * policy(obs).entropy().mean()"},
            of=reinforce_update,
        ),
        mistake(
            "another-loss-returned",
            "The update is right, but you return the loss of the policy after it, or a tensor, with which whoever collects "
            "losses may keep whole graphs in memory. Return the loss whose gradient you followed, as a float.",
            {"float(loss)": "float(reinforce_loss(policy(obs).log_prob(actions), normalize(returns)))"},
            {"float(loss)": "loss.detach()"},
            of=reinforce_update,
        ),
    ),
)
