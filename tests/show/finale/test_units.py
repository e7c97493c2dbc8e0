"""Each unit's finale: right functions give the very curve of the package, anything else a sentence about the function."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Independent, Normal

from pgcourse import a2c, losses, natural_gradient, ppo, reinforce, returns, trpo
from pgcourse.checks.exercise import get
from pgcourse.networks import CategoricalPolicy, GaussianPolicy
from pgcourse.optim import seeded
from pgcourse.show import finale
from pgcourse.show.finale import engine

PPO_BATCH = ppo.CARTPOLE.batch_size
TRPO_BATCH = trpo.CARTPOLE.num_envs * trpo.CARTPOLE.num_steps
PENDULUM_BATCH = ppo.PENDULUM.num_envs * ppo.PENDULUM.num_steps  # each environment ends one episode in it
ANY = dict[str, Any]


def a2c_losses(
    log_prob: Tensor, advantages: Tensor, values: Tensor, targets: Tensor, entropy: Tensor, *, ent_coef: float
) -> tuple[Tensor, Tensor]:
    policy_loss = -(advantages.detach() * log_prob).mean() - ent_coef * entropy.mean()
    return policy_loss, 0.5 * (values - targets.detach()).square().mean()


def true_next(next_obs: Tensor, done: Tensor, final_obs: Tensor) -> Tensor:
    return torch.where(done[:, None], final_obs, next_obs)


# Finale -> right answers to its exercises; neither update clips.
RIGHT: dict[str, ANY] = {
    "reinforce": {"policy_network": CategoricalPolicy, "reinforce_update": get("reinforce_update").reference},
    "baseline": {"baseline_update": get("baseline_update").reference},
    "a2c": {"gae": returns.gae, "a2c_losses": a2c_losses, "true_next_observations": true_next},
    "ppo": {"ppo_clip_loss": losses.ppo_clip_loss, "gae": returns.gae},
    "ppo_update": {"ppo_update": get("ppo_update").reference},
    "continuous_ppo": {"gaussian_policy": GaussianPolicy},
    "trpo": {
        name: getattr(natural_gradient, name)
        for name in ("conjugate_gradient", "fisher_vector_product", "step_scale", "line_search")
    },
}
# Finale -> its budget in these tests; a few updates.
BUDGETS: dict[str, ANY] = {
    "reinforce": {"num_episodes": 16}, "baseline": {"num_episodes": 16}, "a2c": {"num_episodes": 30},
    "ppo": {"total_timesteps": 3 * PPO_BATCH}, "ppo_update": {"total_timesteps": 3 * PPO_BATCH},
    "continuous_ppo": {"last_step": PENDULUM_BATCH}, "trpo": {"last_step": 2 * TRPO_BATCH},
}  # fmt: skip
FUNCTIONS = [(name, function) for name, functions in RIGHT.items() for function in functions]
OPTIONAL = {("a2c", "true_next_observations"), ("ppo", "gae")}  # None leaves them out


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine even a short run may take long; the tests of the limits are in test_engine."""
    monkeypatch.setattr(engine, "TRAIN_SECONDS", 300.0)
    monkeypatch.setattr(engine, "HARD_SECONDS", 300.0)


def plan_of(name: str, *, seed: int = 0, budget: int | None = None, **changes: Any) -> engine.Plan:
    """The plan of a finale with right functions but for the changes."""
    budgets = {key: budget or number for key, number in BUDGETS[name].items()}
    plan: engine.Plan = getattr(finale, f"{name}_plan")(**(RIGHT[name] | changes), **budgets, seed=seed)
    return plan


def outcome(name: str, **changes: Any) -> engine.Outcome:
    return engine.run(plan_of(name, **changes))


def finite(policy: nn.Module | None) -> bool:
    return policy is not None and all(bool(parameter.isfinite().all()) for parameter in policy.parameters())


