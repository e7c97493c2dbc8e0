"""Networks that an attempt builds, asked about from outside: values, gradients and parameters go to and fro as numbers."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Distribution, Independent, Normal

from pgcourse.checks.observe import call, is_ours, split_signature
from pgcourse.checks.observe.asking import Ask, Asking
from pgcourse.checks.observe.record import Arrays, Case, record_left

NORMALS = "Independent(Normal, 1)"
MOST = 1000  # numbers for each observation
KEPT = 4  # forward passes whose gradients can still be asked for


class Networks:
    """Beside the attempt: the networks that it built, by number, and the last forward passes."""

    def __init__(self, attempt: Any, signature: str) -> None:
        self._attempt, self._signature = attempt, signature
        self._built: list[nn.Module] = []
        self._own: list[list[nn.Parameter]] = []  # of each network, the parameters that it was built with
        self._passes: dict[int, dict[str, Tensor]] = {}

    def build(self, **arguments: Any) -> Arrays:
        """Call the attempt. Gives the result's kind; of a network also the values of its parameters."""
        network = call(self._attempt, self._signature, arguments)
        arrays = {
            "result.kind": np.array(type(network).__name__),
            "is module": np.array(_is(network, nn.Module) and not any(map(is_ours, network.modules()))),
        }
        if not arrays["is module"]:
            return arrays
        self._built.append(network)
        self._own.append(list(network.parameters()))
        named = list(network.named_parameters())
        arrays["names"] = np.array([name for name, _ in named], dtype=str)
        arrays["trained"] = np.array([parameter.requires_grad for _, parameter in named], dtype=bool)
        record_left(arrays, {n: value for n, value in named if value.requires_grad}, requires_grad=True, grad=True)
        return arrays | self.parameters(len(self._built) - 1)

    def parameters(self, network: int) -> Arrays:
        """`parameter 0`, ...: the values as they are."""
        parameters = self._built[network].parameters()
        return {f"parameter {index}": plain(value).numpy() for index, value in enumerate(parameters)}

    def attribute(self, network: int, name: str) -> Arrays:
        """`kind` of an attribute, `nothing` where there is none, and the shape of a tensor."""
        value: Any = getattr(self._built[network], name, None)
        arrays = {"kind": np.array("nothing" if value is None else type(value).__name__)}
        return arrays | ({"shape": np.array(tuple(value.shape), dtype=int)} if _is(value, Tensor) else {})

    def forward(self, network: int, number: int, obs: Tensor, values: list[Tensor]) -> Arrays:
        """Set the parameters, unless `values` is empty, and call the network.

        Gives the distribution's kind and shapes and what it is made of: `logits`, `mean` and `std`, or of a plain tensor
        its `values`; with `.differentiable` whether gradients flow back from there.
        """
        module = self._built[network]
        with torch.no_grad():
            for parameter, value in zip(module.parameters(), values, strict=False):
                parameter.copy_(value)
        given = obs.clone()
        with torch.enable_grad():  # whoever asks from inside of a function of autograd has switched it off
            result = module(given)
            passed = _parts(result, describe(result))
        arrays = {"distribution": np.array(describe(result)), "changed": np.array(not torch.equal(given, obs))}
        if _is(result, Distribution):
            arrays["batch shape"] = np.array(result.batch_shape, dtype=int)
            arrays["event shape"] = np.array(result.event_shape, dtype=int)
        self._passes[number] = passed
        self._passes.pop(number - KEPT, None)
        for name, tensor in passed.items():
            arrays[name] = plain(tensor).numpy()
            arrays[f"{name}.differentiable"] = np.array(tensor.requires_grad)
        return arrays

    def evaluated(self, network: int, number: int, obs: Tensor) -> Arrays:
        """As `forward`, after eval(). Each part is in the mode that it was in again afterwards."""
        module = self._built[network]
        modes = [(part, part.training) for part in module.modules()]
        module.eval()
        try:
            return self.forward(network, number, obs, [])
        finally:
            for part, mode in modes:
                part.training = mode

    def foreign(self, network: int, obs: Tensor) -> Arrays:
        """`count` of the tensors behind a forward pass that can be trained, and are none of the parameters it began with."""
        with torch.enable_grad():
            result = self._built[network](obs.clone())
            waiting = [each.grad_fn for each in _parts(result, describe(result)).values()]
        own, found, seen = {id(each) for each in self._own[network]}, set(), set()
        while waiting:
            node: Any = waiting.pop()
            if node is None or node in seen:
                continue
            seen.add(node)
            if type(node).__name__ == "AccumulateGrad" and id(node.variable) not in own:
                found.add(id(node.variable))
            waiting += [before for before, _ in node.next_functions]
        return {"count": np.array(len(found))}

    def buffers(self, network: int) -> Arrays:
        """`buffer 0`, ...: those of floating point, as they are."""
        return {f"buffer {index}": plain(value).numpy() for index, value in enumerate(_buffers(self._built[network]))}

    def set_buffers(self, network: int, values: list[Tensor]) -> Arrays:
        """To what another network has."""
        with torch.no_grad():
            for buffer, value in zip(_buffers(self._built[network]), values, strict=False):
                buffer.copy_(value)
        return {}

    def distribution(self, network: int, obs: Tensor, actions: Tensor, gradients: bool, samples: int) -> Arrays:
        """`log_prob` of these actions and `entropy`, each [B], and that many `samples`, as the network's distribution says."""
        with torch.set_grad_enabled(gradients):
            given = self._built[network](obs.clone())
            said = {"log_prob": given.log_prob(actions), "entropy": given.entropy()}
            if samples:
                said["samples"] = torch.stack([given.sample() for _ in range(samples)])  # as agents draw them
        return {name: plain(value).numpy() for name, value in said.items()}

    def backward(self, network: int, number: int, weights: dict[str, Tensor]) -> Arrays:
        """`gradient 0`, ... of the weighted sum of what a forward pass gave, for each parameter that it reaches."""
        parameters = list(self._built[network].parameters())
        places = [index for index, parameter in enumerate(parameters) if parameter.requires_grad]
        passed = self._passes[number]
        found = torch.autograd.grad(
            [passed[name] for name in weights], [parameters[index] for index in places], list(weights.values()),
            allow_unused=True, retain_graph=True,
        )  # fmt: skip
        pairs = zip(places, found, strict=True)
        return {f"gradient {index}": plain(gradient).numpy() for index, gradient in pairs if gradient is not None}


