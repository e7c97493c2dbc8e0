"""PPO: the first step is on-policy, the later ones are held back, and the two networks do not disturb each other."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor, nn

from pgcourse import a2c, evaluate, losses, ppo, returns
from pgcourse.envs import make_envs
from pgcourse.errors import InvalidInput
from pgcourse.networks import LOG_STD_RANGE, Categorical, CategoricalPolicy, GaussianPolicy, ValueNetwork
from pgcourse.optim import actor_critic_step
from pgcourse.rollout import Batch, collect_rollout, flatten
from tests.recording import Recorded

TINY = replace(
    ppo.CARTPOLE, total_timesteps=256, num_envs=4, num_steps=16, minibatch_size=64, update_epochs=2, hidden_sizes=(8,)
)
PENDULUM = replace(TINY, env_id="Pendulum-v1", reward_scale=0.1)


def collected(env_id: str = "CartPole-v1", seed: int = 0) -> tuple[nn.Module, nn.Module, Batch]:
    """Policy, critic, and a batch of 64 rows from them."""
    torch.manual_seed(seed)
    envs = make_envs(env_id, 4, seed=seed)
    policy = CategoricalPolicy(4, 2, (8,)) if env_id == "CartPole-v1" else GaussianPolicy(3, 1, (8,))
    critic = ValueNetwork(4 if env_id == "CartPole-v1" else 3, (8,))
    rollout, _ = collect_rollout(policy, critic, envs, envs.reset()[0], 16)
    fields = rollout.rewards, rollout.values, rollout.next_values, rollout.terminated, rollout.truncated
    return policy, critic, flatten(rollout, returns.gae(*fields, gamma=0.99, gae_lambda=0.95))


def updated(
    config: Any, policy: nn.Module, critic: nn.Module, batch: Batch, *, lr: float = 0.05, **seams: Any
) -> tuple[nn.Module, nn.Module, dict[str, Any]]:
    """Copies of the networks after one update with plain gradient descent, and its metrics."""
    policy, critic = copy.deepcopy(policy), copy.deepcopy(critic)
    module = ppo if isinstance(config, ppo.PPOConfig) else a2c
    optimizers = (torch.optim.SGD(network.parameters(), lr=lr) for network in (policy, critic))
    metrics = module.update(policy, critic, *optimizers, batch, config, **seams)  # type: ignore[attr-defined]
    return policy, critic, metrics


def weights(network: nn.Module) -> Tensor:
    return nn.utils.parameters_to_vector(network.parameters()).detach()


class Spy:
    """Stands in for the policy loss, and keeps what it was called with."""

    def __init__(self, loss: Callable[..., Tensor] = losses.ppo_clip_loss) -> None:
        self.loss = loss
        self.ratios: list[Tensor] = []
        self.advantages: list[Tensor] = []
        self.rows: list[Tensor] = []

    def __call__(self, log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, **settings: Any) -> Tensor:
        self.ratios.append((log_prob - old_log_prob).exp().detach())
        self.advantages.append(advantages.clone())
        self.rows.append(old_log_prob.clone())
        return self.loss(log_prob, old_log_prob, advantages, **settings)


# The ratio.


@pytest.mark.parametrize("config", [TINY, PENDULUM], ids=["discrete", "continuous"])
@pytest.mark.parametrize("normalized", [False, True], ids=["raw", "normalized"])
def test_the_first_step_of_every_update_has_a_ratio_of_1(config: ppo.PPOConfig, normalized: bool) -> None:
    """Also while observations are normalised: their statistics must stand still from acting to updating."""
    spy = Spy()
    config = replace(config, normalize_observations=normalized, normalize_rewards=normalized)
    result = ppo.train(config, policy_loss_fn=spy)
    first, second = spy.ratios[0::2], spy.ratios[1::2]  # one full minibatch an epoch, two epochs an update
    assert len(first) == len(result.metrics["losses/policy_loss"]) == 4
    for ratio in first:
        torch.testing.assert_close(ratio, torch.ones_like(ratio), rtol=0, atol=1e-5)
    for ratio in second:
        assert (ratio - 1).abs().max() > 1e-4


def test_statistics_that_move_before_the_update_would_break_it() -> None:
    """The counter-example to the test above: the same run, with observations taken in too early."""
    spy = Spy()

    def too_early(policy: Any, *arguments: Any) -> tuple[Any, Tensor]:
        rollout, obs = collect_rollout(policy, *arguments)
        policy.norm.update(rollout.obs.flatten(0, 1))
        return rollout, obs

    ppo.train(replace(PENDULUM, normalize_observations=True), policy_loss_fn=spy, collect_fn=too_early)
    assert (spy.ratios[2] - 1).abs().max() > 1e-3


# The gradient.


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Pendulum-v1"])
def test_without_a_bonus_the_entropy_is_measured_and_nothing_else(env_id: str) -> None:
    """It costs no backward pass, and its logged value is that of the policy; with a bonus it pulls."""
    policy, critic, batch = collected(env_id)
    tracked: list[bool] = []

    def watched(*arguments: Any, **settings: Any) -> tuple[Tensor, Tensor]:
        objective = arguments[0]
        term = objective.grad_fn.next_functions[1][0]  # objective = policy loss - ent_coef * entropy
        tracked.append(term is not None)
        return actor_critic_step(*arguments, **settings)

    for ent_coef in (0.0, 0.01):
        config = replace(TINY, update_epochs=1, ent_coef=ent_coef)
        _, _, metrics = updated(config, policy, critic, batch, gradient_step_fn=watched)
        expected = policy(batch.obs).entropy().mean().detach()
        torch.testing.assert_close(metrics["losses/entropy"], expected, rtol=1e-5, atol=1e-6)
    assert tracked == [False, True]


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Pendulum-v1"])
@pytest.mark.parametrize("clip_coef", [0.2, None])
def test_one_full_minibatch_is_an_update_of_a2c(env_id: str, clip_coef: float | None) -> None:
    """At a ratio of 1 the clip has no effect, and the gradient of the ratio is that of the log-probability."""
    policy, critic, batch = collected(env_id)
    shared = {"ent_coef": 0.03, "max_grad_norm": 0.7, "num_envs": 4, "num_steps": 16}
    one_step = replace(TINY, update_epochs=1, normalize_advantages="never", clip_coef=clip_coef, **shared)
    ours, our_critic, _ = updated(one_step, policy, critic, batch)
    raw = replace(a2c.CARTPOLE, normalize_advantages=False, **shared)
    theirs, their_critic, _ = updated(raw, policy, critic, batch)
    assert (weights(ours) - weights(policy)).abs().max() > 1e-4
    torch.testing.assert_close(weights(ours), weights(theirs), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(weights(our_critic), weights(their_critic), rtol=1e-4, atol=1e-6)


def test_without_a_clip_a_far_ratio_still_moves_the_policy() -> None:
    """Every ratio is e^1, far above 1.2, and every advantage +1: the clipped objective is flat, the bare one is not."""
    policy, critic, batch = collected()
    far = batch._replace(log_prob=batch.log_prob - 1, advantages=torch.ones(64))
    config = replace(TINY, normalize_advantages="never", update_epochs=1)
    clipped, _, _ = updated(config, policy, critic, far)
    bare, _, metrics = updated(replace(config, clip_coef=None), policy, critic, far)
    assert torch.equal(weights(clipped), weights(policy))
    assert not torch.equal(weights(bare), weights(policy))
    assert metrics["losses/policy_loss"].item() == pytest.approx(-np.e, rel=1e-4)  # -mean(r * 1)
    assert metrics["losses/clipfrac"].item() == 1.0


def test_each_gradient_is_clipped_by_its_own_norm() -> None:
    """The critic's gradient is large and shrinks to 0.5; the policy's is below 0.5 and must come through whole."""
    policy, critic, batch = collected()
    batch = batch._replace(returns=batch.returns + 100)
    config = replace(TINY, update_epochs=1, normalize_advantages="minibatch", max_grad_norm=0.5)
    after, critic_after, metrics = updated(config, policy, critic, batch, lr=1.0)

    advantages = (batch.advantages - batch.advantages.mean()) / batch.advantages.std(correction=0)
    log_prob = policy(batch.obs).log_prob(batch.actions)
    policy_gradient = torch.autograd.grad(-(advantages * log_prob).mean(), list(policy.parameters()))
    value_loss = 0.5 * ((critic(batch.obs) - batch.returns) ** 2).mean()
    critic_gradient = torch.autograd.grad(value_loss, list(critic.parameters()))
    policy_step, critic_step = (torch.cat([g.flatten() for g in gs]) for gs in (policy_gradient, critic_gradient))
    assert policy_step.norm() < 0.5 < 50 < critic_step.norm()
    torch.testing.assert_close(weights(policy) - weights(after), policy_step, rtol=1e-3, atol=1e-6)
    shortened = critic_step * 0.5 / critic_step.norm()
    torch.testing.assert_close(weights(critic) - weights(critic_after), shortened, rtol=1e-3, atol=1e-6)
    # what is logged is the norm before clipping
    assert metrics["losses/policy_grad_norm"].item() == pytest.approx(policy_step.norm().item(), rel=1e-3)
    assert metrics["losses/critic_grad_norm"].item() == pytest.approx(critic_step.norm().item(), rel=1e-3)


# Advantages.


def test_the_learners_advantages_are_the_ones_that_are_used() -> None:
    spy, update = Spy(), Recorded(ppo.update)
    config = replace(TINY, normalize_advantages="never", total_timesteps=64)
    sevens = lambda rewards, *rest, **settings: torch.full_like(rewards, 7.0)  # noqa: E731
    ppo.train(config, advantage_fn=sevens, policy_loss_fn=spy, update_fn=update)
    assert all(torch.equal(advantages, torch.full((64,), 7.0)) for advantages in spy.advantages)
    (call,) = update.calls
    returns = call.arguments[4].returns
    assert (returns - 7).abs().max() < 5  # targets are advantages + values, and a fresh critic says about 0
    assert (returns - 7).std() > 0


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Pendulum-v1"])
def test_an_action_with_a_positive_advantage_becomes_more_probable(env_id: str) -> None:
    policy, critic, batch = collected(env_id)
    only = batch._replace(advantages=torch.eye(64)[5])
    after, _, _ = updated(replace(TINY, normalize_advantages="never"), policy, critic, only, lr=0.5)
    assert after(batch.obs).log_prob(batch.actions)[5] > batch.log_prob[5]


@pytest.mark.parametrize("setting", ["minibatch", "batch", "never"])
def test_advantages_are_normalised_over_what_the_setting_says(setting: str) -> None:
    """Whichever it is, explained variance is of the critic that acted, before it was fitted to these returns."""
    policy, critic, batch = collected()
    spy = Spy()
    config = replace(TINY, minibatch_size=16, update_epochs=1, normalize_advantages=setting)
    updated(config, policy, critic, batch, lr=1e-6, policy_loss_fn=spy)
    together = torch.cat(spy.advantages)
    if setting == "never":
        torch.testing.assert_close(together.sort().values, batch.advantages.sort().values)
    else:
        assert together.mean().abs() < 1e-5
        assert together.std(correction=0) == pytest.approx(1.0, abs=1e-4)
        alone = torch.stack(spy.advantages).mean(dim=1).abs().max() < 1e-5  # of [4, 16]
        assert bool(alone) == (setting == "minibatch")

    _, _, metrics = updated(replace(TINY, normalize_advantages=setting), policy, critic, batch)
    with torch.no_grad():
        expected = 1 - (batch.returns - critic(batch.obs)).var() / batch.returns.var()
    assert metrics["losses/explained_variance"].item() == pytest.approx(expected.item(), abs=1e-4)


# Epochs and minibatches.


@pytest.mark.parametrize(("batch_size", "minibatch_size", "sizes"), [(10, 4, [4, 4, 2]), (8, 4, [4, 4]), (3, 3, [3])])
def test_minibatches_partition_the_batch(batch_size: int, minibatch_size: int, sizes: list[int]) -> None:
    parts = ppo.minibatches(batch_size, minibatch_size, device=torch.device("cpu"))
    assert [len(part) for part in parts] == sizes
    assert torch.cat(parts).sort().values.tolist() == list(range(batch_size))


def test_every_epoch_sees_each_row_once_in_a_new_order() -> None:
    policy, critic, batch = collected()
    numbered = batch._replace(log_prob=torch.arange(64.0))  # stands for the row; the loss below does not look at it
    spy = Spy(lambda log_prob, _, advantages, **settings: losses.reinforce_loss(log_prob, advantages))
    config = replace(TINY, minibatch_size=24, update_epochs=3)
    updated(config, policy, critic, numbered, policy_loss_fn=spy)
    assert [len(rows) for rows in spy.rows] == [24, 24, 16] * 3
    epochs = torch.cat(spy.rows).reshape(3, 64)
    assert torch.equal(epochs.sort(dim=1).values, torch.arange(64.0).expand(3, 64))
    assert not torch.equal(epochs[0], epochs[1])


def test_epochs_stop_after_the_first_that_exceeds_target_kl() -> None:
    policy, critic, batch = collected()
    config = replace(TINY, update_epochs=6, max_grad_norm=None)
    kls = [0.0]  # before the first epoch, and after each: one full minibatch

    def watched(policy_loss: Tensor, value_loss: Tensor, policy: nn.Module, *rest: Any, **options: Any) -> Any:
        norms = actor_critic_step(policy_loss, value_loss, policy, *rest, **options)
        with torch.no_grad():
            ratio = (policy(batch.obs).log_prob(batch.actions) - batch.log_prob).exp()
        kls.append(float((ratio - 1 - ratio.log()).mean()))
        return norms

    def epochs(target_kl: float | None, **seams: Any) -> tuple[float, float]:
        limited = replace(config, target_kl=target_kl)
        _, _, metrics = updated(limited, policy, critic, batch, lr=0.5, **seams)
        return metrics["charts/epochs"], metrics["charts/early_stop"]

    assert epochs(None, gradient_step_fn=watched) == (6, 0)
    assert kls == sorted(kls)
    for epoch in (1, 3, 6):  # a limit between the KL after this epoch and the one before
        assert epochs((kls[epoch - 1] + kls[epoch]) / 2) == (epoch, epoch < 6)
    assert epochs(10.0) == (6, 0)


def test_metrics_are_means_over_all_steps_of_the_update() -> None:
    policy, critic, batch = collected()
    spy = Spy()
    config = replace(TINY, minibatch_size=16, update_epochs=3)
    _, _, metrics = updated(config, policy, critic, batch, lr=0.5, policy_loss_fn=spy)
    ratios = torch.cat(spy.ratios)  # [3 epochs x 64]
    assert metrics["losses/approx_kl"].item() == pytest.approx((ratios - 1 - ratios.log()).mean().item(), abs=1e-6)
    assert metrics["losses/clipfrac"].item() == pytest.approx(((ratios - 1).abs() > 0.2).float().mean().item())
    assert metrics["charts/ratio_mean"].item() == pytest.approx(ratios.mean().item(), rel=1e-5)


@pytest.mark.parametrize("clip_coef", [0.05, 0.2, 0.6, None])
def test_diagnostics_compare_the_policy_with_the_one_that_acted_at_the_clip_of_the_config(
    clip_coef: float | None,
) -> None:
    """Known log-ratios, far from symmetric, and steps of length 0: what the update reports can be worked out by hand."""
    policy, critic, batch = collected()
    log_ratio = torch.linspace(-1.0, 2.0, 64)
    far = batch._replace(log_prob=policy(batch.obs).log_prob(batch.actions).detach() - log_ratio)
    config = replace(TINY, clip_coef=clip_coef, minibatch_size=16, update_epochs=1)
    _, _, metrics = updated(config, policy, critic, far, lr=0.0)
    ratio = np.exp(log_ratio.double().numpy())
    expected = {
        "losses/approx_kl": np.mean(ratio - 1 - np.log(ratio)),  # 0.85; with the policies exchanged 0.36
        "losses/clipfrac": np.mean(np.abs(ratio - 1) > (clip_coef or 0.2)),
        "charts/ratio_mean": ratio.mean(),
        "charts/ratio_std": ratio.std(),
    }
    for name, number in expected.items():
        assert float(metrics[name]) == pytest.approx(number, rel=1e-4), name
    _, _, limited = updated(replace(config, target_kl=0.6, update_epochs=3), policy, critic, far, lr=0.0)
    assert (limited["charts/epochs"], limited["charts/early_stop"]) == (1, 1), (
        "that divergence is the one that is limited"
    )


@pytest.mark.parametrize("setting", ["minibatch", "batch", "never"])
def test_charts_are_of_the_batch_as_it_came_and_losses_means_over_the_steps(setting: str) -> None:
    policy, critic, batch = collected()
    batch = batch._replace(advantages=3 * batch.advantages + 1)
    values = batch.returns - batch.advantages
    spy, step = Spy(), Recorded(actor_critic_step)
    config = replace(TINY, minibatch_size=16, normalize_advantages=setting)
    _, _, metrics = updated(config, policy, critic, batch, lr=0.5, policy_loss_fn=spy, gradient_step_fn=step)
    seen = {
        "losses/value_loss": [float(call.arguments[1].detach()) for call in step.calls],
        "losses/policy_loss": [float(call.arguments[0].detach()) for call in step.calls],  # without an entropy bonus
        "losses/policy_grad_norm": [float(call.result[0]) for call in step.calls],
        "losses/critic_grad_norm": [float(call.result[1]) for call in step.calls],
    }
    expected = {name: float(np.mean(numbers)) for name, numbers in seen.items()} | {
        "charts/value_mean": float(values.mean()),
        "charts/return_mean": float(batch.returns.mean()),
        "charts/advantage_mean": float(batch.advantages.mean()),
        "charts/advantage_std": float(batch.advantages.std(correction=0)),
    }
    for name, number in expected.items():
        assert float(metrics[name]) == pytest.approx(number, rel=1e-4, abs=1e-6), name


# Networks of the learner's own, and other refusals.


class Own(nn.Module):
    """Written for observations [B, D] and nothing else, as a learner would."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.body = nn.Linear(4, outputs)

    def forward(self, obs: Tensor) -> Tensor | torch.distributions.Distribution:
        batch, _ = obs.shape
        out = self.body(obs).view(batch, -1)
        return out[:, 0] if out.shape[1] == 1 else torch.distributions.Categorical(logits=out)


