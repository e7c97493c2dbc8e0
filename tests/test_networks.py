"""Policies are the distributions they say they are; networks start as they should and can be described and rebuilt."""

import json
import math
import typing

import numpy as np
import pytest
import scipy.stats
import torch
from gymnasium import spaces
from torch import nn

from pgcourse import networks
from pgcourse.algorithms.recurrent import RecurrentCritic, RecurrentPolicy
from pgcourse.config import Activation
from pgcourse.errors import InvalidInput
from pgcourse.language.transformer import Transformer
from pgcourse.networks import (
    Categorical,
    CategoricalPolicy,
    ConvolutionalCritic,
    ConvolutionalPolicy,
    GaussianPolicy,
    MaskedPolicy,
    MultiCategoricalPolicy,
    ValueNetwork,
)
from tests.recording import refused

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


@pytest.mark.parametrize("name", networks.NETWORKS)
def test_a_described_network_can_be_rebuilt_and_filled(name: str) -> None:
    network, obs = next((network, obs) for network, obs in one_of_each() if type(network).__name__ == name)
    description = networks.describe_network(network)
    assert description is not None
    twin = networks.build_network(json.loads(json.dumps(description)))
    twin.load_state_dict(network.state_dict())
    first, second = network(obs), twin(obs)
    if isinstance(first, torch.distributions.Distribution):
        first, second = first.entropy(), second.entropy()
    assert torch.equal(first, second)
    assert networks.describe_network(twin) == description


def test_a_network_of_the_learners_own_is_not_described_even_under_our_name() -> None:
    own = type("CategoricalPolicy", (CategoricalPolicy,), {})(4, 2)
    assert networks.describe_network(own) is None
    assert networks.describe_network(nn.Linear(1, 1)) is None
    assert networks.describe_network(None) is None


def test_an_unknown_network_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match="unknown network 'Perceptron'; known are CategoricalPolicy, "):
        networks.build_network({"name": "Perceptron", "arguments": {}})


def test_the_policy_and_the_critic_fit_the_spaces() -> None:
    observations = spaces.Box(-1, 1, (6,))
    policy = networks.make_policy(observations, spaces.Discrete(3, start=4), (8,))
    assert policy(torch.zeros(2, 6)).probs.shape == (2, 3)
    assert networks.make_policy(observations, spaces.Box(-1, 1, (2,)))(torch.zeros(4, 6)).sample().shape == (4, 2)
    assert networks.make_critic(observations, (8,))(torch.zeros(2, 6)).shape == (2,)


def test_an_image_without_a_network_is_refused_with_the_name_of_one_that_fits() -> None:
    image = spaces.Box(0, 255, (8, 6, 3), np.uint8)
    for make in (lambda: networks.make_policy(image, spaces.Discrete(2)), lambda: networks.make_critic(image)):
        with refused(
            r"an image \(Box\(8, 6, 3\)\).*policy= and critic=.*ConvolutionalPolicy\(\(8, 6, 3\), num_actions\)"
        ):
            make()


def test_spaces_without_a_network_are_refused() -> None:
    with refused("no network for observations of Graph"):
        networks.make_critic(spaces.Graph(spaces.Discrete(2), None))
    with refused(r"no policy for actions of Box\(2, 2\); use"):
        networks.make_policy(spaces.Discrete(3), spaces.Box(0, 1, (2, 2)))


def one_of_each() -> list[tuple[nn.Module, torch.Tensor]]:
    """Every network that can be saved, with observations for it."""
    flat, pixels = torch.randn(4, 5), torch.rand(4, 7, 6, 2)
    return [
        (CategoricalPolicy(5, 3, (8,)), flat),
        (MaskedPolicy(5, 3, (8,), mask_start=2), flat),
        (MultiCategoricalPolicy(5, (3, 2), (8,)), flat),
        (GaussianPolicy(5, 2, (8,)), flat),
        (ValueNetwork(5, (8,)), flat),
        (ConvolutionalPolicy((7, 6, 2), 3, channels=(4, 4)), pixels),
        (ConvolutionalCritic((7, 6, 2), channels=(4, 4)), pixels),
        (RecurrentPolicy(5, 3, (8,)), flat),
        (RecurrentCritic(5, (8,)), flat),
        (Transformer(width=8, layers=1, heads=2), torch.randint(0, 9, (4, 5))),
    ]


def test_a_hook_of_any_single_layer_fires() -> None:
    """How else would a learner look at an activation, or at the gradient of a layer?"""
    assert {type(network).__name__ for network, _ in one_of_each()} == set(networks.NETWORKS)
    for network, obs in one_of_each():
        fired = []
        layers = [module for module in network.modules() if not list(module.children())]
        for layer in layers:
            layer.register_forward_hook(lambda layer, *_, fired=fired: fired.append(layer))
        network(obs)
        assert sorted(map(id, fired)) == sorted(map(id, layers)), type(network).__name__