def spy(name: str, function: str, **options: Any) -> list[tuple[Any, ANY]]:
    """Arguments and settings of each call of the right function, the probe's first."""
    calls = []

    def spying(*arguments: Any, **settings: Any) -> Any:
        calls.append((arguments, settings))
        return RIGHT[name][function](*arguments, **settings)

    outcome(name, **options, **{function: spying})
    return calls


def after(name: str, function: str, change: Callable[[Any], Any]) -> ANY:
    """The right function with its answer changed."""
    return {function: lambda *inputs, **settings: change(RIGHT[name][function](*inputs, **settings))}


def stub(*arguments: Any, **keywords: Any) -> Any:
    raise NotImplementedError("the_stub: write your code here, then run the check below")


# Finale -> the package's algorithm and preset, and what bounds its run: a field of the preset, or a count that ends it.
PACKAGE: dict[str, tuple[Any, Any, Any]] = {
    "reinforce": (reinforce, reinforce.CARTPOLE_NO_BASELINE, "num_episodes"),
    "baseline": (reinforce, reinforce.CARTPOLE, "num_episodes"),
    "a2c": (a2c, a2c.CARTPOLE, lambda progress: len(progress.episodes)),  # its rates fall over the preset's budget
    "ppo": (ppo, ppo.CARTPOLE, "total_timesteps"),
    "ppo_update": (ppo, ppo.CARTPOLE, "total_timesteps"),
    "continuous_ppo": (ppo, ppo.PENDULUM, lambda progress: progress.env_step),
    "trpo": (trpo, trpo.CARTPOLE, lambda progress: progress.env_step),
}


def of_the_package(name: str, seed: int, budget: int) -> Any:
    algorithm, preset, bound = PACKAGE[name]
    config = replace(preset, seed=seed, **({bound: budget} if isinstance(bound, str) else {}))
    with seeded(seed):
        policy = GaussianPolicy(3, 1) if name == "continuous_ppo" else CategoricalPolicy(4, 2, config.hidden_sizes)
    stop = None if isinstance(bound, str) else (lambda progress: bound(progress) >= budget)
    return algorithm.train(config, policy=None if name == "baseline" else policy, on_iteration=stop)


@pytest.mark.parametrize(("name", "budget", "changes"), [
    ("reinforce", 60, {}), ("baseline", 60, {}),
    ("a2c", 80, {}), ("a2c", 80, {"true_next_observations": None}),
    ("ppo", 3 * PPO_BATCH, {}), ("ppo", 3 * PPO_BATCH, {"gae": None}), ("ppo_update", 3 * PPO_BATCH, {}),
    ("continuous_ppo", 2 * PENDULUM_BATCH, {}), ("trpo", 2 * TRPO_BATCH, {}),
])  # fmt: skip
def test_right_functions_give_the_very_curve_of_the_package(name: str, budget: int, changes: ANY) -> None:
    ours, theirs = outcome(name, seed=3, budget=budget, **changes), of_the_package(name, 3, budget)
    assert ours.status == "trained" and ours.policy is not None
    assert "the time was up" not in ours.sentence and "One more thing" not in ours.sentence
    np.testing.assert_array_equal(ours.returns, theirs.episodes["episodic_return"])
    np.testing.assert_array_equal(ours.env_steps, theirs.episodes["env_step"])
    for weight, wanted in zip(ours.policy.parameters(), theirs.policy.parameters(), strict=True):
        assert torch.equal(weight, wanted)


@pytest.mark.parametrize("name", RIGHT)
def test_the_seed_decides_the_curve(name: str) -> None:
    first, again, other = (outcome(name, seed=seed).returns for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first[:12], other[:12])


@pytest.mark.parametrize(("name", "function"), FUNCTIONS)
def test_an_untouched_function_is_named_and_nothing_trains(name: str, function: str, shown: list[ANY]) -> None:
    missing: list[tuple[Any, str]] = [(stub, "the_stub")] + [(None, function)] * ((name, function) not in OPTIONAL)
    for answer, named in missing:
        getattr(finale, name)(**(RIGHT[name] | {function: answer}))
        (bundle,) = shown
        assert bundle["text/plain"] == (
            f"`{named}`: not attempted. The finale runs once your functions are there; come back to it then."
        )
        shown.clear()