def test_networks_written_for_a_flat_batch_are_enough() -> None:
    """With T = N a wrong axis would broadcast without an error, so values are compared too."""
    torch.manual_seed(0)
    policy, critic = Own(2), Own(1)
    envs = make_envs("CartPole-v1", 6, seed=0)
    rollout, _ = collect_rollout(policy, critic, envs, envs.reset()[0], 6)
    assert rollout.values.shape == rollout.next_values.shape == rollout.log_prob.shape == (6, 6)
    with torch.no_grad():
        torch.testing.assert_close(rollout.values, critic.body(rollout.obs).squeeze(-1))
    result = ppo.train(replace(TINY, total_timesteps=128), policy=policy, critic=critic)
    assert result.policy is policy
    assert len(result.metrics["losses/policy_loss"]) == 2


# The distributions that the gradient goes through.


def test_gradient_of_a_softmax_log_probability_is_one_hot_minus_probabilities() -> None:
    torch.manual_seed(0)
    logits = torch.randn(6, 5, dtype=torch.float64, requires_grad=True)
    actions = torch.tensor([0, 1, 2, 3, 4, 0])
    Categorical(logits).log_prob(actions).sum().backward()
    exponentials = logits.detach().exp()
    expected = torch.eye(5, dtype=torch.float64)[actions] - exponentials / exponentials.sum(dim=-1, keepdim=True)
    torch.testing.assert_close(logits.grad, expected)