def test_a_categorical_can_be_expanded_alone_and_through_independent() -> None:
    logits = torch.tensor([[0.0, 1.0, -2.0], [2.0, 0.0, 0.0]])
    alone = Categorical(logits).expand((4, 2))
    assert type(alone) is Categorical and alone.batch_shape == (4, 2)
    rows = torch.distributions.Independent(Categorical(logits), 1, validate_args=False).expand((4,))
    assert type(rows.base_dist) is Categorical and (rows.batch_shape, rows.event_shape) == ((4,), (2,))
    actions = torch.tensor([[0, 0], [1, 2], [2, 1], [1, 1]])
    each = torch.stack([Categorical(logits).log_prob(row) for row in actions])
    torch.testing.assert_close(alone.log_prob(actions), each)
    torch.testing.assert_close(rows.log_prob(actions), each.sum(dim=1))
    assert rows.sample((5,)).shape == (5, 4, 2)
    torch.testing.assert_close(alone.entropy(), Categorical(logits).entropy().expand(4, 2))


def test_every_activation_stands_between_the_layers_and_comes_back_with_a_saved_network() -> None:
    assert set(networks.ACTIVATIONS) == set(typing.get_args(Activation))
    for name, kind in networks.ACTIVATIONS.items():
        options = {"normalize_observations": False, "activation": name}
        made = [
            networks.make_policy(spaces.Box(-1, 1, (5,)), space, (8, 8), **options)
            for space in (spaces.Discrete(3), spaces.Box(-1, 1, (2,)), spaces.MultiBinary(2))
        ]
        for network in (*made, networks.make_critic(spaces.Box(-1, 1, (5,)), (8, 8), **options)):
            twin = networks.build_network(json.loads(json.dumps(networks.describe_network(network))))
            for one in (network, twin):
                assert [type(m) for m in one.modules() if type(m) in networks.ACTIVATIONS.values()] == [kind, kind]


def test_a_network_saved_before_it_had_an_activation_has_tanh() -> None:
    arguments = {"obs_dim": 4, "num_actions": 2, "hidden_sizes": [8], "normalize_observations": False}
    network = networks.build_network({"name": "CategoricalPolicy", "arguments": arguments})
    assert any(isinstance(module, nn.Tanh) for module in network.modules())


MASKS = torch.tensor([[1.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0]])


def masked_policy() -> tuple[MaskedPolicy, torch.Tensor]:
    """A policy with strong preferences, and observations [3, 6] whose elements 1 to 4 are `MASKS`."""
    torch.manual_seed(0)
    policy = MaskedPolicy(6, 4, (8,), mask_start=1)
    nn.init.normal_(policy.logits[-1].weight, std=3.0)
    obs = torch.randn(3, 6)
    obs[:, 1:5] = MASKS
    return policy, obs


def test_a_masked_policy_is_the_softmax_over_the_allowed_actions() -> None:
    policy, obs = masked_policy()
    weights = policy.logits(obs).exp() * MASKS  # an action that is not allowed has no weight
    by_hand = weights / weights.sum(dim=1, keepdim=True)
    distribution = policy(obs)
    torch.testing.assert_close(distribution.probs, by_hand)
    for action in range(4):
        rows = MASKS[:, action] == 1
        log_prob = distribution.log_prob(torch.full((3,), action))
        torch.testing.assert_close(log_prob[rows], by_hand[rows, action].log())
    torch.testing.assert_close(distribution.entropy(), -(by_hand * by_hand.clamp(min=1e-30).log()).sum(dim=1))
    assert (MASKS.gather(1, distribution.mode[:, None]) == 1).all()


def test_an_action_that_is_not_allowed_is_never_sampled() -> None:
    policy, obs = masked_policy()
    nn.init.constant_(policy.logits[-1].bias, 0.0)
    with torch.no_grad():
        policy.logits[-1].bias[1] = 1000.0  # the favourite of every row, allowed in the last alone
    actions = policy(obs).sample((20_000,))  # [20_000, 3]
    drawn = torch.stack([(actions == action).any(dim=0) for action in range(4)], dim=1)  # [3, 4]
    assert not (drawn & (MASKS == 0)).any()
    assert drawn[1, 3] and drawn[2, 1]