@pytest.mark.parametrize("name", ["reinforce", "trpo"])
def test_all_untouched_functions_are_named_together(name: str) -> None:
    listed = ", ".join(f"`{function}`" for function in RIGHT[name])
    assert outcome(name, **dict.fromkeys(RIGHT[name])).sentence.startswith(f"{listed}: not attempted")


@pytest.mark.parametrize(("name", "function"), FUNCTIONS)
def test_errors_are_said_of_the_function_that_made_them(name: str, function: str) -> None:
    broken = outcome(name, **{function: Mock(side_effect=IndexError("index 5 is out of bounds\nand more"))})
    assert broken.status == "broken" and not len(broken.returns)
    assert broken.sentence == f"`{function}` raised IndexError: index 5 is out of bounds."


class Policy(nn.Module):
    """A right answer to `gaussian_policy` whose parts a test replaces."""

    def __init__(self, obs_dim: int, action_dim: int) -> None:
        super().__init__()
        self.layer = nn.Linear(obs_dim, action_dim)
        self.log_std = nn.Parameter(torch.zeros(action_dim))
        self.calls = 0

    def distribution(self, mean: Tensor, std: Tensor) -> Any:
        return Independent(Normal(mean, std), 1)

    def forward(self, obs: Tensor) -> Any:
        self.calls += 1
        return self.distribution(self.layer(obs), self.log_std.exp())


