"""The finale of each unit: which of the learner's functions drive which training run, and what the run is measured against."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from gymnasium.vector import VectorEnv, VectorWrapper
from torch import Tensor, nn

from ... import checks, optim
from ...algorithms import a2c as a2c_algorithm
from ...algorithms import ppo as ppo_algorithm
from ...algorithms import reinforce as reinforce_algorithm
from ...algorithms import trpo as trpo_algorithm
from ...config import Config
from ...networks import CategoricalPolicy, ValueNetwork
from ...returns import normalize
from ...rollout import Batch, Episode, Rollout, collect_rollout
from .engine import Plan, show
from .validation import (
    Fault,
    Function,
    checked,
    checked_policy,
    describe,
    guarded,
    kind_of,
    loss_metrics,
    reported,
    watching_inputs,
)

ROLLOUT = ("rewards", "values", "next_values", "terminated", "truncated")  # what `gae` is given, in this order
PENDULUM_SIZES = 3, 1  # cosine and sine of the angle, angular velocity -> torque
# Environment steps after which a run ends although its learning rates fall over more: by then it has learnt, and the page
# waits. Of 100,000 on Pendulum, where the rod is up long before, and of 120,000 on CartPole.
PENDULUM_STEPS, TRPO_STEPS = 60_000, 80_000
PPO_METRICS = {"losses/approx_kl": "losses/approx_kl", "losses/clipfrac": "losses/clipfrac", "epochs": "charts/epochs"}


# --- unit 01


def reinforce(
    *,
    policy_network: Function | None,
    reinforce_update: Function | None,
    num_episodes: int = 400,
    seed: int = 0,
    seconds: float | None = None,
) -> None:
    """Train CartPole with the learner's policy and update of unit 01, and show what came of it.

    Takes 20 s of computing at most, or `seconds`. Everything else is `reinforce.CARTPOLE_NO_BASELINE`: batches of 4
    complete episodes, Adam, and the gradient clipped at 0.5 inside the optimiser, so that the curve can be compared
    with the reference's. A function that is still the stub is named in one line; a wrong one gives the curve as far as
    it got and a sentence.
    """
    show(reinforce_plan(policy_network, reinforce_update, num_episodes=num_episodes, seed=seed), seconds)


def reinforce_plan(
    policy_network: Function | None, reinforce_update: Function | None, *, num_episodes: int, seed: int
) -> Plan:
    """The finale of unit 01 as data."""
    config = replace(reinforce_algorithm.CARTPOLE_NO_BASELINE, num_episodes=num_episodes, seed=seed)
    update = guarded("reinforce_update", reinforce_update)
    notes: list[str] = []

    def make_policy() -> Any:
        return guarded("policy_network", policy_network)(4, 2)

    def try_update() -> None:
        policy = CategoricalPolicy(4, 2)
        update(policy, _sgd(policy), [_episode(), _episode()], gamma=config.gamma)

    def adapted(policy: nn.Module, _: Any, optimizer: Any, __: Any, episodes: Any, config: Config, **___: Any) -> Any:
        return loss_metrics("reinforce_update", update(policy, optimizer, episodes, gamma=config.gamma), notes)

    return Plan(
        functions={"policy_network": make_policy, "reinforce_update": try_update},
        make_policy=lambda: checked_policy("policy_network", make_policy, 4, seed),
        train=functools.partial(
            reinforce_algorithm.train, config, update_fn=adapted, optimizer_fn=clipping_adam(config.max_grad_norm)
        ),
        notes=notes,
        env_id=config.env_id,
        good_return=300.0,
        algorithm="reinforce_no_baseline",
        curve=("reinforce", "no_baseline"),
        advice="Look at the sign of the loss (minus the mean of log-probability times weight), "
        "at weights standardised over all steps of the batch, and at log-probabilities of the actions taken.",
    )


# --- unit 02


def baseline(
    *, baseline_update: Function | None, num_episodes: int = 400, seed: int = 1, seconds: float | None = None
) -> None:
    """Train CartPole with the learner's update of unit 02, and show what came of it.

    Takes 20 s of computing at most, or `seconds`. Everything else is `reinforce.CARTPOLE`, policy and critic included:
    batches of 4 complete episodes, 5 critic steps, Adam, and each gradient clipped at 0.5 inside its optimiser. A
    right update gives the very curve of `reinforce.train` with this seed. An update that is still the stub is named in
    one line; a wrong one gives the curve as far as it got and a sentence.
    """
    show(baseline_plan(baseline_update, num_episodes=num_episodes, seed=seed), seconds)


def baseline_plan(baseline_update: Function | None, *, num_episodes: int, seed: int) -> Plan:
    """The finale of unit 02 as data."""
    config = replace(reinforce_algorithm.CARTPOLE, num_episodes=num_episodes, seed=seed)
    name = "baseline_update"
    update = guarded(name, baseline_update)
    notes: list[str] = []

    def try_update() -> None:
        policy, critic = CategoricalPolicy(4, 2, (4,)), ValueNetwork(4, (4,))
        settings = {"gamma": config.gamma, "critic_steps": 1}
        update(policy, critic, _sgd(policy), _sgd(critic), [_episode(), _episode()], **settings)

    def adapted(
        policy: nn.Module, critic: nn.Module, policy_optimizer: Any, critic_optimizer: Any, episodes: Any,
        config: reinforce_algorithm.ReinforceConfig, **_: Any,
    ) -> Any:  # fmt: skip
        before = [parameter.detach().clone() for parameter in critic.parameters()]
        settings = {"gamma": config.gamma, "critic_steps": config.critic_steps}
        losses = update(policy, critic, policy_optimizer, critic_optimizer, episodes, **settings)
        if all(torch.equal(old, new) for old, new in zip(before, critic.parameters(), strict=True)):
            notes.append("an update left every weight of the critic as it was, so the baseline learns nothing")
        if not all(bool(parameter.isfinite().all()) for parameter in critic.parameters()):
            raise Fault(
                f"`{name}` made the critic's weights NaN or infinite; look at the sign and the size of its loss"
            )
        if not isinstance(losses, tuple | list) or len(losses) != 2:
            kind = f"{len(losses)} values" if isinstance(losses, tuple | list) else type(losses).__name__
            notes.append(f"`{name}` returned {kind} where the policy's loss and the last value loss are expected")
            return {"charts/policy_loss": float("nan")}
        of_policy, of_values = (loss_metrics(name, loss, notes) for loss in losses)
        return of_policy | {metric.replace("policy", "value"): loss for metric, loss in of_values.items()}

    def train(policy: nn.Module, **keywords: Any) -> Any:
        # Without `policy`: `train` draws the same weights first from its stream, and the critic's after them.
        clipping = clipping_adam(config.max_grad_norm)
        return reinforce_algorithm.train(config, update_fn=adapted, optimizer_fn=clipping, **keywords)

    return Plan(
        functions={name: try_update},
        make_policy=lambda: _cartpole_policy(config),
        train=train,
        notes=notes,
        env_id=config.env_id,
        good_return=300.0,
        algorithm="reinforce",
        curve=("reinforce", "baseline"),
        advice="Look at the sign of the advantages (return minus value) and of the policy's loss, at advantages "
        "standardised over all steps of the batch, and at a critic that is fitted to the raw returns.",
    )


# --- unit 03


def a2c(
    *,
    gae: Function | None,
    a2c_losses: Function | None,
    true_next_observations: Function | None = None,
    num_episodes: int = 600,
    seed: int = 4,
    seconds: float | None = None,
) -> None:
    """Train CartPole with the learner's functions of unit 03, and show what came of it.

    Takes 20 s of computing at most, or `seconds`. Everything else is `a2c.CARTPOLE`: the loop normalises the
    advantages between `gae` and `a2c_losses`, and the learning rates fall over 1,000 episodes; the run stops earlier,
    at `num_episodes`, on the same schedule as the reference. `true_next_observations` may be left out; the package's
    collector then works alone. A function that is still the stub is named in one line; a wrong one gives the curve as
    far as it got and a sentence.
    """
    show(a2c_plan(gae, a2c_losses, true_next_observations, num_episodes=num_episodes, seed=seed), seconds)


def a2c_plan(
    gae: Function | None,
    a2c_losses: Function | None,
    true_next_observations: Function | None = None,
    *,
    num_episodes: int,
    seed: int,
) -> Plan:
    """The finale of unit 03 as data."""
    preset = a2c_algorithm.CARTPOLE
    config = replace(preset, num_episodes=max(num_episodes, preset.num_episodes or 0), seed=seed)
    causes: list[str] = []
    advantage_fn = _checked_gae(gae, causes)
    losses = guarded("a2c_losses", a2c_losses)
    functions: dict[str, Callable[[], Any]] = {
        "gae": lambda: _try_gae(advantage_fn),
        "a2c_losses": lambda: losses(*(torch.full((2,), -0.5, requires_grad=True) for _ in range(5)), ent_coef=0.1),
    }
    collect: Callable[..., tuple[Rollout, Tensor]] = collect_rollout
    if true_next_observations is not None:
        named = guarded("true_next_observations", true_next_observations)
        replacement = watching_inputs("true_next_observations", named, ("next_obs", "done", "final_obs"), causes)
        probe = torch.zeros(2, 4), torch.tensor([True, False]), torch.ones(2, 4)
        functions["true_next_observations"] = lambda: replacement(*probe)

        def collect(policy: Any, critic: Any, envs: VectorEnv, obs: Tensor, num_steps: int) -> tuple[Rollout, Tensor]:
            return collect_rollout(policy, critic, _ThroughTheLearner(envs, replacement), obs, num_steps)

    return Plan(
        functions=functions,
        make_policy=lambda: _cartpole_policy(config),
        train=functools.partial(
            a2c_algorithm.train, config, collect_fn=collect, advantage_fn=advantage_fn, update_fn=_a2c_update(losses)
        ),
        num_episodes=num_episodes,
        causes=causes,
        env_id=config.env_id,
        good_return=400.0,
        algorithm="a2c",
        curve=("a2c", "cartpole"),
        advice="Look at the signs in `a2c_losses` (both the weighted log-probability and the entropy are to grow), at "
        "`terminated` in `gae`, at its decay (gamma times gae_lambda: with a gae_lambda of 0 nothing flows back from later "
        "rows), and at the direction of its loop, from the last row to the first.",
        still_advice="The policy has the very weights it began with: does its loss depend on `log_prob`?",
    )


def _a2c_update(losses: Function) -> Callable[..., dict[str, Tensor]]:
    """The package's update of A2C with the learner's losses in it."""

    def update(
        policy: nn.Module, critic: nn.Module, policy_optimizer: Any, critic_optimizer: Any, batch: Batch,
        config: a2c_algorithm.A2CConfig, *, gradient_step_fn: Function, **_: Any,
    ) -> dict[str, Tensor]:  # fmt: skip
        distribution = policy(batch.obs)
        # Entropy first, as in the package's update: autograd adds in the order of the graph, and rounding follows it.
        entropy = distribution.entropy()
        log_prob = distribution.log_prob(batch.actions)
        advantages = normalize(batch.advantages) if config.normalize_advantages else batch.advantages
        answer = losses(log_prob, advantages, critic(batch.obs), batch.returns, entropy, ent_coef=config.ent_coef)
        if not isinstance(answer, tuple | list) or len(answer) != 2:
            given = f"{len(answer)} parts" if isinstance(answer, tuple | list) else type(answer).__name__
            raise Fault(f"`a2c_losses` returned {given}; let it return two losses, the policy's and the critic's")
        policy_loss, value_loss = (
            checked("a2c_losses", loss, role=role, wanted="a scalar tensor, the mean over the batch", gradient=True)
            for loss, role in zip(answer, (" as its policy loss", " as its value loss"), strict=True)
        )
        gradient_step_fn(
            policy_loss, value_loss, policy, critic, policy_optimizer, critic_optimizer,
            max_grad_norm=config.max_grad_norm,
        )  # fmt: skip
        return {"losses/policy_loss": policy_loss.detach(), "losses/value_loss": value_loss.detach()}

    return update


class _ThroughTheLearner(VectorWrapper):
    """Environments whose true next observations the learner puts together, as Gymnasium leaves it to the caller."""

    def __init__(self, envs: VectorEnv, function: Function) -> None:
        super().__init__(envs)
        self.function = function

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """One step; `info["final_obs"]` is what the learner's function made of it."""
        next_obs, rewards, terminated, truncated, info = self.env.step(actions)
        done = terminated | truncated
        # Ours are filled in every row; Gymnasium's are only where an episode ended.
        true_next = self.function(next_obs, done, info["final_obs"] * done[:, None])
        true_next = checked("true_next_observations", true_next, next_obs.shape)
        return next_obs, rewards, terminated, truncated, {**info, "final_obs": true_next}


