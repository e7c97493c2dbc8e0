"""Pay beside the reward: what each kind pays, that it stays out of the record, and that potentials leave nothing to earn."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from pgcourse import evaluate, ppo
from pgcourse.envs.key_door import LENGTH, NUM_PLACES, SHORTEST, START, SWITCHED_SQUARES, success_probability
from pgcourse.returns import gae
from pgcourse.study.exploration import CountBonus, KeyDoorPay, PaidForPotential, PaidForProgress, shaped_rewards
from pgcourse.study.keep import source_key
from tools.claims import exploration

N = 3
CONFIG = replace(
    ppo.CARTPOLE, env_id="KeyDoor-v0", num_envs=N, num_steps=64, minibatch_size=64, total_timesteps=2 * 64 * N
)


def walk(pay: KeyDoorPay, ways: list[bool]) -> tuple[Tensor, Tensor]:
    """All environments go the same way. Returns: the true rewards and the paid ones, [T, N]."""
    envs = pay(0)
    rewards, terminated, seen = [], [], []
    for way in ways:
        squares = envs.state[:, 0].long().tolist()  # type: ignore[attr-defined]
        _, reward, ended, _, info = envs.step(
            torch.tensor([int(way != (square in SWITCHED_SQUARES)) for square in squares])
        )
        rewards.append(reward)
        terminated.append(ended)
        seen.append(info["final_obs"].argmax(dim=1))
    places, next_places = pay.watched.taken_steps()  # type: ignore[union-attr]
    assert torch.equal(next_places, torch.stack(seen)) and not pay.watched.steps  # type: ignore[union-attr]
    true = torch.stack(rewards)
    return true, pay.paid(true, places, next_places, torch.stack(terminated), 0.9)


SHORTEST_WAY = [False] * START + [True] * (LENGTH - 1)
DETOUR = [True, False, *SHORTEST_WAY]


def discounted(rewards: Tensor) -> Tensor:
    return (0.9 ** torch.arange(len(rewards))[:, None] * rewards).sum(dim=0)


@pytest.mark.parametrize("way", [SHORTEST_WAY, DETOUR])
def test_potentials_shift_the_return_of_every_way_to_the_door_alike(way: list[bool]) -> None:
    """By minus the first state's potential: 2 for a scale of 2, as the start is the whole shortest way off."""
    true, paid = walk(PaidForPotential(N, 2.0), way)
    torch.testing.assert_close(discounted(paid), discounted(true) + 2.0, atol=1e-5, rtol=1e-5)


def test_progress_without_a_charge_pays_for_a_detour() -> None:
    sums = [
        float((paid - true).sum(dim=0)[0])
        for true, paid in (walk(PaidForProgress(N, 1.0), way) for way in (SHORTEST_WAY, DETOUR))
    ]
    assert sums == pytest.approx([1.0, 1.0 + 1 / SHORTEST])


def test_the_last_states_potential_counts_nothing_after_a_termination_and_all_after_a_cut() -> None:
    rewards, before, after = torch.tensor([[1.0, 1.0]]), torch.tensor([[-4.0, -4.0]]), torch.tensor([[-2.0, -2.0]])
    found = shaped_rewards(rewards, before, after, torch.tensor([[True, False]]), gamma=0.5)
    assert found.tolist() == [[5.0, 4.0]]


def test_the_count_bonus_falls_with_the_root_of_the_visits_of_all_environments_and_episodes() -> None:
    pay = CountBonus(N, 0.6)
    true, paid = walk(pay, [False, True, False, True])
    first, back = START - 1, START
    expected = [3, 3, 6, 6]  # three environments arrive together
    torch.testing.assert_close(paid - true, torch.tensor([[0.6 / math.sqrt(n)] * N for n in expected]))
    assert pay.visits[[first, back]].tolist() == [6, 6] and pay.visits.sum() == 12
    pay(1)
    assert pay.visits.tolist() == [0.0] * NUM_PLACES, "a new run has visited nothing"


def test_pay_is_trained_on_and_not_recorded() -> None:
    seen: list[Tensor] = []

    class Noted(PaidForProgress):
        def paid(self, *given):  # type: ignore[no-untyped-def]
            seen.append(super().paid(*given))
            return seen[-1]

    pay = Noted(N, 1.0)
    result = ppo.train(replace(CONFIG, seed=1), device="cpu", envs=pay(1), advantage_fn=pay.advantages)
    assert len(result.episodes) == 2 * N and not result.episodes["episodic_return"].any()
    assert len(seen) == 2 and all(paid.shape == (64, N) and paid.max() > 0 for paid in seen)
    assert result.metrics["charts/return_mean"].max() > 0.1  # the critic's targets have it
    assert evaluate(result.policy, "KeyDoor-v0", seed=0, num_episodes=2).returns.tolist() == [0, 0]


def test_the_advantages_are_those_of_the_paid_rewards() -> None:
    pay = PaidForPotential(N, 1.0)
    envs = pay(0)
    rewards = torch.stack([envs.step(torch.tensor([0, 1, 1]))[1] for _ in range(5)])
    places, next_places = pay.watched.taken_steps()  # type: ignore[union-attr]
    pay.watched.steps = list(zip(places, next_places, strict=True))  # type: ignore[union-attr]
    values, next_values = torch.randn(2, 5, N, generator=torch.Generator().manual_seed(0))
    never = torch.zeros(5, N, dtype=torch.bool)
    settings = {"gamma": 0.9, "gae_lambda": 0.8}
    found = pay.advantages(rewards, values, next_values, never, never, **settings)
    paid = pay.paid(rewards, places, next_places, never, 0.9)
    torch.testing.assert_close(found, gae(paid, values, next_values, never, never, **settings))


def test_what_a_run_has_counted_is_no_part_of_its_settings() -> None:
    pay = CountBonus(N, 0.1)
    before = source_key("count", CONFIG, exploration.seams_of(pay))
    walk(pay, [True, False])
    assert source_key("count", CONFIG, exploration.seams_of(pay)) == before
    assert source_key("count", CONFIG, exploration.seams_of(CountBonus(N, 0.2))) != before
    assert str(pay) == "CountBonus(num_envs=3, scale=0.1)"  # how the claims file calls it


def test_the_study_counts_successes_by_the_steps_at_which_episodes_ended() -> None:
    kinds = [("env_step", "i8"), ("wall_time", "f8"), ("episodic_return", "f8"), ("length", "i8")]
    rows = [(1, 0.0), (exploration.POINT, 1.0), (exploration.POINT + 1, 0.0)]
    rows += [(exploration.POINT * number, 1.0) for number in range(3, exploration.STEPS // exploration.POINT + 1)]
    episodes = np.array([(step, 0.0, paid, 64) for step, paid in rows], dtype=kinds)
    run = exploration.Run(0, episodes, {})
    assert exploration.share_by_steps(run)[:3] == [0.5, 0.0, 1.0]
    assert exploration.first_success(run) == exploration.POINT and exploration.successes(run) == len(rows) - 2
    assert exploration.first_success(exploration.Run(0, episodes[:1], {})) is None


def test_the_random_walk_of_the_file_is_the_exact_one() -> None:
    found = exploration.random_walk()
    assert found["success_probability"] == success_probability()
    assert found["successes_a_run"] == pytest.approx(0.013, rel=0.02)


def test_the_search_has_seeds_of_its_own() -> None:
    assert not set(exploration.SEARCH_SEEDS) & set(exploration.STUDY.seeds)
    assert exploration.SCALES[exploration.CHOSEN] == exploration.PAYS["count"].scale