def changed(**methods: Any) -> type[Policy]:
    return type("Changed", (Policy,), methods)


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("reinforce", {"policy_network": lambda *sizes: None}, "`policy_network` returned NoneType; let it return an nn.M"),
        ("reinforce", {"policy_network": nn.Linear}, "gave Tensor; let its forward return a distribution"),
        ("reinforce", {"policy_network": lambda *_: CategoricalPolicy(3, 2)}, "`forward of policy_network` raised Runtime"),
        ("reinforce", {"policy_network": lambda obs_dim: None}, "`policy_network` raised TypeError"),
        ("reinforce", after("reinforce", "reinforce_update", lambda loss: loss * math.nan), "`reinforce_update` returned nan"),
        ("baseline", after("baseline", "baseline_update", lambda two: (math.nan, two[1])), "`baseline_update` returned nan"),
        ("baseline", after("baseline", "baseline_update", lambda two: (two[0], math.inf)), "`baseline_update` returned inf"),
        ("a2c", after("a2c", "gae", lambda a: None), "`gae` returned NoneType; let it return a tensor of shape [16, 8]"),
        ("a2c", after("a2c", "gae", lambda a: a.numpy()), "`gae` returned ndarray"),
        ("a2c", after("a2c", "gae", lambda a: a.mean()), "`gae` returned a tensor of shape []; let it return"),
        ("a2c", after("a2c", "gae", lambda a: a.flatten()), "`gae` returned a tensor of shape [128]"),
        ("a2c", after("a2c", "gae", lambda a: a / 0), "`gae` returned numbers that are not finite"),
        ("a2c", {"gae": lambda rewards: rewards}, "`gae` raised TypeError"),
        ("a2c", after("a2c", "a2c_losses", sum), "`a2c_losses` returned Tensor; let it return two losses"),
        ("a2c", after("a2c", "a2c_losses", lambda two: (*two, two[0])), "`a2c_losses` returned 3 parts"),
        ("a2c", after("a2c", "a2c_losses", lambda two: (two[0].item(), two[1])), "returned float as its policy loss"),
        ("a2c", after("a2c", "a2c_losses", lambda two: (two[0], two[1].expand(4))), "shape [4] as its value loss"),
        ("a2c", after("a2c", "a2c_losses", lambda two: (two[0].detach(), two[1])), "without gradient as its policy loss"),
        ("a2c", after("a2c", "a2c_losses", lambda two: (two[0], two[1].detach())), "without gradient as its value loss"),
        ("a2c", after("a2c", "a2c_losses", lambda two: (two[0] * math.nan, two[1])), "returned nan as its policy loss"),
        ("a2c", {"true_next_observations": lambda *three: three[2][0]}, "returned a tensor of shape [4]; let it return a"),
        ("a2c", {"true_next_observations": lambda *three: torch.where(three[1], three[2], three[0])}, "raised Runtime"),
        ("a2c", {"true_next_observations": lambda *three: three[0] * math.inf}, "numbers that are not finite"),
        ("ppo", {"ppo_clip_loss": lambda *tensors, clip_coef: tensors[0] * 1}, "`ppo_clip_loss` returned a tensor of shape ["),
        ("ppo", {"ppo_clip_loss": lambda *_, clip_coef: None}, "returned NoneType; let it return a scalar tensor"),
        ("ppo", after("ppo", "ppo_clip_loss", lambda loss: loss * math.nan), "`ppo_clip_loss` returned nan; look for"),
        ("ppo", after("ppo", "gae", lambda a: a[0]), f"shape {[ppo.CARTPOLE.num_steps, ppo.CARTPOLE.num_envs]}"),
        ("ppo_update", after("ppo_update", "ppo_update", lambda metrics: metrics | {"losses/approx_kl": math.nan}),
         "`ppo_update` returned nan for losses/approx_kl"),
        ("continuous_ppo", {"gaussian_policy": lambda *_: Policy(3, 2)}, "gives actions of shape [2, 2] and log-prob"),
        ("continuous_ppo", {"gaussian_policy": changed(distribution=lambda self, mean, std: Normal(mean, std))},
         "log-probabilities of shape [2, 1]; expected"),
        ("continuous_ppo", {"gaussian_policy": changed(distribution=lambda self, mean, std: Normal(mean[:, 0], std))},
         "gives actions of shape [2]"),
        ("trpo", after("trpo", "step_scale", lambda scale: None), "`step_scale` returned NoneType; let it return one number"),
        ("trpo", {"step_scale": lambda x, fx, *, max_kl: x}, "`step_scale` returned a tensor of shape [4610]; let it"),
        ("trpo", {"step_scale": lambda *_, max_kl: math.nan}, "`step_scale` returned nan"),
    ]
    + [
        ("trpo", after("trpo", function, change), f"`{function}` returned {words}")
        for function in ("conjugate_gradient", "fisher_vector_product", "line_search")
        for change, words in (
            (lambda found: None, "NoneType; let it return a tensor of shape ["),
            (lambda found: found[None], "a tensor of shape [1, "),
            (lambda found: found * math.nan, "numbers that are not finite"),
        )
    ],
)  # fmt: skip
def test_what_a_function_hands_in_is_checked_before_any_curve(name: str, changes: ANY, words: str) -> None:
    result = outcome(name, **changes)
    assert result.status == "broken" and words in result.sentence and "\n" not in result.sentence


def silent(name: str, function: str) -> ANY:
    return after(name, function, lambda answer: None)


