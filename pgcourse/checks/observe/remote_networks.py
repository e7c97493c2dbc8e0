"""Networks that an attempt builds, asked about from outside: values, gradients and parameters go to and fro as numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
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
MOST_PARAMETERS = 5_000_000  # bytes: two layers of 1024, an LSTM of 512
MOST_SENT = 2**23  # bytes of moved values in one question
MOST_ANSWERED = 2**21  # bytes of gradients in one answer
KEPT = 4  # forward passes whose gradients can still be asked for
EVALUATED = -1  # the number of a pass in that mode
_ALONE = torch.arange(0)  # the order of a single observation


class Networks:
    """Beside the attempt: the networks that it built, by number, and the last forward passes."""

    def __init__(self, attempt: Any, signature: str) -> None:
        self._attempt, self._signature = attempt, signature
        self._built: list[nn.Module] = []
        self._own: list[list[nn.Parameter]] = []  # of each network, the parameters that it was built with
        self._passes: dict[int, dict[str, Tensor]] = {}

    def build(self, **arguments: Any) -> Arrays:
        """Call the attempt. Gives the result's kind; of a network also its `bytes`, and the values of its parameters.

        Without these where they have more than `MOST_PARAMETERS` bytes.
        """
        network = call(self._attempt, self._signature, arguments)
        arrays = {
            "result.kind": np.array(type(network).__name__),
            "is module": np.array(_is(network, nn.Module) and not any(map(is_ours, network.modules()))),
        }
        if not arrays["is module"]:
            return arrays
        named = list(network.named_parameters())
        arrays["bytes"] = np.array(sum(parameter.nbytes for _, parameter in named))
        if arrays["bytes"] > MOST_PARAMETERS:
            return arrays
        self._built.append(network)
        self._own.append(list(network.parameters()))
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

    def forward(
        self, network: int, number: int, obs: list[Tensor], values: list[Tensor], moved: list[list[Tensor | None]]
    ) -> Arrays:
        """Set the parameters, unless `values` is empty, and call the network on each of `obs`: passes number, number + 1, ...

        Args: moved: for a pass that is to have other values, a list of them, or None where a parameter stays; else an empty
        list. They are put back. Gives, each with its place `0/`, `1/` ..., what the distribution is made of: `logits`, `mean`
        and `std`, or of a plain tensor its `values`; with `.differentiable` whether gradients flow back from there. Of the
        first one also its kind and shapes.
        """
        module, arrays = self._built[network], Arrays()
        parameters = list(module.parameters())
        _set(parameters, values)
        start = [parameter.detach().clone() for parameter in parameters] if any(moved) else []
        for place, (given, others) in enumerate(zip(obs, moved, strict=True)):
            _set(parameters, [a if b is None else b for a, b in zip(start, others, strict=True)] if others else start)
            passed = self._pass(module, number + place, given, place == 0)
            arrays |= {f"{place}/{name}": array for name, array in passed.items()}
        _set(parameters, start)
        return arrays

    def _pass(self, module: nn.Module, number: int, obs: Tensor, described: bool = False) -> Arrays:
        given = obs.clone()
        with torch.enable_grad():  # whoever asks from inside of a function of autograd has switched it off
            result = module(given)
            passed = _parts(result, describe(result))
        arrays = {"changed": np.array(not torch.equal(given, obs))}
        if described:
            arrays["distribution"] = np.array(describe(result))
        if described and _is(result, Distribution):
            arrays["batch shape"] = np.array(result.batch_shape, dtype=int)
            arrays["event shape"] = np.array(result.event_shape, dtype=int)
        self._passes[number] = passed
        self._passes.pop(number - KEPT, None)
        for name, tensor in passed.items():
            arrays[name] = plain(tensor).numpy()
            arrays[f"{name}.differentiable"] = np.array(tensor.requires_grad)
        return arrays

    def evaluated(self, network: int, obs: Tensor) -> Arrays:
        """One more pass as `forward` gives it, in that mode. Each part is in the mode that it was in again afterwards."""
        module = self._built[network]
        modes = [(part, part.training) for part in module.modules()]
        for part, _ in modes:  # not by eval(), which calls train(): a policy may have a method `train` of its own
            part.training = False
        try:
            return self._pass(module, EVALUATED, obs)
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

    def hand_over(self, network: int, another: int) -> Arrays:
        """Give another network the buffers of floating point that this one has."""
        with torch.no_grad():
            for buffer, value in zip(_buffers(self._built[another]), _buffers(self._built[network]), strict=False):
                buffer.copy_(value)
        return {}

    def distribution(self, network: int, obs: Tensor, actions: list[Tensor], samples: int) -> Arrays:
        """`log_prob` of these actions and `entropy`, each [B], and that many `samples`, as the network's distribution says.

        `0/log_prob` and so on without gradients, for the first actions; `1/log_prob` with them, for the second.
        """
        arrays: Arrays = {}
        for gradients, chosen in enumerate(actions):
            with torch.set_grad_enabled(bool(gradients)):
                given = self._built[network](obs.clone())
                said = {"log_prob": given.log_prob(chosen), "entropy": given.entropy()}
                if samples and not gradients:
                    said["samples"] = torch.stack([given.sample() for _ in range(samples)])  # as agents draw them
            arrays |= {f"{gradients}/{name}": plain(value).numpy() for name, value in said.items()}
        return arrays

    def backward(self, network: int, number: int, weights: list[dict[str, Tensor]]) -> Arrays:
        """For each of the weights, `0/gradient 0`, ... of the weighted sum of what a forward pass gave.

        One for each parameter that it reaches.
        """
        parameters = list(self._built[network].parameters())
        places = [index for index, parameter in enumerate(parameters) if parameter.requires_grad]
        passed, arrays = self._passes[number], Arrays()
        for turn, of_each in enumerate(weights):
            found = torch.autograd.grad(
                [passed[name] for name in of_each], [parameters[index] for index in places], list(of_each.values()),
                allow_unused=True, retain_graph=True,
            )  # fmt: skip
            pairs = zip(places, found, strict=True)
            arrays |= {f"{turn}/gradient {index}": plain(each).numpy() for index, each in pairs if each is not None}
        return arrays


def _set(parameters: list[nn.Parameter], values: list[Tensor]) -> None:
    with torch.no_grad():
        for parameter, value in zip(parameters, values, strict=False):
            parameter.copy_(value)


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

    @property
    def answerer(self) -> partial[Networks]:
        return partial(Networks, signature=self.signature)

    def build(self, ask: Ask, case: Case) -> Arrays:
        """Let it build one more network. Gives what `Networks.build` does."""
        return ask("build", **{name: case[name] for name in split_signature(self.signature)[0]})

    def begin(self, ask: Ask, case: Case) -> tuple[Arrays, RemoteNetwork | None]:
        """The first network, if it is one, and what it is."""
        built = self.build(ask, case)
        arrays = kind_of(built)
        source = torch.Generator().manual_seed(case["judge_seed"])
        return arrays, RemoteNetwork(ask, 0, built, source) if "names" in built else None


def kind_of(built: Arrays) -> Arrays:
    """Of what `Networks.build` gave, what says whether it is a network that can be asked about: with `names` it is."""
    return {name: built[name] for name in ("result.kind", "is module", "bytes", "left") if name in built}


def too_large(arrays: Arrays) -> tuple[str, str] | None:
    """A sentence on a network that cannot be asked about for its size; and got against expected."""
    size = float(arrays.get("bytes", np.array(0)))  # who answers in a network's place may leave it out
    if not size > MOST_PARAMETERS:
        return None
    text = "Your network is too large to be checked: it is trained here, step by step. Make its layers smaller."
    return (
        text,
        f"Got parameters of {size / 1e6:.1f} MB, expected {MOST_PARAMETERS / 1e6:.1f} at most.",
    )


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
        self.order = _ALONE  # of the rows in the last pass

    def named(self) -> dict[str, nn.Parameter]:
        """Name over there -> parameter."""
        return dict(zip(self.names, self.values, strict=True))

    def forward(self, obs: Tensor) -> dict[str, Tensor]:
        names: list[str] = []
        outputs = _Pass.apply(self, obs, names, *self.values)
        return dict(zip(names, outputs, strict=True))

    def looks(self, obs: Sequence[Tensor], moved: Sequence[Mapping[int, Tensor]] = ()) -> list[dict[str, Tensor]]:
        """One forward pass over there for each of `obs`, all in one question: what it gave, without gradients.

        Args: moved: for each pass, place of a parameter -> the value that it has in this pass alone.
        """
        sizes = [sum(value.nbytes for value in each.values()) for each in moved]
        if len(obs) > 1 and sum(sizes) > MOST_SENT:
            half = len(obs) // 2
            return self.looks(obs[:half], moved[:half]) + self.looks(obs[half:], moved[half:])
        here = [value.detach() for value in self.values]
        known = len(self.there) == len(here)
        same = known and all(torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in zip(here, self.there, strict=True))
        values = [] if same else [value.clone() for value in here]
        others = [[each.get(place) for place in range(len(here))] if each else [] for each in moved or [{}] * len(obs)]
        orders = [torch.randperm(len(each), generator=self.source) if each.ndim > 1 else _ALONE for each in obs]
        given = [each[order] if each.ndim > 1 else each for each, order in zip(obs, orders, strict=True)]
        first = self.passes + 1
        self.passes += len(obs)
        self.there = []  # unknown, should a pass fail
        said = self.ask("forward", network=self.number, number=first, obs=given, values=values, moved=others)
        self.there = [value.clone() for value in here]
        passed = zip(obs, orders, strict=True)
        return [self._outputs(_of(said, place), len(each), order) for place, (each, order) in enumerate(passed)]

    def _outputs(self, said: Arrays, rows: int, order: Tensor) -> dict[str, Tensor]:
        """What one pass gave, its rows in our order again."""
        self.said, self.order = said, order
        self.changed = self.changed or bool(said["changed"])
        names = [name for name in said if f"{name}.differentiable" in said]
        shapes = {said[name].shape for name in names}
        if len(shapes) > 1 or any(
            np.prod(shape[1:]) > MOST or np.prod(shape) > MOST * max(rows, 1) for shape in shapes
        ):
            raise ValueError("outputs of shapes that no distribution has")
        if "logits" in names and _offset(said["logits"]):
            raise ValueError("logits that torch's Categorical would not hold")
        given, back = {name: torch.from_numpy(said[name].copy()) for name in names}, order.argsort()
        return {name: each[back] if _is_batch(each, order) else each for name, each in given.items()}

    def gradients(self, weights: Sequence[Mapping[str, Tensor]]) -> list[list[Tensor | None]]:
        """Of weighted sums of what the last pass gave, each for every parameter; None where none arrives."""
        return self.gradients_of(self.passes, self.order, weights)

    def gradients_of(
        self, number: int, order: Tensor, weights: Sequence[Mapping[str, Tensor]]
    ) -> list[list[Tensor | None]]:
        """As `gradients`, of the pass with this number and order."""
        if len(weights) > 1 and len(weights) * sum(value.nbytes for value in self.values) > MOST_ANSWERED:
            return [gradients for one in weights for gradients in self.gradients_of(number, order, [one])]
        shuffled = [{n: each[order] if _is_batch(each, order) else each for n, each in of.items()} for of in weights]
        said = self.ask("backward", network=self.number, number=number, weights=shuffled)
        turns = [_of(said, turn) for turn in range(len(weights))]
        return [[self._gradient(turn, place) for place in range(len(self.values))] for turn in turns]

    def _gradient(self, said: Arrays, place: int) -> Tensor | None:
        if (found := said.get(f"gradient {place}")) is None:
            return None
        if found.shape != self.values[place].shape:
            raise ValueError("a gradient of another shape than its parameter")
        return torch.from_numpy(found.copy())


def _of(said: Arrays, place: int) -> Arrays:
    """What an answer to several questions in one says of this one."""
    prefix = f"{place}/"
    return {name.removeprefix(prefix): array for name, array in said.items() if name.startswith(prefix)}


def _offset(logits: np.ndarray) -> bool:
    """Whether they are far from logarithms of probabilities: what is judged to some digits of the largest would be to none."""
    given = torch.from_numpy(logits)
    off = float((given.exp().sum(-1) - 1).abs().amax()) if given.numel() else 0.0  # 0, but for digits: torch sees to it
    # Raw logits of a million, as large steps give, leave float32 a tenth behind the point.
    return off > 0.05 and off > 0.05 + 1e-4 * float(given[given.isfinite()].abs().amax())


def _is_batch(tensor: Tensor, order: Tensor) -> bool:
    return tensor.ndim > 0 and 0 < len(order) == len(tensor)


class _Pass(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, network: RemoteNetwork, obs: Tensor, names: list[str], *values: Tensor) -> tuple[Tensor, ...]:
        outputs = network.looks([obs])[0]
        names += outputs
        ctx.set_materialize_grads(False)
        ctx.network, ctx.number, ctx.order, ctx.names = network, network.passes, network.order, list(names)
        ctx.mark_non_differentiable(*(o for n, o in outputs.items() if not network.said[f"{n}.differentiable"]))
        return tuple(outputs.values())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        weights = {name: weight for name, weight in zip(ctx.names, gradients, strict=True) if weight is not None}
        return None, None, None, *ctx.network.gradients_of(ctx.number, ctx.order, [weights])[0]
