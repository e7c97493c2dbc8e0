"""An update: gradient steps of the model on answers that it gave, and of a critic where there is one."""

from collections import defaultdict
from collections.abc import Callable

import torch
from torch import Tensor, nn

from .. import optim
from ..diagnostics import approx_kl, clip_fraction
from ..errors import InvalidInput
from ..returns import gae
from . import losses
from .advantages import AdvantageFn
from .config import LanguageConfig
from .sampling import Answers, answer_logits
from .transformer import Transformer

Metrics = dict[str, Tensor | float]
# (answers, rewards of their tokens [B, T]) -> advantages [B, T], and metrics of what was fitted on the way
Estimator = Callable[[Answers, Tensor], tuple[Tensor, Metrics]]


def update(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    answers: Answers,
    advantages: Tensor,
    config: LanguageConfig,
    *,
    reference_log_prob: Tensor | None = None,
) -> Metrics:
    """A few gradient steps on the same answers. Args: advantages, reference_log_prob: [B, T].

    Returns: metrics, each the mean over the steps.
    """
    history: dict[str, list[Tensor]] = defaultdict(list)
    for _ in range(config.update_epochs):
        choices = (answer_logits(model, answers) / config.temperature).log_softmax(-1)  # [B, T, V]
        log_prob = choices.gather(-1, answers.tokens.unsqueeze(-1)).squeeze(-1)
        log_ratio = losses.log_ratio(log_prob, answers.log_prob, answers.mask, of=config.ratio)
        each = losses.clipped_loss(log_ratio, advantages, clip_coef=config.clip_coef)
        if reference_log_prob is not None:
            if config.kl_coef and config.kl_in == "loss":
                each = each + config.kl_coef * losses.KL_BY_NAME[config.kl_estimator](log_prob, reference_log_prob)
            with torch.no_grad():  # nats an answer
                distance = losses.k1(log_prob, reference_log_prob) * answers.mask
                history["losses/reference_kl"].append(distance.sum(-1).mean())
        loss = losses.average(each, answers.mask, config.average)
        norm = optim.gradient_step(loss, model, optimizer, max_grad_norm=config.max_grad_norm)
        with torch.no_grad():
            moved = log_ratio[answers.mask]
            unmoved = torch.zeros_like(moved)
            history["losses/policy_loss"].append(loss.detach())
            history["losses/entropy"].append(-(choices.exp() * choices).sum(-1)[answers.mask].mean())  # nats a token
            history["losses/approx_kl"].append(approx_kl(moved, unmoved))
            history["losses/clipfrac"].append(clip_fraction(moved, unmoved, clip_coef=config.clip_coef or 0.2))
            history["losses/policy_grad_norm"].append(norm)
    return {name: torch.stack(values).mean() for name, values in history.items()}


def group_estimator(advantage_fn: AdvantageFn, num_samples: int) -> Estimator:
    """Advantages from the whole reward of each answer beside those of the others: the same for all of its tokens."""

    def estimate(answers: Answers, rewards: Tensor) -> tuple[Tensor, Metrics]:
        of_answers = advantage_fn(rewards.sum(-1).view(-1, num_samples))  # [P, M]
        return of_answers.reshape(-1, 1).expand_as(rewards), {}

    return estimate


def critic_estimator(critic: nn.Module, config: LanguageConfig) -> Estimator:
    """Generalised advantages, token by token, from a critic that is fitted afterwards to the returns."""
    optimizer = optim.adam(critic.parameters(), config.critic_lr)

    def estimate(answers: Answers, rewards: Tensor) -> tuple[Tensor, Metrics]:
        advantages, returns = critic_advantages(critic, answers, rewards, gae_lambda=config.gae_lambda)
        return advantages, update_critic(critic, optimizer, answers, returns, config)

    return estimate


def critic_advantages(
    critic: nn.Module, answers: Answers, rewards: Tensor, *, gae_lambda: float
) -> tuple[Tensor, Tensor]:
    """Generalised advantages of every token, and the returns that the critic is fitted to, [B, T] each.

    Args: rewards: [B, T], of each token. Nothing is discounted; an answer that is cut short has ended all the same.
    """
    with torch.no_grad():
        values = answer_values(critic, answers).T  # in order of time, [T, B], as `gae` has it
    last = answers.mask.T & ~torch.cat([answers.mask.T[1:], torch.zeros_like(answers.mask.T[:1])])
    following = torch.cat([values[1:], torch.zeros_like(values[:1])])
    advantages = gae(rewards.T, values, following, last, torch.zeros_like(last), gamma=1.0, gae_lambda=gae_lambda)
    return advantages.T, (advantages + values).T


def answer_values(critic: nn.Module, answers: Answers) -> Tensor:
    """What the critic expects [B, T] before each of the answers' tokens is chosen."""
    text = torch.cat([answers.prompts, answers.tokens[:, :-1]], dim=1)
    values: Tensor = critic(text)[:, answers.prompts.shape[1] - 1 :]
    return values


def update_critic(
    critic: nn.Module, optimizer: torch.optim.Optimizer, answers: Answers, returns: Tensor, config: LanguageConfig
) -> Metrics:
    """As many steps as the policy takes, on half of the squared error. Returns: metrics."""
    history = []
    for _ in range(config.update_epochs):
        error = (answer_values(critic, answers) - returns)[answers.mask]
        loss = 0.5 * error.square().mean()
        optim.gradient_step(loss, critic, optimizer, max_grad_norm=config.max_grad_norm)
        history.append(loss.detach())
    return {"losses/value_loss": torch.stack(history).mean()}


def critic_like(model: nn.Module) -> Transformer:
    """A network of the model's shape and weights whose last layer gives values: a critic that can read already."""
    if not isinstance(model, Transformer):
        raise InvalidInput(
            f"no critic can be made from a {type(model).__name__}; hand one over: `critic=`, tokens [B, L] -> values [B, L]"
        )
    critic = Transformer(**{**model.arguments, "values": True})
    weights = {name: value for name, value in model.state_dict().items() if not name.startswith("head.")}
    critic.load_state_dict(weights, strict=False)
    return critic
