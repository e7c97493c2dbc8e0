"""Observer for a factory of Gaussian policies: what it builds, how its spread comes about, what its mean can reach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Independent, Normal

from pgcourse.checks.observe.asking import Ask, kind_of_error
from pgcourse.checks.observe.network_facts import (
    driven_apart,
    frozen,
    inert,
    misfit,
    more_than_parameters,
    put_back,
    sensitivity,
    shared,
    slopes,
)
from pgcourse.checks.observe.record import Arrays, Case, record
from pgcourse.checks.observe.remote_networks import NORMALS, Factory, RemoteNetwork, kind_of, plain

FAR = 200.0  # means that nothing bounds get there


@dataclass(frozen=True)
class GaussianFactory(Factory):
    """Build Gaussian policies, look at the first one's distribution, move its log_std, then train its mean and drive it far.

    The case holds `obs_dim`, `action_dim`, `obs` [B, obs_dim], `log_std` [D] to be set in the policy, for the training
    `training_obs` [M, obs_dim] with `targets` [M, D], means that follow from the observation, and `judge_seed`, which the
    attempt never sees. Recorded are facts; what they mean is the judge's business.
    """

    signature: str = "obs_dim, action_dim"
    builds: int = 4  # policies that are looked at as they start: a random one may be right by luck
    training_steps: int = 45

    def drive(self, ask: Ask, case: Case) -> Arrays:
        arrays, policy = self.begin(ask, case)
        if policy is None:
            return arrays
        obs = case["obs"]
        outputs = policy(obs)
        arrays |= {n: policy.said[n] for n in ("distribution", "batch shape", "event shape") if n in policy.said}
        wanted = (*obs.shape[:1], case["action_dim"])
        if str(arrays["distribution"]) != NORMALS or tuple(outputs["mean"].shape) != wanted:
            return arrays
        sloping = any(output.requires_grad for output in outputs.values())
        begun = slopes(policy, case["training_obs"]) if sloping else np.empty((0, 2))
        misfits = [misfit(ask, policy, obs, _distribution)]
        record(arrays, "mean", plain(outputs["mean"]))
        record(arrays, "mean again", policy.looks([obs])[0]["mean"])
        record(arrays, "std", plain(outputs["std"]))
        others: dict[int, Arrays] = {}
        for number in range(1, self.builds):
            others[number] = another = self.build(ask, case)
            if "names" not in another:  # no network, or one that is too large
                return arrays | kind_of(another)
        arrays["built anew"] = np.array(not shared(ask, policy, obs, others))
        first = [outputs, *(RemoteNetwork(ask, number, other, policy.source)(obs) for number, other in others.items())]
        record(arrays, "starting mean", torch.stack([plain(each["mean"]) for each in first]))
        record(arrays, "starting std", torch.stack([plain(each["std"])[0] for each in first]))
        self._observe_log_std(arrays, ask, policy, case)
        self._observe_row(arrays, policy, obs, "")
        self._observe_gradients(arrays, policy, case)
        if arrays["differentiable"]:
            arrays["inert"] = np.array(inert(policy, obs, _mean))
            arrays["frozen"] = np.array(frozen(policy))
            arrays |= sensitivity(policy, obs, _mean)
            self._train(arrays, policy, case["training_obs"], case["targets"])
            misfits.append(self._misfit(ask, policy, case))
            arrays["slopes"] = np.concatenate([begun, slopes(policy, case["training_obs"], alone=True)])
            another = self.build(ask, case)
            if "names" not in another:
                return arrays | kind_of(another)
            later = RemoteNetwork(ask, self.builds, another, policy.source)
            # When one has been trained, and first others than the first network: it may set itself by none of them.
            _, its = later.looks([case["training_obs"], obs])
            for name, value in (("mean", its["mean"]), ("std", its["std"][0])):
                arrays[f"starting {name}"] = np.concatenate([arrays[f"starting {name}"], value.numpy()[None]])
            arrays |= more_than_parameters(ask, policy, later, obs, _mean)
            self._push(arrays, policy, case["training_obs"], case["targets"].sign())
        arrays["misfit"] = np.array(next(filter(None, misfits), ""))
        arrays["mutated"] = np.array(["obs"] * policy.changed, dtype=str)
        return arrays

    def _misfit(self, ask: Ask, policy: RemoteNetwork, case: Case) -> str:
        """See `misfit`, with the given log_std: with deviations of 1, a density that leaves them out is the right one."""
        log_std = policy.named().get("log_std")
        given = [] if log_std is None or log_std.shape != case["log_std"].shape else [log_std]
        with put_back(given):
            for value in given:
                value.copy_(case["log_std"])
            return misfit(ask, policy, case["obs"], _distribution)

    def _observe_log_std(self, arrays: Arrays, ask: Ask, policy: RemoteNetwork, case: Case) -> None:
        """Is there a parameter log_std, of which shape, and which standard deviation does a given one mean?"""
        log_std, attribute = policy.named().get("log_std"), ask("attribute", network=0, name="log_std")
        kind = str(attribute["kind"])
        if log_std is not None:
            kind = "parameter" if log_std.requires_grad else "frozen parameter"
        arrays["log_std kind"] = np.array(kind)
        if "shape" in attribute:
            arrays["log_std shape"] = attribute["shape"]
        if log_std is None or log_std.shape != case["log_std"].shape:
            return
        before = log_std.detach().clone()
        with torch.no_grad():
            log_std.copy_(case["log_std"])
            record(arrays, "std of given log_std", plain(policy(case["obs"])["std"]))
            log_std.copy_(before)

    def _observe_row(self, arrays: Arrays, policy: RemoteNetwork, obs: Tensor, when: str) -> None:
        """The first observation inside its batch and alone. After training, what mixes rows shows far more clearly."""
        try:
            batch, single = policy.looks([obs, obs[:1]])
            record(arrays, f"{when}batch row", batch["mean"][:1])
            record(arrays, f"{when}single row", single["mean"])
        except Exception as error:  # a policy that refuses a batch of one: recorded, judged later
            arrays["row error"] = kind_of_error(error)

    def _observe_gradients(self, arrays: Arrays, policy: RemoteNetwork, case: Case) -> None:
        parameters = {name: value for name, value in policy.named().items() if value.requires_grad}
        arrays["parameters"] = np.array(len(policy.names))
        outputs = policy(case["training_obs"])
        mean, std = outputs["mean"], outputs["std"]
        log_prob = Independent(Normal(mean, std), 1).log_prob(case["targets"]).mean()
        arrays["differentiable"] = np.array(bool(parameters) and mean.requires_grad)
        arrays["std differentiable"] = np.array(std.requires_grad)
        if not arrays["differentiable"]:
            return
        reached = torch.autograd.grad(log_prob, list(parameters.values()), allow_unused=True, retain_graph=True)
        missing = [name for name, gradient in zip(parameters, reached, strict=True) if gradient is None]
        arrays["log_std unreached"] = np.array("log_std" in missing)
        # With unequal weights: a head whose weights start at 0 gives the same standard deviation everywhere until it is trained.
        weighted = (std * (1.5 + torch.arange(std.numel()).sin().view_as(std))).sum()
        others = [value for name, value in parameters.items() if name != "log_std"]
        moving = torch.autograd.grad(weighted, others, allow_unused=True) if weighted.requires_grad and others else ()
        arrays["std moved by others"] = np.array(any(part is not None and bool(part.any()) for part in moving))
        arrays["unreached"] = np.array(len([name for name in missing if name != "log_std"]))

    def _train(self, arrays: Arrays, policy: RemoteNetwork, obs: Tensor, targets: Tensor) -> None:
        start = [value.detach().clone() for value in policy.values]
        for rate in (0.05, 0.005):  # the smaller one from the start again, where large steps leave no ReLU that answers
            with torch.no_grad():
                for value, before in zip(policy.values, start, strict=True):
                    value.copy_(before)
            optimizer = torch.optim.Adam(policy.parameters(), lr=rate)
            for _ in range(self.training_steps):
                optimizer.zero_grad()
                loss = (policy(obs)["mean"] - targets).square().mean()
                if loss.item() < 0.04:  # near enough: no side of any dimension can be off by 0.5
                    break
                loss.backward()
                optimizer.step()
            if loss.item() < 0.9 * targets.square().mean().item():
                break
        # Only rows of one kind: what mixes the rows of a balanced batch may leave its average as it is.
        self._observe_row(arrays, policy, obs[::2], "trained ")
        large = obs[::2].repeat(200, 1)[:200] + 0.1 * torch.randn(200, obs.shape[1], generator=policy.source)
        many, few = policy.looks([torch.cat([obs[:1], large]), obs])
        record(arrays, "large batch row", many["mean"][:1])
        record(arrays, "trained mean", few["mean"])

    def _push(self, arrays: Arrays, policy: RemoteNetwork, obs: Tensor, direction: Tensor) -> None:
        """How far the means get, to both sides, when they are driven apart with large steps."""
        parameters = (value for name, value in policy.named().items() if name != "log_std")
        reached = driven_apart(lambda: policy(obs)["mean"], parameters, direction, FAR)
        arrays["pushed mean"] = np.array(reached)


def _mean(outputs: dict[str, Tensor]) -> Tensor:
    return outputs["mean"]


def _distribution(outputs: dict[str, Tensor]) -> Independent:
    return Independent(
        Normal(plain(outputs["mean"]), plain(outputs["std"]), validate_args=False), 1, validate_args=False
    )