@pytest.mark.parametrize(("name", "changes", "words"), [
    ("reinforce", silent("reinforce", "reinforce_update"), "returned NoneType where the loss is expected"),
    ("baseline", silent("baseline", "baseline_update"), "returned NoneType where the policy's loss and the last"),
    ("baseline", after("baseline", "baseline_update", lambda two: float(two[0])), "returned float where the policy's loss"),
    ("baseline", after("baseline", "baseline_update", lambda two: (*two, 0.0)), "returned 3 values where the policy's"),
    ("baseline", after("baseline", "baseline_update", lambda two: (two[0], "low")), "returned str where the loss is"),
    ("baseline", after("baseline", "baseline_update", lambda two: [torch.as_tensor(x).detach() for x in two]), ""),
    ("a2c", after("a2c", "gae", lambda a: a.clone().requires_grad_()), ""),
    ("a2c", {"true_next_observations": lambda obs, done, last: torch.lerp(obs, last, done[:, None].to(obs.dtype))}, ""),
    ("a2c", after("a2c", "a2c_losses", lambda two: [loss.double() for loss in two]), ""),
    ("ppo_update", silent("ppo_update", "ppo_update"), "returned NoneType where a dict with losses/approx_kl"),
    ("ppo_update", after("ppo_update", "ppo_update", lambda metrics: metrics | {"losses/clipfrac": "0.1"}),
     "`ppo_update` returned no number called losses/clipfrac"),
    ("trpo", after("trpo", "step_scale", float), ""),
])  # fmt: skip
def test_other_answers_train_all_the_same_and_are_mentioned_once(name: str, changes: ANY, words: str) -> None:
    result = outcome(name, **changes)
    np.testing.assert_array_equal(result.returns, outcome(name).returns)
    assert result.sentence.count(words) == 1 if words else "One more thing" not in result.sentence


NO_STEP = {"losses/approx_kl": 0, "losses/clipfrac": 0, "epochs": 0}


@pytest.mark.parametrize(("name", "changes", "words"), [
    ("reinforce", {"reinforce_update": lambda *_, gamma: 0.0}, "does your update call `backward()` and `step()`?"),
    ("baseline", {"baseline_update": lambda *_, **__: (0.0, 0.0)}, "does your update call `backward()` and `step()`?"),
    ("a2c", after("a2c", "a2c_losses", lambda two: (0 * two[0], two[1])), "does its loss depend on `log_prob`?"),
    ("ppo", after("ppo", "ppo_clip_loss", lambda loss: loss.detach()), "does a gradient reach `log_prob` through"),
    ("ppo_update", {"ppo_update": lambda *_, **__: NO_STEP}, "does your update call `backward()` and `step()`?"),
    ("continuous_ppo", {"gaussian_policy": lambda *sizes: Policy(*sizes).requires_grad_(False)}, "are the mean and the"),
    ("continuous_ppo", {"gaussian_policy": changed(distribution=lambda self, mean, std: Independent(
        Normal(mean * 0, std * 0 + 1), 1))}, "the very weights it began with"),
    ("trpo", {"step_scale": lambda x, fx, *, max_kl: 0.0}, "no step was ever accepted"),
    ("trpo", {"line_search": lambda evaluate, step, **_: torch.zeros_like(step)}, "no step was ever accepted"),
    ("trpo", {"conjugate_gradient": lambda matvec, b, **_: -b}, "no step was ever accepted"),
])  # fmt: skip
def test_a_policy_that_has_not_changed_is_recognised(name: str, changes: ANY, words: str) -> None:
    result = outcome(name, **changes)
    assert result.status == "trained"
    assert "the very weights it began with" in result.sentence and words in result.sentence


@pytest.mark.parametrize(("name", "which", "words"), [
    ("reinforce", 0, "The policy's weights or its loss became NaN or infinite"),
    ("baseline", 0, "The policy's weights or its loss became NaN or infinite"),
    ("baseline", 1, "`baseline_update` made the critic's weights NaN or infinite"),
    ("ppo_update", 0, "The policy's weights or its loss became NaN or infinite"),
])  # fmt: skip
def test_nan_weights_stop_the_run_and_the_last_good_ones_are_kept(name: str, which: int, words: str) -> None:
    function = name if name == "ppo_update" else f"{name}_update"

    def poison(*arguments: Any, **keywords: Any) -> Any:
        answer = RIGHT[name][function](*arguments, **keywords)
        with torch.no_grad():
            next(arguments[which].parameters()).mul_(math.nan)
        return answer

    result = outcome(name, **{function: poison})
    assert result.status == "broken" and words in result.sentence and len(result.returns) == len(result.env_steps)
    assert which == 1 or (finite(result.policy) and len(result.returns) > 0)