def gaussian(dimensions: int, seed: int = 0) -> tuple[GaussianPolicy, Tensor, Tensor]:
    torch.manual_seed(seed)
    policy = GaussianPolicy(3, dimensions, (8,)).double()
    with torch.no_grad():
        policy.log_std.copy_(torch.linspace(-1, 0.5, dimensions))
        policy.mean[-1].bias.copy_(torch.linspace(-2, 2, dimensions))  # type: ignore[union-attr,operator]
    return policy, torch.randn(7, 3, dtype=torch.float64), 2 * torch.randn(7, dimensions, dtype=torch.float64)


@pytest.mark.parametrize("dimensions", [1, 3])
def test_gaussian_log_probability_and_entropy_are_scipys(dimensions: int) -> None:
    """One number a row, summed over the dimensions of the action: [B], never [B, D]."""
    policy, obs, actions = gaussian(dimensions)
    distribution = policy(obs)
    log_prob, entropy = distribution.log_prob(actions), distribution.entropy()
    assert log_prob.shape == entropy.shape == (7,)
    covariance = np.diag(np.exp(2 * policy.log_std.detach().numpy()))
    for row, mean in enumerate(distribution.mean.detach().numpy()):
        normal = stats.multivariate_normal(mean, covariance)
        assert log_prob[row].item() == pytest.approx(normal.logpdf(actions[row]), rel=1e-9)
        assert entropy[row].item() == pytest.approx(normal.entropy(), rel=1e-9)