# --- unit 04


def ppo(
    *,
    ppo_clip_loss: Function | None,
    gae: Function | None = None,
    total_timesteps: int = 100_000,
    seed: int = 1,
    seconds: float | None = None,
) -> None:
    """Train CartPole with PPO on the learner's loss, and show what came of it.

    Takes 20 s of computing at most, or `seconds`. `gae` of unit 03 may be brought along. Everything else is
    `ppo.CARTPOLE`, so that the curve can be compared with the reference's. A function that is still the stub is named
    in one line; a wrong one gives the curve as far as it got and a sentence.
    """
    show(ppo_plan(ppo_clip_loss, gae, total_timesteps=total_timesteps, seed=seed), seconds)


def ppo_update(
    *, ppo_update: Function | None, total_timesteps: int = 100_000, seed: int = 1, seconds: float | None = None
) -> None:
    """Train CartPole with the learner's whole update, and show what came of it.

    Takes 20 s of computing at most, or `seconds`. Rollouts, advantages, networks and optimisers are those of
    `ppo.CARTPOLE`; every gradient step is the learner's.
    """
    show(ppo_update_plan(ppo_update, total_timesteps=total_timesteps, seed=seed), seconds)


def ppo_plan(ppo_clip_loss: Function | None, gae: Function | None, *, total_timesteps: int, seed: int) -> Plan:
    """The first finale of unit 04 as data."""
    config = replace(ppo_algorithm.CARTPOLE, total_timesteps=total_timesteps, seed=seed)
    loss_fn = guarded("ppo_clip_loss", ppo_clip_loss)

    def checked_loss(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
        loss = loss_fn(log_prob, old_log_prob, advantages, clip_coef=clip_coef)
        return checked("ppo_clip_loss", loss, wanted="a scalar tensor")

    def try_loss() -> Any:
        log_prob = torch.full((2,), -0.7, requires_grad=True)
        return loss_fn(log_prob, torch.full((2,), -0.7), torch.tensor([1.0, -1.0]), clip_coef=0.2)

    causes: list[str] = []
    functions: dict[str, Callable[[], Any]] = {"ppo_clip_loss": try_loss}
    replaced: dict[str, Any] = {"policy_loss_fn": checked_loss}
    if gae is not None:
        replaced["advantage_fn"] = _checked_gae(gae, causes)
        functions["gae"] = lambda: _try_gae(replaced["advantage_fn"])
    return _ppo_cartpole(
        config,
        functions=functions,
        train=functools.partial(ppo_algorithm.train, config, **replaced),
        causes=causes,
        still_advice="The policy has the very weights it began with: does a gradient reach `log_prob` through your loss?",
        advice="Look at the sign of the loss (minus the mean), at the ratio (new over old, with `exp`), "
        "and at the smaller of the two objectives.",
    )


def ppo_update_plan(ppo_update: Function | None, *, total_timesteps: int, seed: int) -> Plan:
    """The second finale of unit 04 as data."""
    config = replace(ppo_algorithm.CARTPOLE, total_timesteps=total_timesteps, seed=seed)
    name = "ppo_update"
    update = guarded(name, ppo_update)
    notes: list[str] = []
    settings = {
        setting: getattr(config, setting)
        for setting in ("clip_coef", "ent_coef", "update_epochs", "target_kl", "max_grad_norm")
    }
    # torch's own generator, so that the run's seed decides and a right update draws the reference's minibatches.
    settings["generator"] = torch.default_generator

    def adapted(
        policy: nn.Module,
        critic: nn.Module,
        policy_optimizer: Any,
        critic_optimizer: Any,
        batch: Batch,
        _: Any,
        **__: Any,
    ) -> dict[str, Tensor | float]:
        networks = policy, critic, policy_optimizer, critic_optimizer
        result = update(*networks, batch, minibatch_size=config.minibatch_size, **settings)
        if not isinstance(result, dict):
            notes.append(f"`{name}` returned {kind_of(result)} where a dict with {', '.join(PPO_METRICS)} is expected")
            return {}
        numbers = {key: reported(name, result.get(key), f" for {key}") for key in PPO_METRICS}
        notes.extend(f"`{name}` returned no number called {key}" for key, number in numbers.items() if number is None)
        return {PPO_METRICS[key]: number for key, number in numbers.items() if number is not None}

    def try_update() -> Any:
        policy, critic = CategoricalPolicy(4, 2), ValueNetwork(4)
        columns = torch.full((4,), -0.7), torch.linspace(-1, 1, 4), torch.ones(4)
        batch = Batch(torch.zeros(4, 4), torch.tensor([0, 1, 0, 1]), *columns)
        return update(policy, critic, _sgd(policy), _sgd(critic), batch, minibatch_size=2, **settings)

    return _ppo_cartpole(
        config,
        functions={name: try_update},
        train=functools.partial(ppo_algorithm.train, config, update_fn=adapted),
        notes=notes,
        advice="Look at the old log-probabilities (the batch's own), at the rows of a minibatch (the same ones of every "
        "column), and at zero_grad, backward and step of both optimizers.",
    )


def _ppo_cartpole(config: Config, **parts: Any) -> Plan:
    """Either finale of unit 04: the package's policy, and what the curve is measured against."""
    return Plan(
        make_policy=lambda: _cartpole_policy(config),
        env_id=config.env_id,
        good_return=400.0,
        algorithm="ppo",
        curve=("ppo", "cartpole"),
        x_unit="env_step",
        **parts,
    )


# --- unit 05


def continuous_ppo(
    *, gaussian_policy: Function | None, last_step: int = PENDULUM_STEPS, seed: int = 1, seconds: float | None = None
) -> None:
    """Train Pendulum with the learner's policy of unit 05, and show what came of it.

    Takes 20 s of computing at most, or `seconds`. Everything else is `ppo.PENDULUM`, the critic included, so the curve
    is comparable with the reference's; the run ends after `last_step` environment steps. A function that is still the
    stub is named in one line; a wrong one gives the curve as far as it got and a sentence.
    """
    show(continuous_ppo_plan(gaussian_policy, last_step=last_step, seed=seed), seconds)


def continuous_ppo_plan(gaussian_policy: Function | None, *, last_step: int = PENDULUM_STEPS, seed: int = 0) -> Plan:
    """The finale of unit 05 as data."""
    config = replace(ppo_algorithm.PENDULUM, seed=seed)
    notes: list[str] = []

    def make_policy() -> Any:
        return guarded("gaussian_policy", gaussian_policy)(*PENDULUM_SIZES)

    def fitting_policy() -> nn.Module:
        policy = checked_policy("gaussian_policy", make_policy, PENDULUM_SIZES[0], seed)
        _require_actions(policy)
        stddev = getattr(policy(torch.zeros(2, PENDULUM_SIZES[0])), "stddev", None)
        if isinstance(stddev, Tensor) and not stddev.requires_grad:  # the run shows it only late, as noise that stays
            notes.append(
                "no gradient reaches your standard deviation, so the policy explores as widely at the end as at first"
            )
        notes.extend(refused({"gaussian_policy": gaussian_policy}))
        return policy

    return Plan(
        functions={"gaussian_policy": make_policy},
        make_policy=fitting_policy,
        train=functools.partial(ppo_algorithm.train, config),
        notes=notes,
        env_id=config.env_id,
        good_return=-250.0,
        poor_return=-900.0,
        algorithm="ppo",
        curve=("pendulum", "pendulum"),
        x_unit="env_step",
        last_step=last_step,
        advice="Look at the standard deviation (exp of log_std, near 1 at the start), at a mean without tanh or clamp, and "
        "at log_prob, which must sum over the action's dimensions.",
        still_advice="The policy has the very weights it began with: are the mean and the standard deviation computed "
        "from parameters, without detach, no_grad or requires_grad=False?",
    )


def _require_actions(policy: nn.Module) -> None:
    """Raises: Fault where the distribution for 2 observations does not give actions [2, 1] and log_prob [2]."""
    distribution = policy(torch.zeros(2, PENDULUM_SIZES[0]))
    try:
        action = distribution.sample()
        shapes = list(action.shape), list(distribution.log_prob(action).shape)
        distribution.entropy()
    except Exception as error:  # of the learner's distribution
        raise Fault(f"The distribution of `gaussian_policy` cannot be used: {describe(error)}") from error
    if shapes != ([2, PENDULUM_SIZES[1]], [2]):
        raise Fault(
            f"For 2 observations the distribution of `gaussian_policy` gives actions of shape {shapes[0]} and "
            f"log-probabilities of shape {shapes[1]}; expected [2, 1] and [2], as from Independent(Normal(...), 1)"
        )


# --- unit 08


def trpo(
    *,
    conjugate_gradient: Function | None,
    fisher_vector_product: Function | None,
    step_scale: Function | None,
    line_search: Function | None,
    last_step: int = TRPO_STEPS,
    seed: int = 0,
    seconds: float | None = None,
) -> None:
    """Train CartPole with TRPO on the learner's four functions, and show what came of it.

    Takes 20 s of computing at most, or `seconds`. Everything else is `trpo.CARTPOLE`, so that the curve can be
    compared with the reference's; the run ends after `last_step` environment steps. A function that is still the stub
    is named in one line; a wrong one gives the curve as far as it got and a sentence.
    """
    functions = conjugate_gradient, fisher_vector_product, step_scale, line_search
    show(trpo_plan(*functions, last_step=last_step, seed=seed), seconds)


def trpo_plan(
    conjugate_gradient: Function | None,
    fisher_vector_product: Function | None,
    step_scale: Function | None,
    line_search: Function | None,
    *,
    last_step: int = TRPO_STEPS,
    seed: int = 0,
) -> Plan:
    """The finale of unit 08 as data."""
    config = replace(trpo_algorithm.CARTPOLE, seed=seed)
    notes: list[str] = []
    solve = _vector_like(1, "conjugate_gradient", conjugate_gradient)
    product = _vector_like(2, "fisher_vector_product", fisher_vector_product)
    search = _vector_like(1, "line_search", line_search)
    called_scale = guarded("step_scale", step_scale)
    ones = torch.ones(2)

    def scale(*inputs: Any, **settings: Any) -> Tensor:
        found = called_scale(*inputs, **settings)
        if isinstance(found, int | float) and not isinstance(found, bool):
            found = torch.as_tensor(found)
        return checked("step_scale", found, wanted="one number").detach()

    def try_product() -> Any:
        policy = CategoricalPolicy(4, 2, ())
        vector = torch.ones(sum(parameter.numel() for parameter in policy.parameters()))
        return product(policy, torch.ones(2, 4), vector, damping=0.1)

    def made_policy() -> nn.Module:
        functions = conjugate_gradient, fisher_vector_product, step_scale, line_search
        names = "conjugate_gradient", "fisher_vector_product", "step_scale", "line_search"
        notes.extend(refused(dict(zip(names, functions, strict=True))))
        return _cartpole_policy(config)

    policy_step = functools.partial(
        trpo_algorithm.policy_step,
        conjugate_gradient_fn=solve,
        fisher_vector_product_fn=product,
        step_scale_fn=scale,
        line_search_fn=search,
    )
    return Plan(
        functions={
            "conjugate_gradient": lambda: solve(lambda vector: 2 * vector, ones, iterations=2, tolerance=1e-5),
            "fisher_vector_product": try_product,
            "step_scale": lambda: scale(ones, ones, max_kl=0.01),
            "line_search": lambda: search(lambda _: (1.0, 0.0), ones, max_kl=0.01, backtracks=2, shrink=0.5),
        },
        make_policy=made_policy,
        train=functools.partial(trpo_algorithm.train, config, policy_step_fn=policy_step),
        notes=notes,
        env_id=config.env_id,
        good_return=300.0,
        algorithm="trpo",
        curve=("trpo", "cartpole"),
        x_unit="env_step",
        last_step=last_step,
        advice="Look at conjugate gradient (after one iteration with A = diag(1, 3) and b = [1, 1] it is at [0.5, 0.5]), at "
        "the second derivative in the Fisher-vector product, and at the root in the scale.",
        still_advice="The policy has the very weights it began with: no step was ever accepted. Does `step_scale` give more "
        "than 0, does `line_search` return the step it accepts, and does conjugate gradient solve for +b?",
    )


def _vector_like(place: int, name: str, function: Function | None) -> Function:
    """The learner's function, which returns a vector as long as its input at this place, finite where that is."""
    called = guarded(name, function)

    def call(*inputs: Any, **settings: Any) -> Tensor:
        given: Tensor = inputs[place]
        found = called(*inputs, **settings)
        return checked(name, found, given.shape, finite=bool(given.isfinite().all())).detach()

    return call


# --- what several finales need


def refused(functions: Mapping[str, Function | None]) -> list[str]:
    """A note for each function that does not pass its check: an agent may learn with it all the same."""
    return [
        f'`{name}` does not pass its check, and the curve alone does not show it: `check("{name}", {name})` says more'
        for name, function in functions.items()
        if checks.run(name, function).status == "not yet"
    ]


def clipping_adam(max_grad_norm: float | None) -> Callable[..., torch.optim.Optimizer]:
    """The package's Adam, which clips the gradient before each step: a learner's update then need not."""
    limit = float("inf") if max_grad_norm is None else max_grad_norm

    def make(parameters: Any, learning_rate: float) -> torch.optim.Optimizer:
        parameters = list(parameters)
        optimizer = optim.adam(iter(parameters), learning_rate)

        def clip(*_: Any) -> None:
            nn.utils.clip_grad_norm_(parameters, limit)

        optimizer.register_step_pre_hook(clip)
        return optimizer

    return make


def _checked_gae(gae: Function | None, causes: list[str]) -> Function:
    """The learner's gae, which returns one finite advantage a step."""
    function = watching_inputs("gae", guarded("gae", gae), ROLLOUT, causes)

    def advantages(rewards: Tensor, *inputs: Tensor, **settings: float) -> Tensor:
        return checked("gae", function(rewards, *inputs, **settings), rewards.shape).detach()

    return advantages


def _try_gae(gae: Function) -> None:
    numbers, flags = torch.ones(2, 1), torch.zeros(2, 1, dtype=torch.bool)
    gae(numbers, numbers, numbers, flags, flags, gamma=0.9, gae_lambda=0.9)


def _cartpole_policy(config: Config) -> nn.Module:
    """The package's policy, with the weights of the config's seed."""
    with optim.seeded(config.seed):
        return CategoricalPolicy(4, 2, config.hidden_sizes)


def _episode() -> Episode:
    return Episode(torch.zeros(3, 4), torch.tensor([0, 1, 0]), torch.ones(3))


def _sgd(module: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(module.parameters(), lr=1e-3)
