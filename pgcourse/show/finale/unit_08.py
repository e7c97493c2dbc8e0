"""The finale of unit 08: the learner's conjugate gradient, Fisher-vector product, scale and line search drive TRPO."""

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from ...algorithms import trpo as trpo_algorithm
from ...networks import CategoricalPolicy
from ...training import OnIteration, Progress, Result
from .engine import Plan, present, run
from .validation import NAN_ADVICE, Fault, guarded, seeded_policy

Function = Callable[..., Any]
LAST_STEP = 50_000  # of the preset's 120,000: CartPole is nearly learnt by then, and the page waits
GOOD_RETURN = 300.0
ADVICE = (
    "Look at conjugate gradient (after one iteration with A = diag(1, 3) and b = [1, 1] it is at [0.5, 0.5]), at the second "
    "derivative in the Fisher-vector product, and at the root in the scale."
)


def trpo(
    *,
    conjugate_gradient: Function | None,
    fisher_vector_product: Function | None,
    step_scale: Function | None,
    line_search: Function | None,
    last_step: int = LAST_STEP,
    seed: int = 0,
    seconds: float | None = None,
) -> None:
    """Train CartPole with TRPO on the learner's four functions, and show what came of it.

    It takes 20 s of computing at most, or `seconds`.

    Everything else is `trpo.CARTPOLE`, so that the curve can be compared with the reference's; the run ends after `last_step`
    environment steps. A function that is still the stub is named in one line; a wrong one gives the curve as far as it got
    and a sentence.
    """
    functions = conjugate_gradient, fisher_vector_product, step_scale, line_search
    plan = trpo_plan(*functions, last_step=last_step, seed=seed)
    present(plan, run(plan, seconds=seconds))


def trpo_plan(
    conjugate_gradient: Function | None,
    fisher_vector_product: Function | None,
    step_scale: Function | None,
    line_search: Function | None,
    *,
    last_step: int = LAST_STEP,
    seed: int = 0,
) -> Plan:
    """The finale of unit 08 as data."""
    config = replace(trpo_algorithm.CARTPOLE, seed=seed)
    solve = _vector("conjugate_gradient", conjugate_gradient)
    product = _vector("fisher_vector_product", fisher_vector_product)
    search = _vector("line_search", line_search)
    scale = _number("step_scale", step_scale)
    ones = torch.ones(2)

    def try_product() -> Any:
        policy = CategoricalPolicy(4, 2, ())
        vector = torch.ones(sum(parameter.numel() for parameter in policy.parameters()))
        return product(policy, torch.ones(2, 4), vector, damping=0.1)

    policy_step = functools.partial(
        trpo_algorithm.policy_step,
        conjugate_gradient_fn=solve,
        fisher_vector_product_fn=product,
        step_scale_fn=scale,
        line_search_fn=search,
    )

    def train(policy: nn.Module, on_iteration: OnIteration) -> Result:
        def watch(progress: Progress) -> bool:
            return bool(on_iteration(progress)) or progress.env_step >= last_step

        return trpo_algorithm.train(config, policy=policy, policy_step_fn=policy_step, on_iteration=watch)

    return Plan(
        functions={
            "conjugate_gradient": lambda: solve(lambda vector: 2 * vector, ones, iterations=2, tolerance=1e-5),
            "fisher_vector_product": try_product,
            "step_scale": lambda: scale(ones, ones, max_kl=0.01),
            "line_search": lambda: search(lambda _: (1.0, 0.0), ones, max_kl=0.01, backtracks=2, shrink=0.5),
        },
        make_policy=lambda: seeded_policy("policy", lambda: CategoricalPolicy(4, 2, config.hidden_sizes), 4, seed),
        train=train,
        env_id=config.env_id,
        good_return=GOOD_RETURN,
        algorithm="trpo",
        curve=("trpo", "cartpole"),
        x_unit="env_step",
        last_step=last_step,
        advice=ADVICE,
        still_advice="The policy has the very weights it began with: no step was ever accepted. Does `step_scale` give more than "
        "0, does `line_search` return the step it accepts, and does conjugate gradient solve for +b?",
    )


def _vector(name: str, function: Function | None) -> Function:
    """The learner's function. Raises: Fault where it returns no finite vector as long as the one it is given."""
    called = guarded(name, function)

    def checked(*inputs: Any, **settings: Any) -> Tensor:
        given: Tensor = inputs[2] if name == "fisher_vector_product" else inputs[1]
        found = called(*inputs, **settings)
        if not isinstance(found, Tensor) or found.shape != given.shape:
            raise Fault(f"`{name}` returned {_kind(found)}; let it return a tensor of shape {list(given.shape)}")
        if bool(given.isfinite().all()) and not bool(found.isfinite().all()):
            raise Fault(f"`{name}` returned numbers that are not finite; {NAN_ADVICE}")
        return found.detach()

    return checked


def _number(name: str, function: Function | None) -> Function:
    """The learner's function. Raises: Fault where it returns no finite number."""
    called = guarded(name, function)

    def checked(*inputs: Any, **settings: Any) -> Tensor:
        found = called(*inputs, **settings)
        if (
            isinstance(found, bool)
            or not isinstance(found, Tensor | int | float)
            or torch.as_tensor(found).numel() != 1
        ):
            raise Fault(f"`{name}` returned {_kind(found)}; let it return one number")
        found = torch.as_tensor(found).detach().reshape(())
        if not bool(found.isfinite()):
            raise Fault(f"`{name}` returned {found.item()}; {NAN_ADVICE}")
        return found

    return checked


def _kind(value: Any) -> str:
    return f"a tensor of shape {list(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
