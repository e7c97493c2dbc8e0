"""Observer for a factory of Gaussian policies: what it builds, how its spread comes about, what its mean can reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal

from pgcourse.checks.observe import call
from pgcourse.checks.observe.record import Arrays, Case, fresh, record

WANTED = "Independent(Normal, 1)"


@dataclass(frozen=True)
class GaussianFactory:
    """Build Gaussian policies, look at the first one's distribution, move its log_std, then train its mean and drive it far.

    The case holds `obs_dim`, `action_dim`, `obs` [B, obs_dim], `log_std` [D] to be set in the policy, and for the
    training `training_obs` [M, obs_dim] with `targets` [M, D], means that follow from the observation. Recorded are
    facts; what they mean is the judge's business.
    """

    signature: str = "obs_dim, action_dim"
    builds: int = 4  # policies that are looked at as they start: a random one may be right by luck
    training_steps: int = 45
    pushes: int = 12

    makes_optimizers: ClassVar[bool] = True

    def __call__(self, attempt: Any, case: Case) -> Arrays:
        inputs = fresh(case)
        policy = call(attempt, self.signature, inputs)
        arrays: Arrays = {"result.kind": np.array(type(policy).__name__)}
        arrays["is module"] = np.array(isinstance(policy, nn.Module))
        if not arrays["is module"]:
            return arrays
        distribution = policy(inputs["obs"])
        arrays["distribution"] = np.array(describe(distribution))
        if isinstance(distribution, Distribution):
            arrays["batch shape"] = np.array(distribution.batch_shape, dtype=int)
            arrays["event shape"] = np.array(distribution.event_shape, dtype=int)
        wanted = (*inputs["obs"].shape[:1], inputs["action_dim"])
        if str(arrays["distribution"]) != WANTED or tuple(distribution.mean.shape) != wanted:
            return arrays
        record(arrays, "mean", plain(distribution.mean))
        record(arrays, "mean again", plain(policy(inputs["obs"]).mean))
        record(arrays, "std", plain(distribution.stddev))
        others = [call(attempt, self.signature, fresh(case)) for _ in range(self.builds - 1)]
        theirs = {id(parameter) for other in others for parameter in other.parameters()}
        arrays["built anew"] = np.array(theirs.isdisjoint(map(id, policy.parameters())))
        first = [distribution, *(other(inputs["obs"]) for other in others)]
        record(arrays, "starting mean", torch.stack([plain(each.mean) for each in first]))
        record(arrays, "starting std", torch.stack([plain(each.stddev)[0] for each in first]))
        self._observe_log_std(arrays, policy, inputs)
        self._observe_row(arrays, policy, inputs["obs"], "")
        self._observe_gradients(arrays, policy, inputs)
        if arrays["differentiable"]:
            self._train(arrays, policy, inputs["training_obs"], inputs["targets"])
            self._push(arrays, policy, inputs["training_obs"], inputs["targets"].sign())
        return arrays

    def _observe_log_std(self, arrays: Arrays, policy: nn.Module, inputs: Case) -> None:
        """Is there a parameter log_std, of which shape, and which standard deviation does a given one mean?"""
        log_std = dict(policy.named_parameters()).get("log_std")
        attribute = getattr(policy, "log_std", None)
        kind = "nothing" if attribute is None else type(attribute).__name__
        if log_std is not None:
            kind = "parameter" if log_std.requires_grad else "frozen parameter"
        arrays["log_std kind"] = np.array(kind)
        if isinstance(attribute, Tensor):
            arrays["log_std shape"] = np.array(attribute.shape, dtype=int)
        if log_std is None or log_std.shape != inputs["log_std"].shape:
            return
        before = log_std.detach().clone()
        with torch.no_grad():
            log_std.copy_(inputs["log_std"])
            record(arrays, "std of given log_std", plain(policy(inputs["obs"]).stddev))
            log_std.copy_(before)

    def _observe_row(self, arrays: Arrays, policy: nn.Module, obs: Tensor, when: str) -> None:
        """The first observation inside its batch and alone. After training, what mixes rows shows far more clearly."""
        try:
            record(arrays, f"{when}batch row", plain(policy(obs).mean)[:1])
            record(arrays, f"{when}single row", plain(policy(obs[:1]).mean))
        except Exception as error:  # a policy that refuses a batch of one: recorded, judged later
            arrays["row error"] = np.array(type(error).__name__)

    def _observe_gradients(self, arrays: Arrays, policy: nn.Module, inputs: Case) -> None:
        parameters = {name: value for name, value in policy.named_parameters() if value.requires_grad}
        arrays["parameters"] = np.array(sum(1 for _ in policy.parameters()))
        distribution = policy(inputs["training_obs"])
        log_prob = distribution.log_prob(inputs["targets"]).mean()
        arrays["differentiable"] = np.array(bool(parameters) and distribution.mean.requires_grad)
        arrays["std differentiable"] = np.array(distribution.stddev.requires_grad)
        if not arrays["differentiable"]:
            return
        reached = torch.autograd.grad(log_prob, list(parameters.values()), allow_unused=True, retain_graph=True)
        missing = [name for name, gradient in zip(parameters, reached, strict=True) if gradient is None]
        arrays["log_std unreached"] = np.array("log_std" in missing)
        # With unequal weights: a head whose weights start at 0 gives the same standard deviation everywhere until it is trained.
        weights = 1.5 + torch.arange(distribution.stddev.numel()).sin().view_as(distribution.stddev)
        stddev = (distribution.stddev * weights).sum()
        others = [value for name, value in parameters.items() if name != "log_std"]
        moving = torch.autograd.grad(stddev, others, allow_unused=True) if stddev.requires_grad and others else ()
        arrays["std moved by others"] = np.array(any(part is not None and bool(part.any()) for part in moving))
        arrays["unreached"] = np.array(len([name for name in missing if name != "log_std"]))

    def _train(self, arrays: Arrays, policy: nn.Module, obs: Tensor, targets: Tensor) -> None:
        optimizer = torch.optim.Adam(policy.parameters(), lr=0.05)
        for _ in range(self.training_steps):
            optimizer.zero_grad()
            loss = (policy(obs).mean - targets).square().mean()
            if loss.item() < 0.01:
                break
            loss.backward()
            optimizer.step()
        # Only rows of one kind: what mixes the rows of a balanced batch may leave its average as it is.
        self._observe_row(arrays, policy, obs[::2], "trained ")
        record(arrays, "trained mean", plain(policy(obs).mean))

    def _push(self, arrays: Arrays, policy: nn.Module, obs: Tensor, direction: Tensor) -> None:
        """How far the means get, to both sides, when they are driven apart with large steps."""
        optimizer = torch.optim.Adam((p for name, p in policy.named_parameters() if name != "log_std"), lr=10.0)
        reached = 0.0
        for _ in range(self.pushes):
            optimizer.zero_grad()
            try:
                mean = policy(obs).mean
                reached = max(reached, min(mean.max().item(), -mean.min().item()))
                (-mean * direction).mean().backward()
            except (ValueError, RuntimeError):  # numbers that are no longer finite
                break
            optimizer.step()
        arrays["pushed mean"] = np.array(reached)


def plain(value: Tensor) -> Tensor:
    """The tensor without its graph, and without a subclass."""
    return value.detach().as_subclass(Tensor).clone()


def describe(distribution: Any) -> str:
    """The kind of a distribution, with what is inside an Independent: `Independent(Normal, 1)`."""
    if isinstance(distribution, Independent):
        inner = distribution.base_dist
        return f"Independent({_kind(inner)}, {distribution.reinterpreted_batch_ndims})"
    return _kind(distribution)


def _kind(value: Any) -> str:
    return "Normal" if isinstance(value, Normal) else type(value).__name__
