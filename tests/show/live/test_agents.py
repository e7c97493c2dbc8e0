"""Agents for the page: what can be sent is proved, what cannot is refused or filmed, and each figure says what it shows."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from pgcourse import evaluate, reinforce
from pgcourse.cli import main
from pgcourse.envs import make_envs
from pgcourse.errors import InvalidInput
from pgcourse.networks import CategoricalPolicy, GaussianPolicy
from pgcourse.show import share
from pgcourse.show.live import agents, game
from pgcourse.show.live.agents import landing, trained_agents, watch
from pgcourse.show.live.policy import forward, mode, policy_json
from pgcourse.show.live.worlds import fitting_policy_json, live_episode, start_seed
from pgcourse.study.claims import load_claims
from pgcourse.training import Result


class OwnPolicy(nn.Module):
    """As a learner writes it: the activation is a function."""

    def __init__(self, activation: Any = torch.relu) -> None:
        super().__init__()
        self.first, self.second, self.activation = nn.Linear(4, 8), nn.Linear(8, 2), activation

    def forward(self, obs: torch.Tensor) -> torch.distributions.Distribution:
        return torch.distributions.Categorical(logits=self.second(self.activation(self.first(obs))))


@pytest.fixture(scope="module")
def result() -> Result:
    return reinforce.train(replace(reinforce.CARTPOLE, seed=1, num_episodes=12))


@pytest.mark.parametrize(
    "policy",
    [
        CategoricalPolicy(4, 3, (5,)), CategoricalPolicy(4, 2, (8, 6), normalize_observations=True), GaussianPolicy(3, 1),
        OwnPolicy(), OwnPolicy(torch.tanh), CategoricalPolicy(4, 2, ()),
    ],
)  # fmt: skip
def test_the_json_acts_as_the_policy(policy: nn.Module) -> None:
    data = policy_json(policy)
    obs = torch.randn(50, data["layers"][0]["inputs"])
    distribution = policy(obs)
    assert np.array_equal(mode(data, obs.numpy()), distribution.mode.detach().numpy()) or np.allclose(
        mode(data, obs.numpy()), distribution.mode.detach().numpy(), atol=1e-5
    )
    assert forward(data, obs.numpy()).shape[1] == data["layers"][-1]["outputs"]


@pytest.mark.parametrize(
    "policy",
    [OwnPolicy(torch.sin), GaussianPolicy(3, 2), CategoricalPolicy(4, 2, (256, 256)), nn.Flatten(), nn.Linear(4, 2)],
)
def test_a_network_that_the_page_cannot_run_is_refused(policy: nn.Module) -> None:
    with pytest.raises(InvalidInput, match="cannot act in the page"):
        policy_json(policy)


def test_a_policy_of_another_environment_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not Pendulum-v1; give the environment that it was trained on"):
        fitting_policy_json(CategoricalPolicy(4, 2), "Pendulum-v1")
    with pytest.raises(InvalidInput, match="'Acrobot-v1' does not run in the page; these do: CartPole-v1, Pendulum-v1"):
        fitting_policy_json(None, "Acrobot-v1")


def test_the_start_is_that_of_an_evaluation() -> None:
    envs: Any = make_envs("CartPole-v1", 1, seed=0)
    envs.reset(seed=[start_seed(5)])
    assert np.allclose(live_episode(None, "CartPole-v1", seed=5).states[0], envs.state[0].numpy())


@pytest.mark.parametrize(("env_id", "good"), [("CartPole-v1", 475), ("Pendulum-v1", -200)])
def test_the_courses_own_agents_are_as_good_as_their_titles(env_id: str, good: float) -> None:
    random, half, trained = trained_agents(env_id)
    assert random["policy"] is None and "trained" in trained["title"]
    returns = [
        np.mean([live_episode(agent["policy"], env_id, seed=seed).rewards.sum() for seed in range(10)])
        for agent in (random, half, trained)
    ]
    assert returns[0] < returns[1] < returns[2] and returns[2] >= good
    assert (agents.POLICIES / f"{env_id}.json").stat().st_size < 60_000


def test_watch_shows_a_live_figure_that_says_what_happens(shown: list[dict[str, Any]], result: Result) -> None:
    watch({"random": None, "mine & yours": result}, caption="Look.")
    (bundle,) = shown
    steps = len(live_episode(None, "CartPole-v1", seed=0).rewards)
    assert f"random, {steps} steps with a return of {steps}; mine & yours, " in bundle["text/plain"]
    assert bundle["text/html"].count("<img ") == 1 and "mine &amp; yours" in bundle["text/html"]
    assert len(bundle["text/html"]) < 60_000, "light in bytes"
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", bundle["text/html"])


def test_what_cannot_live_in_the_page_is_filmed(shown: list[dict[str, Any]]) -> None:
    watch({"own": OwnPolicy(torch.sin)}, "CartPole-v1", caption="Look.")
    watch({"random": None}, "MountainCar-v0")
    assert ["data:image/gif" in bundle["text/html"] for bundle in shown] == [True, True]
    assert "MountainCar-v0" in shown[1]["text/plain"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "nothing to show"),
        ({"a": 3}, "'a' is of type int; give a Result"),
        ({"random": None}, "no agent says its environment"),
    ],
)
def test_what_is_no_agent_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        watch(given, None if "random" in given else "CartPole-v1")


def test_the_landing_page_is_one_string_that_stays_the_same() -> None:
    assert landing() == landing() and 'class="pg-live"' in landing() and len(landing()) < 100_000
    with pytest.raises(InvalidInput, match="carries no trained agents"):
        landing("ShortCorridor-v0")


def test_the_game_tells_whom_to_beat(shown: list[dict[str, Any]]) -> None:
    game.play("Pendulum-v1")
    random = evaluate(None, "Pendulum-v1", num_episodes=100, seed=0).mean
    trained = load_claims("pendulum")["figures"]["pendulum/held_out"]["value"]
    assert f"a random agent: {random:.0f}, PPO of unit 05: {trained:.0f}" in shown[0]["text/plain"]
    with pytest.raises(InvalidInput, match="'Acrobot-v1' cannot be played in the page; these can: CartPole-v1"):
        game.play("Acrobot-v1")


def test_a_run_becomes_a_page_by_command(result: Result, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result.save(tmp_path / "run")
    assert main(["share", str(tmp_path / "run"), "--out", str(tmp_path / "me.html"), "--title", "Mine"]) == 0
    assert capsys.readouterr().out == f"wrote {tmp_path / 'me.html'}\n"
    assert "<title>Mine</title>" in (tmp_path / "me.html").read_text()
    assert main(["share", str(tmp_path), "--out", "x.html"]) == 2
    assert main(["share", str(tmp_path / "run"), "--out", "x.gif"]) == 2
    assert "give a file that ends in .html" in capsys.readouterr().err


def test_what_cannot_be_shared_is_refused(result: Result, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="share takes a run's result, not int"):
        share(3)
    with pytest.raises(InvalidInput, match="does not run in the page"):
        share(replace(result, config=replace(result.config, env_id="Acrobot-v1")), tmp_path / "a.html")
    assert not list(tmp_path.iterdir())