def test_gradients_through_a_mask_are_finite_and_reach_the_logits_of_allowed_actions_alone() -> None:
    policy, obs = masked_policy()
    logits: list[torch.Tensor] = []

    def keep(_layer: nn.Module, _given: object, output: torch.Tensor) -> None:
        output.retain_grad()
        logits.append(output)

    policy.logits[-1].register_forward_hook(keep)
    distribution, acting = policy(obs), masked_policy()[0](obs)
    loss = distribution.log_prob(torch.tensor([0, 3, 2])).sum() + distribution.entropy().sum()
    (loss + torch.distributions.kl_divergence(acting, distribution).sum()).backward()
    for parameter in policy.parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all()
    gradient = logits[0].grad
    assert gradient is not None and not gradient[MASKS == 0].any()
    assert gradient[MASKS.sum(dim=1) > 1][:, 0].all()  # the second row has no choice, so nothing to learn


def test_an_observation_that_allows_nothing_gives_finite_numbers() -> None:
    """The last observation of an episode often does; nobody acts on it."""
    policy, obs = masked_policy()
    obs[:, 1:5] = 0.0
    torch.testing.assert_close(policy(obs).probs, torch.full((3, 4), 0.25))


def test_a_policy_of_several_discrete_actions_sums_over_independent_categoricals() -> None:
    torch.manual_seed(0)
    policy = MultiCategoricalPolicy(5, (3, 1, 2), (8,))
    nn.init.normal_(policy.logits[-1].weight, std=2.0)
    obs = torch.randn(6, 5)
    parts = [torch.distributions.Categorical(logits=part) for part in policy.logits(obs).split([3, 1, 2], dim=-1)]
    distribution = policy(obs)
    actions = distribution.sample()
    assert (actions.shape, actions.dtype) == ((6, 3), torch.int64)
    each = torch.stack([part.log_prob(actions[:, k]) for k, part in enumerate(parts)], dim=1)
    torch.testing.assert_close(distribution.log_prob(actions), each.sum(dim=1))
    torch.testing.assert_close(distribution.entropy(), sum(part.entropy() for part in parts))
    assert torch.equal(distribution.mode, torch.stack([part.mode for part in parts], dim=1))
    many = distribution.sample((5000,))  # [5000, 6, 3]
    for k, part in enumerate(parts):
        counts = torch.stack([(many[..., k] == choice).double().mean(dim=0) for choice in range(3)], dim=1)
        probabilities = nn.functional.pad(part.probs.double(), (0, 3 - part.probs.shape[1]))
        assert (counts - probabilities).abs().max() < 4.5 * 0.5 / 5000**0.5


def test_a_policy_of_several_discrete_actions_has_finite_gradients_where_their_choices_differ_in_number() -> None:
    policy = MultiCategoricalPolicy(5, (4, 2), (8,))
    distribution, twin = policy(torch.randn(6, 5)), policy(torch.randn(6, 5))
    loss = distribution.log_prob(distribution.mode) + distribution.entropy()
    (loss + torch.distributions.kl_divergence(distribution, twin)).sum().backward()
    for parameter in policy.parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all() and parameter.grad.any()


@pytest.mark.parametrize("shape", [(10, 10, 1), (7, 6, 3), (9, 5)])
def test_a_convolutional_network_takes_images_with_any_leading_dimensions(shape: tuple[int, ...]) -> None:
    policy, critic = ConvolutionalPolicy(shape, 3), ConvolutionalCritic(shape)
    images = torch.rand(2, 4, *shape)
    values = critic(images)
    assert values.shape == (2, 4) and policy(images).probs.shape == (2, 4, 3)
    torch.testing.assert_close(values, critic(images.flatten(0, 1)).view(2, 4))
    with refused(r"takes images of shape \(.*\), the observations are \(3, 3\)"):
        policy(torch.zeros(5, 3, 3))


def test_a_convolution_looks_at_neighbours_in_height_and_width_and_not_across_channels() -> None:
    """One layer that picks a pixel of channel 1: it must find it where the image [H, W, C] has it."""
    network = networks.Convolutions((4, 6, 2), (1,), 1.0)
    with torch.no_grad():
        network.layers[0].weight.zero_()
        network.layers[0].weight[0, 1, 1, 1] = 1.0  # the middle of the window, channel 1
    image = torch.arange(4 * 6 * 2, dtype=torch.float32).view(1, 4, 6, 2)
    assert network(image).tolist() == [image[0, ::2, ::2, 1].flatten().tolist()]


def test_pixels_are_scaled_by_the_network() -> None:
    network = ConvolutionalPolicy((5, 5, 3), 2, obs_scale=255.0)
    twin = ConvolutionalPolicy((5, 5, 3), 2)
    twin.load_state_dict(network.state_dict())
    pixels = torch.randint(0, 256, (3, 5, 5, 3)).float()
    torch.testing.assert_close(network(pixels).logits, twin(pixels / 255).logits)


def test_a_picture_that_is_none_is_refused() -> None:
    with refused(r"obs_shape=\(4,\) is no image"):
        ConvolutionalCritic((4,))