def _buffers(module: nn.Module) -> list[Tensor]:
    return [buffer for buffer in module.buffers() if buffer.is_floating_point()]


def _parts(result: Any, kind: str) -> dict[str, Tensor]:
    if kind == "Categorical":
        return {"logits": result.logits}
    if kind == NORMALS:
        return {"mean": result.mean, "std": result.stddev}
    return {"values": result} if _is(result, Tensor) else {}


def describe(distribution: Any) -> str:
    """The kind of a distribution, with what is inside an Independent: `Independent(Normal, 1)`."""
    if _is(distribution, Independent):
        return f"Independent({_kind(distribution.base_dist)}, {distribution.reinterpreted_batch_ndims})"
    return _kind(distribution)


def _kind(value: Any) -> str:
    return next((kind.__name__ for kind in (Categorical, Normal) if _is(value, kind)), type(value).__name__)


def _is(value: Any, kind: type) -> bool:
    """As `isinstance`, but for what the value says of itself."""
    return issubclass(type(value), kind)


def plain(value: Tensor) -> Tensor:
    """The tensor without its graph, and without a subclass."""
    return value.detach().as_subclass(Tensor).clone()


class Factory(Asking):
    """An observer of a function that builds networks, and has them trained."""

    signature: str

    makes_optimizers: ClassVar[bool] = True
    sets: ClassVar[int] = 1  # of hidden inputs: each costs a training

    def answerer(self, attempt: Any) -> Networks:
        return Networks(attempt, self.signature)

    def build(self, ask: Ask, case: Case) -> Arrays:
        """Let it build one more network. Gives what `Networks.build` does."""
        return ask("build", **{name: case[name] for name in split_signature(self.signature)[0]})

    def begin(self, ask: Ask, case: Case) -> tuple[Arrays, RemoteNetwork | None]:
        """The first network, if it is one, and what it is."""
        built = self.build(ask, case)
        arrays: Arrays = {name: built[name] for name in ("result.kind", "is module", "left") if name in built}
        source = torch.Generator().manual_seed(case["judge_seed"])
        return arrays, RemoteNetwork(ask, 0, built, source) if arrays["is module"] else None


