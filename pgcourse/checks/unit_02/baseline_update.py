"""baseline_update(...): one step of REINFORCE with a value network as baseline, on a batch of complete episodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from pgcourse.checks.cases import generator, integers, normal
from pgcourse.checks.compare import Tolerance
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe.networks import SgdUpdate
from pgcourse.checks.observe.record import Case
from pgcourse.checks.wording import value
from pgcourse.losses import value_loss
from pgcourse.returns import discounted_returns
from pgcourse.rollout import Episode


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {
        "policy_weight": torch.zeros(2, 1), "policy_bias": torch.zeros(2),
        "critic_weight": torch.tensor([1.0]), "critic_bias": torch.tensor(0.0),
        "learning_rate": 0.5, "gamma": 0.5, "critic_steps": 1, "lengths": torch.tensor([1, 2]),
        # The critic says 1, 1, 2 at first, the returns are 1, 4, 4.
        "obs": torch.tensor([[[1.0], [1.0], [2.0]], [[1.0], [0.0], [1.0]]]),
        "actions": torch.tensor([[0, 1, 1], [1, 0, 1]]),
        "rewards": torch.tensor([[1.0, 2.0, 4.0], [0.0, 1.0, 1.0]]),
    }  # fmt: skip
    source = generator(seed)
    yield random_batches(source, lengths=[3, 1, 5], gamma=0.9, critic_steps=3)
    yield random_batches(source, lengths=[6], gamma=1.0, critic_steps=2)
    yield random_batches(source, lengths=[4, 7, 2, 3], gamma=0.97, critic_steps=5, dtype=torch.float64)


def random_batches(
    source: torch.Generator, *, lengths: list[int], gamma: float, critic_steps: int, dtype: torch.dtype = torch.float32
) -> Case:
    """Linear networks and the batches of two updates, each of episodes of these lengths."""
    steps, updates, obs_dim, num_actions = sum(lengths), 2, 3, 4
    return {
        "policy_weight": normal(source, num_actions, obs_dim, dtype=dtype) * 0.5,
        "policy_bias": normal(source, num_actions, dtype=dtype) * 0.5,
        "critic_weight": normal(source, obs_dim, dtype=dtype),
        "critic_bias": normal(source, 1, dtype=dtype)[0],
        "learning_rate": 0.2, "gamma": gamma, "critic_steps": critic_steps, "lengths": torch.tensor(lengths),
        "obs": normal(source, updates, steps, obs_dim, dtype=dtype),
        "actions": integers(source, num_actions, updates, steps),
        # Later steps earn more, so that episodes differ and every way of weighting them shows.
        "rewards": normal(source, updates, steps, dtype=dtype) + torch.linspace(0, 3, steps, dtype=dtype),
    }  # fmt: skip


def show(case: Case) -> str:
    """The case in one line: its first episodes by their rewards, and what the critic says of them."""
    lengths = case["lengths"].tolist()
    rewards = ", ".join(value(part) for part in case["rewards"][0].split(lengths))
    predicted = case["obs"][0] @ case["critic_weight"] + case["critic_bias"]
    values = ", ".join(value(part) for part in predicted.split(lengths))
    return (
        f"baseline_update(policy, critic, policy_optimizer, critic_optimizer, episodes, gamma={case['gamma']}, "
        f"critic_steps={case['critic_steps']}), called twice, with plain SGD; first with {len(lengths)} "
        f"episode{'s' * (len(lengths) > 1)} of rewards {rewards}, where the critic says {values}"
    )


class Batch(NamedTuple):
    """What the weights of a policy step are made of; tensors [B], one episode after another."""

    rewards: tuple[Tensor, ...]  # [T] for each episode
    returns: Tensor
    values: Tensor
    gamma: float
    correction: int

    @property
    def advantages(self) -> Tensor:
        """Return minus value."""
        return self.returns - self.values

    def standardized(self, x: Tensor) -> Tensor:
        """Mean 0 and standard deviation 1, biased or unbiased."""
        return (x - x.mean()) / (x.std(correction=self.correction) + 1e-8)


def each_episode(rewards: tuple[Tensor, ...], gamma: float) -> Tensor:
    """Every episode discounted on its own, then joined."""
    return torch.cat([discounted_returns(own, gamma=gamma) for own in rewards])


def update_with(
    correction: int,
    *,
    returns: Callable[[tuple[Tensor, ...], float], Tensor] = each_episode,
    weights: Callable[[Batch], Tensor] = lambda b: b.standardized(b.advantages),
    target: Callable[[Batch], Tensor] = lambda b: b.returns,
    policy_loss: Callable[[Tensor, Tensor], Tensor] = lambda log_prob, weights: -(weights * log_prob).mean(),
    critic_loss: Callable[[Tensor, Tensor], Tensor] = value_loss,
    plan: Callable[[int], str] = lambda critic_steps: "p" + critic_steps * "c",
    clear: str = "pc",
    detach: bool = True,
    asked_once: bool = False,
    retain_graph: bool = False,
    max_norm: tuple[float, float] = (torch.inf, torch.inf),
    answer: Callable[..., tuple[Tensor, Tensor]] = lambda policy, critic, after: (policy[-1], critic[-1]),
) -> Callable[..., Any]:
    """The right update with some of its parts exchanged.

    Args: correction: of the standard deviation, 0 or 1. plan: p is a step of the policy, c one of the critic, "-" the
    critic's loss without a step. clear: gradients are cleared before the steps of p, of c, at the start (s), after each
    step (a). max_norm: where the policy's and the critic's gradients are clipped. answer: of the losses that were
    followed, and of the critic's loss afterwards.
    """

    def update(
        policy: nn.Module, critic: nn.Module, policy_optimizer: torch.optim.Optimizer,
        critic_optimizer: torch.optim.Optimizer, episodes: list[Episode], *, gamma: float, critic_steps: int,
    ) -> Any:  # fmt: skip
        obs, actions, _ = (torch.cat(column) for column in zip(*episodes, strict=True))
        rewards = tuple(episode.rewards for episode in episodes)
        all_returns, first_values = returns(rewards, gamma), critic(obs)
        targets = target(Batch(rewards, all_returns, first_values.detach(), gamma, correction))
        optimizers = {"p": policy_optimizer, "c": critic_optimizer}
        losses: dict[str, list[Tensor]] = {"p": [], "c": [], "-": []}
        for optimizer in optimizers.values() if "s" in clear else ():
            optimizer.zero_grad()
        for name in plan(critic_steps):
            if name == "p":
                values = critic(obs) if not detach else critic(obs).detach()
                batch = Batch(rewards, all_returns, values, gamma, correction)
                loss = policy_loss(policy(obs).log_prob(actions), weights(batch))
            else:
                loss = critic_loss(first_values if asked_once else critic(obs), targets)
            losses[name].append(loss.detach())
            if name in optimizers:
                if name in clear:
                    optimizers[name].zero_grad()
                loss.backward(retain_graph=retain_graph)
                nn.utils.clip_grad_norm_((policy if name == "p" else critic).parameters(), max_norm[name == "c"])
                optimizers[name].step()
                if "a" in clear:
                    optimizers[name].zero_grad()
        return answer(losses["p"], losses["c"] + losses["-"], critic_loss(critic(obs), all_returns).detach())

    return update


def mistake(id: str, explanation: str, *others: dict[str, Any], **parts: Any) -> Misconception:
    """A misconception from the changed parts, for both standard deviations; `others` are further spellings."""
    wrong, *variants = (update_with(correction, **changes) for changes in (parts, *others) for correction in (0, 1))
    return Misconception(id, explanation, wrong, tuple(variants))


EXERCISE = Exercise.listed(
    "baseline_update",
    cases=cases,
    observe=SgdUpdate("policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps"),
    show_case=show,
    reference=update_with(0),
    also_correct=(update_with(1),),
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
            "You fitted the critic before you took the advantages. It then has seen these very returns, and what it has learnt "
            "of them is gone from the advantages: with many critic steps next to nothing would be left. Take the values first, "
            "then fit.",
            plan=lambda critic_steps: critic_steps * "c" + "p",
        ),
        mistake(
            "gradient-into-the-critic",
            "The policy's loss reached the critic: the values in your advantages are not detached, and the gradient that flowed "
            "through them is in the critic's step. It pulls the critic to wherever the policy's loss is small. The baseline is a "
            "constant for the policy.",
            detach=False,
            clear="a",
        ),
        mistake(
            "policy-stepped-in-the-critic-loop",
            "The policy takes a step each time the critic does. After the first one the episodes are no longer from the policy "
            "that acts, and advantages taken anew would come from a critic that has seen these returns. Put the policy's one "
            "step before the loop.",
            {"plan": lambda critic_steps: critic_steps * "pc"},
            plan=lambda critic_steps: critic_steps * "p" + critic_steps * "c",
        ),
        mistake(
            "critic-steps-ignored",
            "Your critic takes another number of steps than critic_steps says: one, whatever it says, or one more or less. Look "
            "at the range of your loop. The critic's target keeps still while it is fitted, so several steps are cheap and safe.",
            {"plan": lambda critic_steps: "pc" + critic_steps * "c"},
            {"plan": lambda critic_steps: "pc" + (critic_steps - 2) * "c"},
            plan=lambda critic_steps: "pc",
        ),
        mistake(
            "critic-never-fitted",
            "Your critic's weights stay as they are: either backward or the step of critic_optimizer is missing, or it is the "
            "policy's optimiser that steps. A baseline that knows nothing takes no variance away.",
            plan=lambda critic_steps: "p" + critic_steps * "-",
        ),
        mistake(
            "gradients-not-cleared",
            "An old gradient is still there when backward adds the next one to it: the critic's from the step before, or the "
            "policy's from the update before. Clear each network's gradients before each of its backward passes, inside the loop "
            "too.",
            {"clear": "s"},
            {"clear": "c"},
            {"clear": ""},
            clear="p",
        ),
        mistake(
            "critic-asked-once",
            "You called critic(obs) once and used the answer in every critic step. After a step it is out of date: each pass of "
            "the loop needs a new forward pass, or torch complains that it has to go backward through the graph a second time. "
            "retain_graph=True silences that and repeats the first gradient.",
            {"asked_once": True, "retain_graph": True},
            asked_once=True,
        ),
        mistake(
            "gradients-clipped",
            "You clipped the gradients. It is a good habit, and the training loop of the finale does it for you; this update is "
            "to follow the gradient as it is.",
            {"max_norm": (1.0, 1.0)},
            {"max_norm": (0.5, torch.inf)},
            {"max_norm": (torch.inf, 0.5)},
            max_norm=(0.5, 0.5),
        ),
        mistake(
            "returns-as-advantages",
            "The critic is fitted, but the policy never hears of it: its weights are the standardised returns. Subtracting one "
            "number from all of them, such as their mean, changes nothing, because standardising takes it away again. Subtract "
            "critic(obs), step by step.",
            weights=lambda b: b.standardized(b.returns),
        ),
        mistake(
            "sign-flipped",
            "Your update makes the actions that went better than expected less likely. Either the advantage is value minus "
            "return, or the policy's loss lacks its minus: optimizers minimise, so it is minus the mean of advantage times "
            "log-probability.",
            weights=lambda b: -b.standardized(b.advantages),
        ),
        mistake(
            "value-added",
            "You added the value to the return. A baseline is subtracted: what is left says how much better it went than the "
            "critic expected. The sum praises most what was expected to be good anyway.",
            weights=lambda b: b.standardized(b.returns + b.values),
        ),
        mistake(
            "not-standardised",
            "You used the advantages as they are, or only subtracted their mean, or only divided by their standard deviation. "
            "Unscaled, the step follows the reward's scale; not centred, a critic that is too low pushes every sampled action "
            "up. The contract asks for both, over all steps of the batch.",
            {"weights": lambda b: b.advantages - b.advantages.mean()},
            {"weights": lambda b: b.advantages / (b.advantages.std(correction=b.correction) + 1e-8)},
            weights=lambda b: b.advantages,
        ),
        mistake(
            "each-episode-standardised-by-itself",
            "You standardised the advantages of each episode by itself. A poor and a splendid episode then both have mean 0, and "
            "nothing tells the policy which was better. Put all steps together first.",
            weights=lambda b: torch.cat(
                [b.standardized(own) for own in b.advantages.split([len(r) for r in b.rewards])]
            ),
        ),
        mistake(
            "returns-standardised-before-the-subtraction",
            "You standardised the returns and subtracted the values afterwards. The critic predicts returns in units of reward, "
            "so it has to be subtracted from those: first the difference, then the scale.",
            {"weights": lambda b: b.standardized(b.standardized(b.returns) - b.values)},
            weights=lambda b: b.standardized(b.returns) - b.values,
        ),
        mistake(
            "critic-fitted-to-another-target",
            "You fitted the critic to the advantages, or to standardised returns. Their scale changes with every batch, and "
            "subtracted from raw returns such values take nothing away. The target is the return, in units of reward.",
            {"target": lambda b: b.advantages},
            {"target": lambda b: b.standardized(b.advantages)},
            target=lambda b: b.standardized(b.returns),
        ),
        mistake(
            "critic-half-missing",
            "The critic's loss is the mean squared error without the half, so its steps are twice as long as asked for, and the "
            "returned loss is twice too large. Use your value_loss.",
            critic_loss=functional.mse_loss,
        ),
        mistake(
            "sum-for-mean",
            "You summed over the steps where the mean is asked for, in the policy's loss or in the critic's. A batch of long "
            "episodes then takes a larger step than one of short ones, and the critic's may be large enough to diverge.",
            {"critic_loss": lambda values, targets: 0.5 * functional.mse_loss(values, targets, reduction="sum")},
            {"critic_loss": lambda values, targets: functional.mse_loss(values, targets, reduction="sum")},
            policy_loss=lambda log_prob, weights: -(weights * log_prob).sum(),
        ),
        mistake(
            "returns-across-episodes",
            "You joined the rewards of all episodes before discounting, so the return of one episode contains the rewards of the "
            "next. Discount each on its own, join afterwards.",
            returns=lambda rewards, gamma: discounted_returns(torch.cat(rewards), gamma=gamma),
        ),
        mistake(
            "losses-in-the-wrong-order",
            "The weights are right, but the two losses are returned in the wrong order: the policy's comes first.",
            answer=lambda policy, critic, after: (critic[-1], policy[-1]),
        ),
        mistake(
            "another-value-loss-returned",
            "The weights are right, but the value loss that you returned is the critic's first, the sum or the mean of all, or "
            "one computed afterwards. Asked for is the loss that its last step followed: it shows how far the fit has come, and "
            "it is there already.",
            {"answer": lambda policy, critic, after: (policy[-1], sum(critic))},
            {"answer": lambda policy, critic, after: (policy[-1], sum(critic) / len(critic))},
            {"answer": lambda policy, critic, after: (policy[-1], after)},
            answer=lambda policy, critic, after: (policy[-1], critic[0]),
        ),
    ),
)
