"""Observers for losses and whole updates of linear networks: what one gradient step does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Categorical

from pgcourse.checks.observe import call, call_turned, ours
from pgcourse.checks.observe.record import (
    Arrays,
    Case,
    add_left,
    flatten,
    fresh,
    record,
    record_gradients,
    record_left,
    record_mutations,
)


@ours
class LinearPolicy(nn.Module):
    """The smallest policy there is: logits are linear in the observation. forward: [B, D] or [D] -> Categorical.

    With `hidden` [H, D] they are linear in H features, tanh of what is linear in the observation. `watch`, where there is
    one, gets what each pass was given and what it gives: a hook would miss `policy.forward(obs)`.
    """

    watch: Callable[[Tensor, Any], None] | None = None

    def __init__(self, weight: Tensor, bias: Tensor, hidden: Tensor | None = None) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight.clone()), nn.Parameter(bias.clone())
        self.hidden = None if hidden is None else nn.Parameter(hidden.clone())

    def forward(self, obs: Tensor) -> Categorical:
        features = _features(obs, self.hidden)
        logits = nn.functional.linear(features, self.weight, self.bias)
        return _watched(self, obs, Categorical(logits=logits, validate_args=False))


@ours
class LinearCritic(nn.Module):
    """Values linear in the observation, with `hidden` and `watch` as those of `LinearPolicy`. forward: [B, D] -> [B]."""

    watch: Callable[[Tensor, Any], None] | None = None

    def __init__(self, weight: Tensor, bias: Tensor, hidden: Tensor | None = None) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight.clone()), nn.Parameter(bias.clone())
        self.hidden = None if hidden is None else nn.Parameter(hidden.clone())

    def forward(self, obs: Tensor) -> Tensor:
        return _watched(self, obs, _features(obs, self.hidden) @ self.weight + self.bias)


def _watched(network: LinearPolicy | LinearCritic, obs: Tensor, result: Any) -> Any:
    if network.watch is not None:
        network.watch(obs, result)
    return result


def _features(obs: Tensor, hidden: Tensor | None) -> Tensor:
    return obs if hidden is None else torch.tanh(obs @ hidden.T)


NETWORKS: dict[str, type[LinearPolicy | LinearCritic]] = {"policy": LinearPolicy, "critic": LinearCritic}


def network_of(case: Case, name: str) -> LinearPolicy | LinearCritic:
    """The policy or the critic of a case: `NAME_weight`, `NAME_bias` and, where it has a hidden layer, `NAME_hidden`."""
    return NETWORKS[name](case[f"{name}_weight"], case[f"{name}_bias"], case.get(f"{name}_hidden"))


def sgd(case: Case, network: nn.Module, learning_rate: float) -> torch.optim.SGD:
    """Plain SGD of one group; with `momentum` in the case SGD with that, which runs already, and a group for each parameter."""
    if "momentum" not in case:
        return torch.optim.SGD(network.parameters(), lr=learning_rate)
    return running([[parameter] for parameter in network.parameters()], learning_rate, case["momentum"])


def running(groups: Sequence[list[nn.Parameter]], learning_rate: float, momentum: float) -> torch.optim.SGD:
    """SGD that has its momentum from a step of gradients of ones, whose learning rate was 0: who clears it goes elsewhere."""
    optimizer = torch.optim.SGD([{"params": group} for group in groups], lr=0.0, momentum=momentum)
    for parameter in (parameter for group in groups for parameter in group):
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    optimizer.zero_grad()
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    return optimizer


class Watched:
    """Notes how networks and optimizers are set before a call, and adds to `left` what a call has changed of that."""

    def __init__(self, networks: Mapping[str, nn.Module], optimizers: Iterable[torch.optim.Optimizer] = ()) -> None:
        self._networks, self._optimizers = networks, list(optimizers)
        self._before = self._now()

    def _now(self) -> dict[str, object]:
        found: dict[str, object] = {}
        for name, network in self._networks.items():
            modules = list(network.modules())
            found[f"the {name} in another mode"] = [module.training for module in modules]
            tables = (each for module in modules for key, each in vars(module).items() if key.endswith("_hooks"))
            found[f"a hook at the {name}"] = sum(map(len, tables))
        groups = [group for optimizer in self._optimizers for group in optimizer.param_groups]
        settings = [{name: value for name, value in group.items() if name != "params"} for group in groups]
        found["other settings of an optimizer"] = settings, [[id(each) for each in group["params"]] for group in groups]
        return found

    def record(self, arrays: Arrays) -> None:
        """Also what `record_left` says of all parameters."""
        record_left(arrays, named_parameters(self._networks), requires_grad=True, grad=True)
        now = self._now()
        add_left(arrays, [what for what, before in self._before.items() if now[what] != before])


def named_parameters(networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """The parameters of all networks, each as NETWORK.PARAMETER."""
    return {f"{name}.{part}": value for name, each in networks.items() for part, value in each.named_parameters()}


def kind_of_sgd(case: Case) -> str:
    """The optimiser of `sgd` in words, and whether there is a hidden layer."""
    if "momentum" not in case:
        return "plain SGD"
    layer = ", a hidden layer" * ("policy_hidden" in case)
    return f"SGD of momentum {case['momentum']} that runs already, a group for each parameter{layer}"


@dataclass(frozen=True)
class SgdUpdate:
    """Call the attempt `U` times in a row on one linear policy (and critic) with SGD; record what it changed.

    More than one update shows gradients that were not cleared in between. The case holds `policy_weight` [A, D],
    `policy_bias` [A], `learning_rate`, `lengths` [E] and, for each update, the steps of all its episodes one after
    another: `obs` [U, S, D], `actions` [U, S], `rewards` [U, S] with S = sum(lengths); with `critic_weight` [D] and
    `critic_bias` (0-d) also a critic; hidden layers and momentum, see `network_of` and `sgd`. The attempt may ask for
    `policy`, `critic`, `optimizer`, `policy_optimizer`, `critic_optimizer`, `episodes` and for every other entry of the
    case by its name.

    Fields: gradients_left: every parameter has a gradient of ones before the first update, left by somebody else.
    """

    signature: str
    gradients_left: bool = False

    makes_optimizers: ClassVar[bool] = True
    sets: ClassVar[int] = 1  # of hidden inputs: each takes a dozen updates

    def __call__(self, attempt: Any, case: Case) -> Arrays:
        from pgcourse.rollout import Episode

        arrays: Arrays = {}
        inputs = fresh(case)
        modules: dict[str, nn.Module] = {
            name: network_of(inputs, name) for name in NETWORKS if f"{name}_weight" in inputs
        }
        optimizers, steps = {}, dict.fromkeys(modules, 0)
        for name, module in modules.items():
            optimizers[name] = sgd(inputs, module, inputs["learning_rate"])

            def count(*_: object, name: str = name) -> None:
                steps[name] += 1

            optimizers[name].register_step_post_hook(count)
            if self.gradients_left:
                for value in module.parameters():
                    value.grad = torch.ones_like(value)
        known = {**modules, "optimizer": optimizers["policy"], "policy_optimizer": optimizers["policy"]}
        known["critic_optimizer"] = optimizers.get("critic")
        lengths, listed, watched = inputs["lengths"].tolist(), True, Watched(modules, optimizers.values())
        for update in range(len(inputs["obs"])):
            parts = [inputs[name][update].split(lengths) for name in ("obs", "actions", "rewards")]
            given = tuple(Episode(*fields) for fields in zip(*parts, strict=True))
            known["episodes"] = episodes = list(given)
            for name in steps:
                steps[name] = 0
            record(arrays, f"update {update + 1}/result", call(attempt, self.signature, {**inputs, **known}))
            listed = listed and [id(e) for e in episodes] == [id(e) for e in given]
            for name, module in modules.items():
                record(arrays, f"update {update + 1}/{name} steps", steps[name])
                for parameter, value in module.named_parameters():
                    record(arrays, f"update {update + 1}/{name}.{parameter}", value.detach())
        record_mutations(arrays, case, inputs)
        watched.record(arrays)
        if not listed:
            arrays["mutated"] = np.append(arrays["mutated"], "episodes")
        return arrays


@dataclass(frozen=True)
class PolicyLoss:
    """Call the attempt with a linear policy; record what it returns, also for rows in reverse order, and the loss's gradient.

    Of what else it returns, data for the diagnostics, it is recorded whether it keeps a gradient. The case holds
    `weight` [A, D] and `bias` [A] of the policy. The attempt gives the loss, or a tuple that begins with it.
    """

    signature: str

    def __call__(self, attempt: Any, case: Case) -> Arrays:
        arrays: Arrays = {}
        inputs = fresh(case)
        policy = LinearPolicy(inputs["weight"], inputs["bias"])

        def anew() -> Any:
            return call(attempt, self.signature, {**inputs, "policy": policy})

        result = anew()
        record(arrays, "result", result)
        record_mutations(arrays, case, inputs)
        tensors = list(flatten(result))
        for place, tensor in enumerate(tensors[1:], 1):
            question = f'the answer to "does entry {place} of your result keep a gradient?" (1 is yes, 0 no)'
            arrays[question] = np.array(int(tensor.requires_grad))
            arrays[f"{question}.kind"] = np.array("answer")
        parameters: dict[str, Tensor] = {f"the policy's {name}": value for name, value in policy.named_parameters()}
        record_left(arrays, parameters, requires_grad=True)
        rows = {name: value for name, value in case.items() if name not in ("weight", "bias")}
        call_turned(arrays, anew, rows, inputs, result)
        if not arrays["left"].size:
            record_gradients(arrays, next(flatten(anew()), None), parameters, lambda: next(flatten(anew()), None))
        return arrays