def test_a_gaussian_whose_weights_become_nan_keeps_the_last_good_ones() -> None:
    def poisoned(self: Policy, obs: Tensor) -> Any:
        if self.calls == 250:
            with torch.no_grad():
                self.layer.bias.fill_(math.nan)
        self.calls += 1
        return Independent(Normal(self.layer(obs), self.log_std.exp(), validate_args=False), 1, validate_args=False)

    result = outcome("continuous_ppo", budget=3 * PENDULUM_BATCH, gaussian_policy=changed(forward=poisoned))
    assert result.status == "broken" and "NaN or infinite" in result.sentence and finite(result.policy)


def test_a_critic_that_is_never_fitted_is_mentioned_once_and_the_policy_trains_all_the_same() -> None:
    def without_critic(*arguments: Any, **keywords: Any) -> Any:
        policy, critic, policy_optimizer, _, episodes = arguments
        elsewhere = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
        return RIGHT["baseline"]["baseline_update"](policy, critic, policy_optimizer, elsewhere, episodes, **keywords)

    result = outcome("baseline", baseline_update=without_critic)
    assert result.status == "trained" and len(result.returns) == 16
    assert result.sentence.count("every weight of the critic as it was") == 1
    assert "very weights it began with" not in result.sentence


def test_final_observations_in_every_row_change_the_training() -> None:
    # Rows of running episodes hold nothing there, as in Gymnasium, so the critic would judge them by nothing.
    spoilt = outcome("a2c", budget=60, true_next_observations=lambda *three: three[2])
    assert not np.array_equal(spoilt.returns[:60], outcome("a2c", budget=60).returns[:60])


def test_writing_into_next_obs_spoils_the_run_and_is_named_as_the_cause() -> None:
    def in_place(next_obs: Tensor, done: Tensor, final_obs: Tensor) -> Tensor:
        next_obs[done] = final_obs[done]
        return next_obs

    result = outcome("a2c", budget=60, true_next_observations=in_place)
    assert result.status == "trained"
    assert result.returns[8:].mean() < 5  # the environments go on from states that are over
    assert "far below a random agent's" in result.sentence
    assert "`true_next_observations` writes into its input `next_obs`" in result.sentence
    assert "signs in `a2c_losses`" not in result.sentence  # nobody else is blamed


@pytest.mark.parametrize("name", ["a2c", "ppo"])
def test_a_gae_that_writes_into_the_rewards_is_told_so_although_it_learns(name: str) -> None:
    def in_place(rewards: Tensor, *rest: Tensor, **settings: float) -> Tensor:
        return rewards.copy_(returns.gae(rewards, *rest, **settings))

    assert outcome(name, gae=in_place).sentence.count("`gae` writes into its input `rewards`") == 1


def test_a_flipped_sign_learns_nothing_and_says_where_to_look() -> None:
    result = outcome("a2c", budget=100, **after("a2c", "a2c_losses", lambda two: (-two[0], two[1])))
    assert "hardly learnt" in result.sentence and "signs in `a2c_losses`" in result.sentence


def test_the_learners_gae_is_used_in_every_update() -> None:
    shapes = [arguments[0].shape for arguments, _ in spy("ppo", "gae")]
    assert (
        shapes == [(2, 1)] + [(ppo.CARTPOLE.num_steps, ppo.CARTPOLE.num_envs)] * 3
    )  # the probe, one rollout an update


def test_the_learners_update_gets_the_settings_of_the_preset() -> None:
    calls = spy("ppo_update", "ppo_update")
    assert len(calls) == 4  # the probe, then the three updates
    settings = calls[-1][1]
    assert settings.pop("generator") is torch.default_generator
    names = ("clip_coef", "ent_coef", "update_epochs", "minibatch_size", "target_kl", "max_grad_norm")
    assert settings == {name: getattr(ppo.CARTPOLE, name) for name in names}


