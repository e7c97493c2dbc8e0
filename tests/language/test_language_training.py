"""Imitation, then policy gradients: what is learnt, what can be replaced, and what is refused."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import pgcourse
from pgcourse import TrainingDiverged
from pgcourse.errors import InvalidInput
from pgcourse.language import advantages, losses
from pgcourse.language.config import CRITIC, LanguageConfig
from pgcourse.language.imitation import demonstrations, imitate, imitation_loss
from pgcourse.language.sampling import answer_log_prob, sample
from pgcourse.language.tasks import DIAL, SORTING, TASKS
from pgcourse.language.text import encode
from pgcourse.language.training import load, train
from pgcourse.language.transformer import Transformer

SHORT = LanguageConfig(num_updates=3, num_prompts=4, num_samples=4)


@pytest.fixture(scope="module")
def base() -> Transformer:
    """A model that has seen some demonstrations."""
    return imitate(SORTING, steps=120, seed=3)[0]


def test_imitation_learns_and_is_the_same_again() -> None:
    (model, first), (again, second) = (imitate(SORTING, steps=40, seed=1) for _ in range(2))
    assert first == second
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))
    assert first[-1] < 0.75 * first[0]
    assert imitate(SORTING, steps=2, seed=2)[1] != first[:2]


def test_the_loss_of_imitation_is_the_cross_entropy_of_the_answers_alone(base: Transformer) -> None:
    answers = demonstrations(DIAL, 8, np.random.default_rng(0))
    text = torch.cat([answers.prompts, answers.tokens], dim=1)
    logits = base(text[:, :-1])
    targets = text[:, 1:].masked_fill(
        ~torch.cat([torch.zeros(8, answers.prompts.shape[1] - 1, dtype=torch.bool), answers.mask], dim=1), -100
    )
    expected = torch.nn.functional.cross_entropy(logits.transpose(1, 2), targets)
    torch.testing.assert_close(imitation_loss(base, answers), expected)


@pytest.mark.parametrize("advantage", ["leave_one_out", "group_normalized", CRITIC])
def test_it_learns_to_sort(base: Transformer, advantage: str) -> None:
    result = train(LanguageConfig(num_updates=50, advantage=advantage, seed=1), base)
    success = result.metrics["charts/success"]
    assert success[0] < 0.2
    assert success[-5:].mean() > 0.6
    assert (result.critic is not None) == (advantage == CRITIC)


def test_same_config_same_curve_and_the_given_model_stays(base: Transformer) -> None:
    before = [parameter.clone() for parameter in base.parameters()]
    first, second = (train(SHORT, base) for _ in range(2))
    assert {name: values.tolist() for name, values in first.metrics.items()} == {
        name: values.tolist() for name, values in second.metrics.items()
    }
    assert all(torch.equal(a, b) for a, b in zip(before, base.parameters(), strict=True))
    other = train(replace(SHORT, seed=1), base)
    assert other.metrics["losses/entropy"].tolist() != first.metrics["losses/entropy"].tolist()


@pytest.mark.parametrize(
    "changes",
    [
        *({"advantage": name} for name in [*advantages.BY_NAME, CRITIC]),
        *({"average": how} for how in ("answer", "token", "constant")),
        {"ratio": "sequence"},
        {"clip_coef": None},
        {"kl_coef": 0.1, "kl_in": "reward"},
        {"kl_coef": 0.1, "kl_in": "reward", "advantage": CRITIC, "gae_lambda": 0.9},
        *({"kl_coef": 0.1, "kl_estimator": name} for name in losses.KL_BY_NAME),
        {"temperature": 0.7},
    ],
    ids=str,
)
def test_every_part_trains(base: Transformer, changes: dict[str, Any]) -> None:
    result = train(replace(SHORT, **changes), base)
    assert len(result.metrics["charts/success"]) == 3
    assert np.isfinite(result.metrics["losses/policy_loss"]).all()
    assert ("losses/reference_kl" in result.metrics) == ("kl_coef" in changes)
    assert not all(torch.equal(a, b) for a, b in zip(result.policy.parameters(), base.parameters(), strict=True))
    # The first step is taken where the answers were drawn.
    once = train(replace(SHORT, **changes, num_updates=1, update_epochs=1), base)
    assert once.metrics["losses/approx_kl"][0] == pytest.approx(0, abs=1e-6)
    assert once.metrics["losses/clipfrac"][0] == 0


@pytest.mark.parametrize(("kl_in", "estimator"), [("reward", "k3"), ("loss", "k2"), ("loss", "k3")])
def test_a_price_on_the_distance_keeps_the_model_near(base: Transformer, kl_in: Any, estimator: str) -> None:
    config = LanguageConfig(num_updates=30, num_prompts=16, kl_in=kl_in, kl_estimator=estimator, advantage="batch_mean")
    distances = [
        train(replace(config, kl_coef=price), base).metrics["losses/reference_kl"][-1] for price in (1e-6, 1.0)
    ]
    assert distances[1] < 0.3 * distances[0]


@pytest.mark.parametrize("task", TASKS)
def test_every_task_trains(base: Transformer, task: str) -> None:
    """Towards short answers, which a model that never saw the task can give too."""

    def shorter(prompts: Sequence[str], answers: Sequence[str]) -> Tensor:
        return -torch.tensor([float(len(answer)) for answer in answers])

    result = train(replace(SHORT, task=task, num_updates=40, num_prompts=16), base, reward_fn=shorter)
    assert result.metrics["charts/length"][-1] < 0.8 * result.metrics["charts/length"][0]


def test_an_answer_is_an_episode(base: Transformer) -> None:
    result = train(SHORT, base)
    assert len(result.episodes) == 3 * 16
    assert set(result.episodes["episodic_return"]) <= {0.0, 1.0}
    assert result.episodes["env_step"][-1] == result.episodes["length"].sum()
    assert 1 <= result.episodes["length"].min() <= result.episodes["length"].max() <= SORTING.max_tokens


def test_rewards_prompts_and_advantages_can_be_replaced(base: Transformer) -> None:
    seen: list[Any] = []

    def fewest(prompts: Sequence[str], answers: Sequence[str]) -> Tensor:
        seen.append(list(prompts))
        return -torch.tensor([float(len(answer)) for answer in answers])

    def advantage(rewards: Tensor) -> Tensor:
        assert rewards.shape == (2, 4)
        return rewards

    result = train(
        replace(SHORT, num_prompts=2), base, reward_fn=fewest, advantage_fn=advantage,
        prompts_fn=lambda task, updates, generator: [f"{updates}00000>", "123456>"],
    )  # fmt: skip
    assert seen[1] == ["100000>"] * 4 + ["123456>"] * 4
    assert result.metrics["charts/reward"][0] < -3


def test_a_budget_of_its_own_ends_a_run(base: Transformer) -> None:
    assert len(train(SHORT, base, on_iteration=lambda progress: progress.iteration == 2).metrics["charts/success"]) == 2


def test_a_run_is_saved_and_read_back(base: Transformer, tmp_path: Path) -> None:
    result = train(replace(SHORT, advantage=CRITIC), base)
    again = load(result.save(tmp_path / "run"))
    assert again.config == result.config
    prompts = encode(SORTING.prompts(5, np.random.default_rng(0)))
    for model, other in ((result.policy, again.policy), (result.critic, again.critic)):
        assert model is not None
        assert other is not None
        torch.testing.assert_close(model(prompts), other(prompts))
    pgcourse.reinforce.train(replace(pgcourse.reinforce.CARTPOLE, num_episodes=2)).save(tmp_path / "cartpole")
    with pytest.raises(InvalidInput, match="a run of 'reinforce', and no language model"):
        load(tmp_path / "cartpole")


def test_numbers_that_are_not_finite_end_a_run_with_the_last_good_weights(base: Transformer) -> None:
    updates = iter(range(10))

    def reward(prompts: Sequence[str], answers: Sequence[str]) -> Tensor:
        return torch.full((len(answers),), torch.nan if next(updates) == 2 else 1.0)

    with pytest.raises(TrainingDiverged, match="losses/policy_loss is nan in iteration 3") as caught:
        train(replace(SHORT, num_updates=5, advantage="none"), base, reward_fn=reward)
    result = caught.value.result
    assert len(result.metrics["charts/success"]) == 2
    assert all(parameter.isfinite().all() for parameter in result.policy.parameters())


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"task": "chess"}, "task='chess' is not allowed; use 'sorting', 'dial' or 'turtle'"),
        ({"advantage": "gae"}, "advantage='gae' is not allowed; use 'none', "),
        ({"num_samples": 1}, "advantage='leave_one_out' compares the answers to one prompt, and num_samples=1 leaves"),
        ({"kl_estimator": "k4"}, "kl_estimator='k4' is not allowed"),
        ({"clip_coef": 0}, "clip_coef=0 is not allowed"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_a_line(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        LanguageConfig(**changes)


def test_a_critic_for_a_foreign_model_has_to_be_given(base: Transformer) -> None:
    foreign = torch.nn.Sequential(base)
    with pytest.raises(InvalidInput, match="no critic can be made from a Sequential; hand one over"):
        train(replace(SHORT, advantage=CRITIC), foreign)


def test_log_probabilities_of_a_model_are_normalised(base: Transformer) -> None:
    torch.manual_seed(0)
    answers = sample(base, encode(SORTING.prompts(4, np.random.default_rng(0))), max_tokens=SORTING.max_tokens)
    torch.testing.assert_close(answer_log_prob(base, answers).detach(), answers.log_prob, atol=1e-5, rtol=1e-4)


def test_one_answer_a_group_says_nothing_where_all_are_equal() -> None:
    rewards = torch.tensor([[1.0, 1, 1, 1], [0, 0, 0, 0], [1, 0, 0, 0]])
    assert float(advantages.informative(rewards)) == pytest.approx(1 / 3)
    for name in ("group_mean", "leave_one_out", "group_normalized"):
        found = advantages.BY_NAME[name](rewards)
        assert found[:2].abs().max() == 0
        assert found[2].tolist() != [0.0] * 4


def test_averages_weigh_tokens_as_they_say() -> None:
    values = torch.tensor([[1.0, 1, 1, 1], [6, 9, 9, 9]])
    mask = torch.tensor([[True] * 4, [True, False, False, False]])
    assert float(losses.average(values, mask, "answer")) == pytest.approx((1 + 6) / 2)
    assert float(losses.average(values, mask, "token")) == pytest.approx(10 / 5)
    assert float(losses.average(values, mask, "constant")) == pytest.approx(10 / 8)


def test_the_clipped_loss_is_that_of_ppo_on_tokens() -> None:
    torch.manual_seed(0)
    new, old, advantage = torch.randn(3, 5), torch.randn(3, 5), torch.randn(3, 5)
    mask = torch.rand(3, 5) > 0.3
    mask[:, 0] = True
    ours = losses.average(
        losses.clipped_loss(losses.log_ratio(new, old, mask, of="token"), advantage, clip_coef=0.2), mask, "token"
    )
    theirs = pgcourse.losses.ppo_clip_loss(new[mask], old[mask], advantage[mask], clip_coef=0.2)
    torch.testing.assert_close(ours, theirs)
    # The ratio of a sequence is the geometric mean of its tokens' ratios, the same for each of them.
    sequence = losses.log_ratio(new, old, mask, of="sequence").exp()
    expected = torch.stack([(new - old)[row][mask[row]].exp().log().mean().exp() for row in range(3)])
    torch.testing.assert_close(sequence, expected.unsqueeze(-1).expand(3, 5))


def test_bradley_terry_is_the_logistic_loss_of_the_difference() -> None:
    chosen, rejected = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 0.0])
    expected = (np.log1p(np.exp(-2)) + np.log(2)) / 2
    assert float(losses.bradley_terry_loss(chosen, rejected)) == pytest.approx(expected, rel=1e-6)
    torch.testing.assert_close(
        losses.bradley_terry_loss(chosen + 7, rejected + 7), losses.bradley_terry_loss(chosen, rejected)
    )
