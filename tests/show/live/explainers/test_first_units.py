"""Explainers of the first three units: numbers worked out by hand, and what is true at every position of the controls."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from pgcourse.envs.corridor import BEST_RIGHT_PROBABILITY
from pgcourse.errors import InvalidInput
from pgcourse.networks import CategoricalPolicy, ValueNetwork
from pgcourse.show.live.explainers.baseline_constant import baseline_constant
from pgcourse.show.live.explainers.cartpole_state import CELLS, Agent, cartpole_state
from pgcourse.show.live.explainers.corridor import CORRIDOR, climb
from pgcourse.show.live.explainers.critic_offset import critic_offset
from pgcourse.show.live.explainers.discount import DISCOUNT, EPISODES, LENGTH
from pgcourse.show.live.explainers.napkin import NAPKIN
from pgcourse.show.live.explainers.temperature import TEMPERATURE


def marks(chart: dict[str, Any], panel: int, kind: str) -> list[dict[str, Any]]:
    return [mark for mark in chart["panels"][panel]["marks"] if mark["kind"] == kind]


def test_episodes_have_the_same_total_and_a_discount_tells_them_apart() -> None:
    assert {round(sum(rewards), 9) for rewards in EPISODES.values()} == {20.0}
    assert {len(rewards) for rewards in EPISODES.values()} == {LENGTH}
    for gamma, different in ((1.0, 1), (0.9, 3)):
        said = {DISCOUNT.at(episode=name, gamma=gamma, start=0)["words"].split(":")[0] for name in EPISODES}
        assert len(said) == different


def test_the_narrow_bars_add_up_to_the_return_of_the_chosen_step() -> None:
    for episode in EPISODES:
        chart = DISCOUNT.at(episode=episode, gamma=0.8, start=30)
        counted, point = marks(chart, 0, "bars")[1], marks(chart, 1, "points")[0]
        assert sum(counted["y"]) == pytest.approx(point["y"][0])


@pytest.mark.parametrize(("p", "gamma", "words"), [
    (0.5, 0.9, "Q(right) = 0.80, V = 0.90. Left is better"), (0.6, 0.9, "Right is better"),
    (1.0, 0.5, "Both are equally good"),  # -1 + 0.5 * 4
])  # fmt: skip
def test_the_napkin_world_by_hand(p: float, gamma: float, words: str) -> None:
    assert words in NAPKIN.at(right_on_bridge=p, gamma=gamma)["words"]


def test_two_rivals_need_more_cold_and_equal_logits_stay_undecided() -> None:
    def entropy(logits: str, temperature: float) -> float:
        return marks(TEMPERATURE.at(logits=logits, temperature=temperature), 1, "points")[0]["y"][0]

    assert entropy("two rivals", 0.2) > entropy("one favourite", 0.2)
    assert entropy("all equal", 0.1) == pytest.approx(math.log(3))
    assert sum(marks(TEMPERATURE.at(logits="two rivals", temperature=3.0), 0, "bars")[0]["y"]) == pytest.approx(1)


@pytest.mark.parametrize("start", [0.05, 0.3, 0.95])
def test_gradient_ascent_climbs_to_the_best_mixture_and_never_beyond_the_arch(start: float) -> None:
    assert climb(start, 40)[-1] == pytest.approx(BEST_RIGHT_PROBABILITY, abs=0.01)
    value, gradient = (marks(CORRIDOR.at(p=start, steps=40), panel, "points")[-1]["y"][0] for panel in (0, 1))
    assert value == pytest.approx(-11.66, abs=0.02) and abs(gradient) < 0.5


# Two episodes: scores 1 and -2, returns 3 and 6. E[s^2 G] / E[s^2] = (1*3 + 4*6) / (1 + 4) = 5.4; the mean return is 4.5.
PAIR = baseline_constant({"all": ([1.0, -2.0], [3.0, 6.0])})


def test_the_variance_of_two_estimates_by_hand() -> None:
    # At 0 the estimates are 3 and -12: variance 15^2 / 2. At 5 they are -2 and -2.
    assert "scatter by 10.6 around their mean -4.5" in PAIR.at(b=0)["words"]
    assert "as much as without" in PAIR.at(b=0)["words"]
    assert "scatter by 0.0 around their mean -2.0. The variance is 0.00 times" in PAIR.at(b=5)["words"]
    assert [rule["at"] for rule in marks(PAIR.at(), 1, "rule")] == pytest.approx([4.5, 5.4])


def test_the_parabola_is_lowest_at_the_best_constant_where_scores_have_mean_zero() -> None:
    generator = np.random.default_rng(0)
    scores = np.concatenate([noise := generator.normal(size=500), -noise])
    returns = -10 * np.concatenate([noise**2, noise**2])
    chart = baseline_constant({"all": (scores, returns)}).at()
    curve, (_, best) = marks(chart, 1, "line")[0], marks(chart, 1, "rule")
    assert abs(curve["x"][int(np.argmin(curve["y"]))] - best["at"]) <= 1
    assert curve["y"][curve["x"].index(0)] == pytest.approx(1)


def test_the_histogram_holds_every_episode_at_any_constant() -> None:
    explainer = baseline_constant({"all": ([1.0, -2.0, 0.5], [300.0, -500.0, 10.0])})
    for b in (-60, 0, 10):
        assert sum(marks(explainer.at(b=b), 0, "bars")[0]["y"]) == pytest.approx(1)


@pytest.mark.parametrize(("scores", "returns"), [([1.0], [1.0, 2.0]), ([0.0, 0.0], [1.0, 2.0]), ([[1.0]], [[1.0]])])
def test_scores_that_do_not_fit_are_refused(scores: list, returns: list) -> None:
    with pytest.raises(InvalidInput, match="give two of shape"):
        baseline_constant({"all": (scores, returns)})


def test_an_offset_moves_the_mean_and_the_error_and_not_the_explained_variance() -> None:
    returns, values = torch.tensor([10.0, 20.0, 30.0, 40.0]), torch.tensor([12.0, 18.0, 33.0, 37.0])
    explainer = critic_offset(values, returns)
    for offset, mean, error in ((0, 25.0, math.sqrt(6.5)), (50, 75.0, math.sqrt(2506.5))):
        chart = explainer.at(offset=offset)
        assert [bar["y"][0] for bar in marks(chart, 1, "bars")] == pytest.approx([25.0, mean, error])
        assert "explained variance 0.95, as at every offset" in chart["words"]
        assert marks(chart, 0, "points")[0]["x"] == pytest.approx((values + offset).tolist())
    with pytest.raises(InvalidInput, match=r"two of shape \[B\]"):
        critic_offset(torch.zeros(4, 1), torch.zeros(4))


@pytest.fixture(scope="module")
def agent() -> Agent:
    torch.manual_seed(0)
    policy, critic = CategoricalPolicy(4, 2), ValueNetwork(4)
    with torch.no_grad():
        policy.logits[-1].weight.mul_(100)
    return Agent(policy, critic, torch.tensor([[0.0, 0.0, 0.1, -0.5]]))


@torch.no_grad()
def test_words_and_maps_are_what_policy_and_critic_say(agent: Agent) -> None:
    state = {"position": 0.5, "velocity": -0.2, "angle": 6.0, "angular_velocity": 0.4}
    obs = torch.tensor([[0.5, -0.2, math.radians(6.0), 0.4]])
    chart = cartpole_state({"one": agent}).at(**state)
    right = float(agent.policy(obs).probs[0, 1])
    assert f"V(s) = {float(agent.critic(obs)[0]):.1f}" in chart["words"] and f"{right:.2f}." in chart["words"]
    # The middle cell of a map is the upright pole at rest.
    middle = torch.tensor([[0.5, -0.2, 0.0, 0.0]])
    values, pushes = (np.array(marks(chart, panel, "tiles")[0]["values"]) for panel in (2, 3))
    assert values.shape == (CELLS, CELLS)
    assert values[CELLS // 2, CELLS // 2] == pytest.approx(float(agent.critic(middle)[0]), rel=1e-4)
    assert pushes[CELLS // 2, CELLS // 2] == pytest.approx(float(agent.policy(middle).probs[0, 1]), rel=1e-4)
    assert marks(chart, 2, "points")[0]["x"] == pytest.approx([math.degrees(0.1)], abs=0.01)


def test_rows_of_a_map_are_angular_velocities() -> None:
    class Turning(nn.Module):
        """A critic that is 30 times the angular velocity."""

        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 1)
            nn.init.zeros_(self.layer.bias)
            self.layer.weight.data = torch.tensor([[0.0, 0.0, 0.0, 30.0]])

        def forward(self, obs: torch.Tensor) -> torch.Tensor:
            return self.layer(obs)[:, 0]

    chart = cartpole_state({"one": Agent(CategoricalPolicy(4, 2), Turning(), torch.zeros(1, 4))}).at()
    values = np.array(marks(chart, 2, "tiles")[0]["values"])
    assert np.all(np.diff(values, axis=0) > 0) and np.allclose(np.diff(values, axis=1), 0)


def test_no_agent_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no agent to ask"):
        cartpole_state({})