@pytest.mark.parametrize("name", RIGHT["trpo"])
def test_each_function_of_trpo_is_called_in_every_update_with_the_preset(name: str) -> None:
    calls = spy("trpo", name, budget=TRPO_BATCH)
    assert len(calls) >= 2  # the probe, then the update
    preset, settings = trpo.CARTPOLE, calls[-1][1]
    known = {"iterations": preset.cg_iterations, "tolerance": preset.cg_tolerance, "max_kl": preset.max_kl}
    known |= {"damping": preset.damping, "backtracks": preset.backtracks, "shrink": preset.shrink}
    assert settings == {key: known[key] for key in settings}


def test_a_learner_who_skips_the_search_still_gets_a_curve() -> None:
    reckless = outcome("trpo", budget=TRPO_BATCH, line_search=lambda evaluate, step, **settings: 3 * step)
    assert reckless.status == "trained" and len(reckless.returns) > 0


def test_a_spread_that_cannot_learn_is_mentioned() -> None:
    fixed = changed(distribution=lambda self, mean, std: Independent(Normal(mean, std.detach()), 1))
    result = outcome("continuous_ppo", gaussian_policy=fixed)
    assert result.status == "trained" and "no gradient reaches your standard deviation" in result.sentence
    assert "no gradient reaches" not in outcome("continuous_ppo", gaussian_policy=Policy).sentence


def test_a_function_that_does_not_pass_its_check_is_mentioned_although_the_agent_learns() -> None:
    def without_zeros(evaluate: Any, step: Tensor, *, max_kl: float, backtracks: int, shrink: float) -> Tensor | None:
        found = natural_gradient.line_search(evaluate, step, max_kl=max_kl, backtracks=backtracks, shrink=shrink)
        return found if found.any() else None

    said = outcome("trpo", budget=TRPO_BATCH, line_search=without_zeros).sentence
    assert 'check("line_search", line_search)' in said
    assert "check(" not in outcome("trpo", budget=TRPO_BATCH).sentence
    bounded = changed(distribution=lambda self, mean, std: Independent(Normal(mean.tanh(), std), 1))
    assert 'check("gaussian_policy", gaussian_policy)' in outcome("continuous_ppo", gaussian_policy=bounded).sentence


# What the curve is measured against, so that the end of a short run can be compared: finale -> (x, episodes of the average).
# What the curve is measured against, so that the end of a short run can be compared: finale -> (x, episodes of the average).
REFERENCES = dict.fromkeys(("reinforce", "baseline", "a2c"), ([10, 20], 50)) | {
    "ppo": ([1000, 3000], 100), "ppo_update": ([1000, 3000], 100), "continuous_ppo": ([0, PENDULUM_BATCH], 10),
    "trpo": ([1000, 2000], 100),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_the_page_shows_curve_agent_and_sentence(name: str, shown: list[ANY], monkeypatch: pytest.MonkeyPatch) -> None:
    x, window = REFERENCES[name]
    reference = {"x": x, "mean": [22.0, 30.0], "low": [20.0, 24.0], "high": [25.0, 36.0], "n": 10, "window": window}
    study, curve = plan_of(name).curve
    monkeypatch.setattr(engine, "load_claims", lambda found: {"curves": {curve: reference} if found == study else {}})
    getattr(finale, name)(**RIGHT[name], **BUDGETS[name])
    picture, agent, sentence = shown
    assert "interquartile mean of the reference" in picture["text/html"]
    assert f"Moving average of {window} episodes" in picture["text/html"]
    assert "data:image/svg+xml" in picture["text/html"]
    assert "your agent" in agent["text/plain"] and "pg-live" in agent["text/html"]
    assert "the reference's interval is 24 to 36" in sentence["text/plain"]


@pytest.mark.parametrize("name", RIGHT)
def test_every_finale_is_measured_against_a_committed_curve(name: str) -> None:
    plan = plan_of(name)
    reference = engine.reference_curve(plan)
    assert reference is not None and reference["x_unit"] == plan.x_unit
