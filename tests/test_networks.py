"""Policies are the distributions they say they are; networks start as they should and can be described and rebuilt."""

import math

import numpy as np
import pytest
import scipy.stats
import torch
from gymnasium import spaces
from torch import nn

from pgcourse import networks
from pgcourse.errors import InvalidInput
from pgcourse.networks import Categorical, CategoricalPolicy, GaussianPolicy, ValueNetwork

LOGITS = torch.tensor([[0.0, 1.0, -2.0, 0.5], [3.0, 3.0, -30.0, 0.0]])


@pytest.mark.parametrize("by_shape", [True, False])
def test_actions_are_drawn_with_the_probabilities_of_the_softmax(by_shape: bool) -> None:
    """A chi-square test of 40,000 draws a row; the second row has an action that should never come."""
    torch.manual_seed(0)
    count = 40_000
    if by_shape:
        actions = Categorical(LOGITS).sample((count,))
    else:
        actions = Categorical(LOGITS.repeat(count, 1)).sample().reshape(count, 2)
    assert (actions.shape, actions.dtype) == ((count, 2), torch.int64)
    for row in range(2):
        probabilities = LOGITS[row].double().softmax(0).numpy()
        counts = np.bincount(actions[:, row].numpy(), minlength=4)
        likely = probabilities > 1e-6
        assert counts[~likely].sum() == 0
        expected = probabilities[likely] / probabilities[likely].sum() * count
        assert scipy.stats.chisquare(counts[likely], expected).pvalue > 1e-3


def test_an_impossible_action_is_never_drawn() -> None:
    torch.manual_seed(0)
    logits = torch.tensor([-math.inf, 0.0, -math.inf]).expand(10_000, 3)
    assert (Categorical(logits).sample() == 1).all()


def test_one_draw_does_not_tell_the_next() -> None:
    torch.manual_seed(0)
    draws = Categorical(torch.zeros(20_000, 2)).sample().double()
    neighbours = np.corrcoef(draws[:-1], draws[1:])[0, 1]
    assert abs(neighbours) < 4 / math.sqrt(20_000)


def test_log_prob_entropy_and_mode_are_torchs() -> None:
    ours, theirs = Categorical(LOGITS), torch.distributions.Categorical(logits=LOGITS)
    actions = torch.tensor([2, 0])
    torch.testing.assert_close(ours.log_prob(actions), theirs.log_prob(actions))
    torch.testing.assert_close(ours.entropy(), theirs.entropy())
    for name in ("mode", "logits", "probs"):
        torch.testing.assert_close(getattr(ours, name), getattr(theirs, name))
    torch.testing.assert_close(torch.distributions.kl_divergence(ours, theirs), torch.zeros(2), atol=1e-6, rtol=0)


def test_log_prob_and_entropy_by_hand() -> None:
    # Probabilities 1/4 and 3/4: entropy = ln 4 - 3/4 ln 3.
    distribution = Categorical(torch.tensor([[0.0, math.log(3.0)]]))
    assert distribution.log_prob(torch.tensor([1])).item() == pytest.approx(math.log(0.75))
    assert distribution.entropy().item() == pytest.approx(math.log(4) - 0.75 * math.log(3))
    # Argument validation stays on for everybody else.
    with pytest.raises(ValueError):
        torch.distributions.Categorical(probs=torch.tensor([-1.0, 2.0]))


def test_a_sample_carries_no_gradient_and_its_log_prob_does() -> None:
    distribution = CategoricalPolicy(3, 2)(torch.zeros(5, 3))
    assert not distribution.sample().requires_grad
    assert distribution.log_prob(distribution.sample()).requires_grad


def linears(network: nn.Module) -> list[nn.Linear]:
    return [module for module in network.modules() if isinstance(module, nn.Linear)]


def test_layers_have_the_sizes_asked_for_and_an_activation_between_them() -> None:
    network = networks.mlp([4, 8, 16, 2])
    assert [type(layer).__name__ for layer in network] == ["Linear", "Tanh", "Linear", "Tanh", "Linear"]
    assert [(layer.in_features, layer.out_features) for layer in linears(network)] == [(4, 8), (8, 16), (16, 2)]
    assert len(linears(networks.mlp([4, 2]))) == 1