class RemoteNetwork(nn.Module):
    """A network that stands somewhere else: its parameters are here, what it computes comes from there.

    forward: obs -> what the network's distribution is made of, by name (`logits`; `mean` and `std`; `values`), with
    gradients for `parameters()`. `said` holds all else that the last forward pass gave. A batch goes there in another order
    each time, drawn from `source`: a row's place in it says nothing.
    """

    def __init__(self, ask: Ask, number: int, built: Arrays, source: torch.Generator) -> None:
        super().__init__()
        self.ask, self.number, self.passes, self.source = ask, number, 0, source
        self.names: list[str] = built["names"].tolist()
        trained = built["trained"].tolist()
        if len(trained) != len(self.names):
            raise ValueError("names and parameters that do not fit together")
        self.values = nn.ParameterList(
            nn.Parameter(torch.from_numpy(built[f"parameter {index}"].copy()), requires_grad=flag)
            for index, flag in enumerate(trained)
        )
        self.there = [value.detach().clone() for value in self.values]  # the values that it has over there
        self.said: Arrays = {}
        self.changed = False  # whether a forward pass has changed what it was given
        self.order = torch.arange(0)

    def named(self) -> dict[str, nn.Parameter]:
        """Name over there -> parameter."""
        return dict(zip(self.names, self.values, strict=True))

    def forward(self, obs: Tensor) -> dict[str, Tensor]:
        names: list[str] = []
        outputs = _Pass.apply(self, obs, names, *self.values)
        return dict(zip(names, outputs, strict=True))

    def look(self, obs: Tensor, names: list[str]) -> tuple[Tensor, ...]:
        """One forward pass over there. `names` is filled with what it gave."""
        here = [value.detach() for value in self.values]
        known = len(self.there) == len(here)
        same = known and all(torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in zip(here, self.there, strict=True))
        self.passes += 1
        self.order = torch.randperm(len(obs), generator=self.source) if obs.ndim > 1 else torch.arange(0)
        shuffled = obs[self.order] if obs.ndim > 1 else obs
        values = [] if same else [value.clone() for value in here]
        self.there = []  # unknown, should the pass fail
        self.said = self.ask("forward", network=self.number, number=self.passes, obs=shuffled, values=values)
        self.there = [value.clone() for value in here]
        self.changed = self.changed or bool(self.said["changed"])
        names += [name for name in self.said if f"{name}.differentiable" in self.said]
        shapes = {self.said[name].shape for name in names}
        if len(shapes) > 1 or any(
            np.prod(shape[1:]) > MOST or np.prod(shape) > MOST * max(len(obs), 1) for shape in shapes
        ):
            raise ValueError("outputs of shapes that no distribution has")
        given, back = [torch.from_numpy(self.said[name].copy()) for name in names], self.order.argsort()
        return tuple(each[back] if _is_batch(each, self.order) else each for each in given)


def _is_batch(tensor: Tensor, order: Tensor) -> bool:
    return tensor.ndim > 0 and 0 < len(order) == len(tensor)


class _Pass(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, network: RemoteNetwork, obs: Tensor, names: list[str], *values: Tensor) -> tuple[Tensor, ...]:
        outputs = network.look(obs, names)
        ctx.set_materialize_grads(False)
        ctx.order = network.order
        ctx.network, ctx.number, ctx.names, ctx.shapes = network, network.passes, list(names), [v.shape for v in values]
        fixed = [o for n, o in zip(names, outputs, strict=True) if not network.said[f"{n}.differentiable"]]
        ctx.mark_non_differentiable(*fixed)
        return outputs

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        given = {name: weight for name, weight in zip(ctx.names, gradients, strict=True) if weight is not None}
        weights = {name: each[ctx.order] if _is_batch(each, ctx.order) else each for name, each in given.items()}
        said = ctx.network.ask("backward", network=ctx.network.number, number=ctx.number, weights=weights)
        found = [said.get(f"gradient {index}") for index in range(len(ctx.shapes))]
        for gradient, shape in zip(found, ctx.shapes, strict=True):
            if gradient is not None and gradient.shape != shape:
                raise ValueError("a gradient of another shape than its parameter")
        return (None, None, None, *(None if each is None else torch.from_numpy(each.copy()) for each in found))
