"""The studies of lesson 07, sections 5.3 and 5.4: their networks, what they count, and their batches."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from pgcourse import optim, ppo
from pgcourse.envs import make_envs
from pgcourse.networks import CategoricalPolicy, ValueNetwork
from tools.claims import batches_and_budgets
from tools.claims import network_parts as networks
from tools.claims.networks import BEFORE, BEFORE_CLIPPED
from tools.claims.ppo import SHORT

ONE_UPDATE = replace(SHORT, total_timesteps=SHORT.batch_size)


def layers_with(biases: list[float]) -> nn.Sequential:
    """One hidden layer whose units get the first element of the observation plus a bias; one output."""
    layers = nn.Sequential(nn.Linear(2, len(biases)), nn.ReLU(), nn.Linear(len(biases), 1))
    with torch.no_grad():
        layers[0].weight.copy_(torch.tensor([[1.0, 0.0]] * len(biases)))
        layers[0].bias.copy_(torch.tensor(biases))
    return layers


def test_a_unit_is_off_where_no_observation_gives_it_a_positive_input() -> None:
    obs = torch.tensor([[1.0, 7.0], [-1.0, 7.0]])
    assert networks.share_off(layers_with([0.0, -0.5, -1.0, -2.0]), obs) == 0.5  # the last two; 0 is no positive input


def test_no_gradient_reaches_the_weights_of_a_relu_unit_that_is_off() -> None:
    layers = layers_with([0.0, -2.0])
    layers(torch.tensor([[1.0, 7.0], [-1.0, 7.0]])).sum().backward()
    assert layers[0].weight.grad[0].any() and not layers[0].weight.grad[1].any()


def test_units_are_counted_in_both_networks() -> None:
    metrics = ppo.train(replace(ONE_UPDATE, activation="relu"), device="cpu", update_fn=networks.counted).metrics
    for name in ("policy", "critic"):
        assert 0 <= metrics[f"charts/dead_{name}"][0] <= metrics[f"charts/off_{name}"][0] < 1


@pytest.mark.parametrize(
    ("policy", "critic", "variance"),
    [
        (networks.xavier_policy, networks.xavier_critic, 2 / 64),
        (networks.he_policy, networks.he_critic, 2 / 32),
    ],
)
def test_hidden_layers_have_the_variance_of_their_rule_and_the_last_is_the_packages(policy, critic, variance) -> None:
    with optim.seeded(0):
        made = [(policy(), critic()) for _ in range(30)]
    middle = torch.stack([network.weight for pair in made for network in (pair[0].logits[2], pair[1].values[2])])
    assert float(middle.detach().var()) == pytest.approx(variance, rel=0.05)
    for one, other in made:
        assert float(one.logits[-1].weight.detach().norm(dim=1).mean()) == pytest.approx(0.01)  # orthogonal, times 0.01
        assert float(other.values[-1].weight.detach().norm()) == pytest.approx(1)
        assert not any(layer.bias.any() for layer in one.logits if isinstance(layer, nn.Linear))


def test_ddpgs_last_layer_is_about_as_small_as_the_packages() -> None:
    with optim.seeded(0):
        ddpg = torch.stack([networks.last_layer(networks.ddpg_policy()).weight for _ in range(50)])
        ours = torch.stack([networks.last_layer(CategoricalPolicy(4, 2, networks.HIDDEN)).weight for _ in range(50)])
    assert float(ddpg.detach().abs().max()) <= networks.DDPG_BOUND
    assert float((ddpg.std() / ours.std()).detach()) == pytest.approx(1, abs=0.1)


def first_update(**seams) -> dict[str, float]:
    found = {}

    def update(*arguments, **functions):
        metrics = networks.watched(*arguments, **functions)
        found.update({name: float(metrics[name]) for name in (BEFORE, BEFORE_CLIPPED)})
        return metrics

    ppo.train(ONE_UPDATE, device="cpu", update_fn=update, **seams)
    return found


def large(policy: nn.Module) -> nn.Module:
    """With logits of some size: the package's start near 0, where a mask changes little."""
    with torch.no_grad():
        networks.last_layer(policy).weight *= 300
    return policy


def test_before_the_first_step_the_ratio_is_1_and_with_dropout_it_is_not() -> None:
    with optim.seeded(1):
        plain, dropped, still = (
            large(make())
            for make in (
                lambda: CategoricalPolicy(4, 2, networks.HIDDEN),
                networks.dropout_policy,
                networks.dropout_policy,
            )
        )
    assert first_update(policy=plain) == {BEFORE: pytest.approx(0, abs=1e-6), BEFORE_CLIPPED: 0}
    for found in (first_update(policy=dropped), first_update(policy=still, collect_fn=networks.collect_still)):
        assert found[BEFORE] > 0.05 and found[BEFORE_CLIPPED] > 0


def test_dropout_in_the_critic_alone_leaves_the_ratio_at_1() -> None:
    assert first_update(critic=networks.dropout_critic())[BEFORE] == pytest.approx(0, abs=1e-6)


def test_a_still_rollout_is_collected_without_dropout_and_training_goes_on_with_it() -> None:
    with optim.seeded(1):
        policy, critic = large(networks.dropout_policy()), networks.dropout_critic()
        envs = make_envs("CartPole-v1", 4, seed=0)
        rollout, _ = networks.collect_still(policy, critic, envs, envs.reset()[0], 8)
    assert policy.training and critic.training
    policy.eval()
    with torch.no_grad():
        log_prob = policy(rollout.obs.flatten(0, 1)).log_prob(rollout.actions.flatten())
    torch.testing.assert_close(log_prob, rollout.log_prob.flatten())


def test_dropout_stands_behind_each_activation_and_nowhere_else() -> None:
    kinds = [type(layer) for layer in networks.dropout_policy().logits]
    assert kinds == [nn.Linear, nn.Tanh, nn.Dropout] * 2 + [nn.Linear]
    assert not any(isinstance(module, nn.Dropout) for module in ValueNetwork(4, networks.HIDDEN).modules())


def test_only_the_minibatch_changes_and_it_divides_the_rollout() -> None:
    for name, config in batches_and_budgets.MINIBATCH.items():
        rates = {"policy_lr": SHORT.policy_lr, "critic_lr": SHORT.critic_lr} if name.endswith("slow") else {}
        assert replace(config, minibatch_size=SHORT.minibatch_size, **rates) == SHORT
        assert config.batch_size % config.minibatch_size == 0


def test_a_rollout_of_another_shape_has_as_many_rows() -> None:
    for config in batches_and_budgets.SHAPES.values():
        assert config.batch_size == SHORT.batch_size
        assert replace(config, num_envs=SHORT.num_envs, num_steps=SHORT.num_steps) == SHORT
    assert batches_and_budgets.PENDULUM["pendulum_300_envs"].batch_size == ppo.PENDULUM.batch_size
    assert all(config.batch_size < SHORT.batch_size for config in batches_and_budgets.TINY.values())