def test_gradients_of_a_gaussian_log_probability_by_hand() -> None:
    """d/d mean = (a - mean) / std^2, and d/d log_std = ((a - mean) / std)^2 - 1."""
    policy, obs, actions = gaussian(3)
    mean = policy(obs).mean.detach()
    std = policy.log_std.detach().exp()
    policy(obs).log_prob(actions).sum().backward()
    bias = policy.mean[-1].bias.grad  # type: ignore[union-attr]
    torch.testing.assert_close(bias, ((actions - mean) / std**2).sum(dim=0))
    torch.testing.assert_close(policy.log_std.grad, (((actions - mean) / std) ** 2 - 1).sum(dim=0))


@pytest.mark.parametrize(("log_std", "limit"), [(-40.0, LOG_STD_RANGE[0]), (40.0, LOG_STD_RANGE[1])])
def test_the_standard_deviation_stays_within_its_range(log_std: float, limit: float) -> None:
    policy = GaussianPolicy(3, 1)
    nn.init.constant_(policy.log_std, log_std)
    assert policy(torch.zeros(1, 3)).stddev.item() == pytest.approx(np.exp(limit))
    assert policy(torch.zeros(1, 3)).log_prob(torch.ones(1, 1)).isfinite().all()


@pytest.mark.parametrize("initial_std", [0.001, 8.0])
def test_a_standard_deviation_that_could_never_learn_is_refused(initial_std: float) -> None:
    """Beyond the clamp the gradient is 0, so it would stay there for the whole run."""
    message = f"initial_std={initial_std} is not allowed; use a number above 0.007 and below 7.4"
    with pytest.raises(InvalidInput, match=message):
        ppo.train(replace(PENDULUM, initial_std=initial_std))
    policy = GaussianPolicy(3, 1, initial_std=7.0)
    policy(torch.zeros(1, 3)).log_prob(torch.ones(1, 1)).sum().backward()
    assert policy.log_std.grad is not None and policy.log_std.grad.abs() > 0.1


def test_the_log_probability_in_a_rollout_is_of_the_unclipped_action() -> None:
    """Standard deviation 5, torques limited to 2: about two thirds of the samples lie outside, and stay there."""
    torch.manual_seed(0)
    envs, policy, critic = make_envs("Pendulum-v1", 8, seed=0), GaussianPolicy(3, 1, initial_std=5.0), ValueNetwork(3)
    rollout, _ = collect_rollout(policy, critic, envs, envs.reset()[0], 50)
    assert 0.6 < (rollout.actions.abs() > 2).float().mean() < 0.78  # P(|a| > 2) = 0.689
    expected = stats.norm(0, 5).logpdf(rollout.actions[..., 0].numpy())  # a fresh policy's mean is about 0
    np.testing.assert_allclose(rollout.log_prob.numpy(), expected, atol=0.05)


# Learning.


@pytest.mark.slow
def test_pendulum_swings_up_within_60_thousand_steps() -> None:
    result = ppo.train(replace(ppo.PENDULUM, seed=100, total_timesteps=60_000))
    assert evaluate(result.policy, "Pendulum-v1", num_episodes=100, seed=0).mean >= -250