@pytest.mark.parametrize(("network", "last"), [(CategoricalPolicy(6, 3), 0.01), (ValueNetwork(6), 1.0)])
def test_weights_start_orthogonal_and_biases_at_zero(network: nn.Module, last: float) -> None:
    """W W^T = gain^2 I over the shorter side; sqrt(2) inside, and the last layer of a policy small."""
    layers = linears(network)
    for layer in layers:
        weight = layer.weight.detach()
        short = weight if weight.shape[0] <= weight.shape[1] else weight.T
        gain = last if layer is layers[-1] else math.sqrt(2)
        torch.testing.assert_close(short @ short.T, gain**2 * torch.eye(len(short)), atol=1e-5, rtol=1e-5)
        assert not layer.bias.any()


def test_a_new_policy_is_nearly_uniform_whatever_it_sees() -> None:
    torch.manual_seed(0)
    probabilities = CategoricalPolicy(4, 3)(10 * torch.randn(200, 4)).probs
    assert (probabilities - 1 / 3).abs().max() < 0.02


def test_a_value_is_one_number_for_each_observation() -> None:
    assert ValueNetwork(4)(torch.zeros(7, 4)).shape == (7,)
    assert ValueNetwork(4, hidden_sizes=())(torch.zeros(5, 7, 4)).shape == (5, 7)


def test_a_gaussian_policy_sums_the_log_probabilities_of_its_action_dimensions() -> None:
    policy = GaussianPolicy(3, 2, initial_std=0.5)
    obs, actions = torch.randn(4, 3), torch.randn(4, 2)
    distribution = policy(obs)
    mean = distribution.mode
    assert mean.shape == (4, 2)
    # log N(a; m, s) = -(a - m)^2 / (2 s^2) - log s - log(2 pi) / 2, summed over the two dimensions.
    by_hand = (-((actions - mean) ** 2) / (2 * 0.25) - math.log(0.5) - 0.5 * math.log(2 * math.pi)).sum(1)
    torch.testing.assert_close(distribution.log_prob(actions), by_hand)
    # Entropy of a normal: log(s) + (1 + log(2 pi)) / 2 in each dimension.
    entropy = 2 * (math.log(0.5) + 0.5 * (1 + math.log(2 * math.pi)))
    torch.testing.assert_close(distribution.entropy(), torch.full((4,), entropy))


@pytest.mark.parametrize(
    "network",
    [CategoricalPolicy(5, 3, (16, 8)), GaussianPolicy(5, 2, (16,)), ValueNetwork(5, ())],
    ids=lambda n: type(n).__name__,
)
def test_a_described_network_can_be_rebuilt_and_filled(network: nn.Module) -> None:
    description = networks.describe_network(network)
    assert description is not None
    twin = networks.build_network(description)
    twin.load_state_dict(network.state_dict())
    obs = torch.randn(4, 5)
    first, second = network(obs), twin(obs)
    if isinstance(first, torch.distributions.Distribution):
        first, second = first.mode, second.mode
    assert torch.equal(first, second)
    assert networks.describe_network(twin) == description


def test_a_network_of_the_learners_own_is_not_described_even_under_our_name() -> None:
    own = type("CategoricalPolicy", (CategoricalPolicy,), {})(4, 2)
    assert networks.describe_network(own) is None
    assert networks.describe_network(nn.Linear(1, 1)) is None
    assert networks.describe_network(None) is None


def test_an_unknown_network_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match="unknown network 'Transformer'; known are CategoricalPolicy, "):
        networks.build_network({"name": "Transformer", "arguments": {}})


def test_the_policy_and_the_critic_fit_the_spaces() -> None:
    observations = spaces.Box(-1, 1, (6,))
    policy = networks.make_policy(observations, spaces.Discrete(3, start=4), (8,))
    assert policy(torch.zeros(2, 6)).probs.shape == (2, 3)
    assert networks.make_policy(observations, spaces.Box(-1, 1, (2,)))(torch.zeros(4, 6)).sample().shape == (4, 2)
    assert networks.make_critic(observations, (8,))(torch.zeros(2, 6)).shape == (2,)
    with pytest.raises(InvalidInput, match="flat Box"):
        networks.make_policy(spaces.Box(0, 1, (2, 2)), spaces.Discrete(2))
