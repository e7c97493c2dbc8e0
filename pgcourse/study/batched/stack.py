"""S networks of one make as one: every parameter has a leading axis of runs, and all of them lie in one tensor [S, P]."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Self

import torch
from torch import Tensor, nn

from ...networks import CategoricalPolicy, GaussianPolicy, ValueNetwork
from ...normalization import ObservationNorm

STACKABLE = (CategoricalPolicy, GaussianPolicy, ValueNetwork)
# Modules that work on [S, B, D] as on [B, D], once their own tensors have the axis of runs.
PARTS = (nn.Linear, nn.Sequential, nn.Identity, ObservationNorm)


MANY = 20_000  # numbers, from which the shorter way to tanh is worth a function of its own


class StackedLinear(nn.Module):
    """S linear layers side by side: input [S, B, in] -> [S, B, out]; weight [S, out, in], bias [S, 1, out]."""

    weight: Tensor
    bias: Tensor

    def forward(self, input: Tensor) -> Tensor:
        return torch.baddbmm(self.bias, input, self.weight.mT)


class Tanh(nn.Module):
    """The hyperbolic tangent, of many numbers as 2 sigmoid(2 x) - 1: torch's own takes twice as long on the CPU.

    A tenth off a batch of PPO. The two differ by rounding, at most 2e-7.
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.numel() < MANY or input.device.type != "cpu":
            return input.tanh()
        return _Tanh.apply(input)


class _Tanh(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, input: Tensor) -> Tensor:
        output = (input + input).sigmoid_().mul_(2).sub_(1)
        context.save_for_backward(output)
        return output

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        (output,) = context.saved_tensors
        return torch.ops.aten.tanh_backward(gradient, output)


class Stack:
    """Networks of S runs: `network` maps observations [S, B, D] as each of them maps [B, D].

    `parameters` [S, P] holds all parameters, one row a run, and `gradients` [S, P] their gradients: those of the network
    are views of them, so that clipping and optimising takes a handful of operations whatever the number of layers.
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        self.make = copy.deepcopy(networks[0])  # of one network
        self.shapes = {name: parameter.shape for name, parameter in self.make.named_parameters()}
        self._bind(
            torch.stack([nn.utils.parameters_to_vector(network.parameters()).detach() for network in networks]),
            {
                name: torch.stack([dict(network.named_buffers())[name] for network in networks])
                for name in self._buffers
            },
        )

    @property
    def _buffers(self) -> list[str]:
        return [name for name, _ in self.make.named_buffers()]

    def _bind(self, parameters: Tensor, buffers: Mapping[str, Tensor]) -> None:
        """Make the network whose parameters are views of `parameters` [S, P]; buffers [S, ...]."""
        self.parameters, self.gradients = parameters, torch.zeros_like(parameters)
        self.network = copy.deepcopy(self.make)
        for name, module in list(self.network.named_modules()):
            if isinstance(module, nn.Linear):
                self.network.set_submodule(name, StackedLinear())
            if isinstance(module, nn.Tanh):
                self.network.set_submodule(name, Tanh())
        start = 0
        self.parts: dict[str, list[slice]] = {}  # of the parameters' columns, by the network's top-level parts
        for name, shape in self.shapes.items():
            columns = slice(start, start + shape.numel())
            start = columns.stop
            self.parts.setdefault(name.partition(".")[0], []).append(columns)
            parameter = nn.Parameter(_with_runs(parameters[:, columns], shape))
            parameter.grad = _with_runs(self.gradients[:, columns], shape)
            owner, _, own_name = name.rpartition(".")
            self.network.get_submodule(owner).register_parameter(own_name, parameter)
        for name, buffer in buffers.items():
            owner, _, own_name = name.rpartition(".")
            self.network.get_submodule(owner).register_buffer(
                own_name, _with_runs(buffer, self.make.get_buffer(name).shape).contiguous()
            )

    @property
    def hidden(self) -> slice:
        """The parameters' columns of all layers but the last."""
        (layers,) = (columns for part, columns in self.parts.items() if part != "log_std")
        return slice(layers[0].start, layers[-2].start)  # the last two are the last layer's weight and bias

    def select(self, rows: Tensor) -> Self:
        """Keep these rows [K] alone."""
        buffers = {name: self.network.get_buffer(name)[rows] for name in self._buffers}
        self._bind(self.parameters[rows], buffers)
        return self

    def to(self, device: torch.device) -> Self:
        """Move everything, in place."""
        self.make = self.make.to(device)
        buffers = {name: self.network.get_buffer(name).to(device) for name in self._buffers}
        self._bind(self.parameters.to(device), buffers)
        return self

    def snapshot(self) -> tuple[Tensor, dict[str, Tensor]]:
        """Copies of parameters [S, P] and buffers."""
        return self.parameters.clone(), {name: self.network.get_buffer(name).clone() for name in self._buffers}

    def unstack(self, row: int, snapshot: tuple[Tensor, dict[str, Tensor]] | None = None) -> nn.Module:
        """The network of one run, now or as in a snapshot."""
        parameters, buffers = snapshot if snapshot is not None else self.snapshot()
        network = copy.deepcopy(self.make)
        nn.utils.vector_to_parameters(parameters[row].clone(), network.parameters())
        for name, buffer in buffers.items():
            own = network.get_buffer(name)
            own.copy_(buffer[row].view_as(own))
        return network

    def update_norms(self, before: Tensor) -> dict[str, Tensor]:
        """How far each top-level part has moved from parameters [S, P]: Euclidean norms [S] by name."""
        squares = (self.parameters - before).square()
        return {
            part: torch.stack([squares[:, of].sum(-1) for of in columns]).sum(0).sqrt()
            for part, columns in self.parts.items()
        }


def stackable(network: nn.Module | None) -> bool:
    """Whether `Stack` can hold networks of this make."""
    if network is None:
        return True
    inner = list(network.modules())[1:]
    return type(network) in STACKABLE and all(isinstance(module, PARTS) or _elementwise(module) for module in inner)


def _elementwise(module: nn.Module) -> bool:
    """Whether it is one of torch's activations without state."""
    stateless = not list(module.parameters()) and not list(module.buffers())
    return stateless and type(module).__module__ == "torch.nn.modules.activation"


def _with_runs(values: Tensor, shape: torch.Size) -> Tensor:
    """Rows of tensors of this shape with the axis of runs in front, broadcast over a batch: [S, 1, D] for a vector."""
    return values.view(len(values), *(shape if len(shape) > 1 else (1, shape.numel())))


class RowAdam:
    """Adam (Kingma and Ba, 2015) on a stack, each row with its own rate and its own count of steps; eps as `optim.adam`."""

    def __init__(self, stack: Stack, rates: Tensor) -> None:
        self.stack, self.rates = stack, rates  # rates: [S, 1]
        self.mean, self.square = (torch.zeros_like(stack.parameters) for _ in range(2))
        self.steps = torch.zeros_like(rates)

    def step(self, rows: Tensor | None = None, *, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-5) -> None:
        """One step along the gradients, of all runs or of those where `rows` [S] is true."""
        first, second = betas
        gradients = self.stack.gradients
        if rows is not None:
            kept = self.stack.parameters.clone(), self.mean.clone(), self.square.clone(), self.steps.clone()
        self.steps += 1
        self.mean.lerp_(gradients, 1 - first)
        self.square.mul_(second).addcmul_(gradients, gradients, value=1 - second)
        scale = (self.square / (1 - second**self.steps)).sqrt_().add_(eps)
        self.stack.parameters.addcdiv_(self.mean * (-self.rates / (1 - first**self.steps)), scale)
        if rows is not None:
            held = self.stack.parameters, self.mean, self.square, self.steps
            for now, before in zip(held, kept, strict=True):
                now.copy_(torch.where(rows[:, None], now, before))

    def select(self, rows: Tensor) -> None:
        """Keep these rows [K] alone, as the stack has done."""
        self.rates, self.steps = self.rates[rows], self.steps[rows]
        self.mean, self.square = self.mean[rows], self.square[rows]


def gradient_norms(stacks: Sequence[Stack]) -> Tensor:
    """Euclidean norm [S] of each run's gradient, over all the networks given."""
    return torch.linalg.vector_norm(torch.cat([stack.gradients for stack in stacks], dim=1), dim=1)


def clip_gradients(stack: Stack, norms: Tensor, limits: Any) -> None:
    """Scale each run's gradient down to its limit [S, 1] (or one number), as `torch.nn.utils.clip_grad_norm_` does."""
    stack.gradients.mul_((limits / (norms[:, None] + 1e-6)).clamp(max=1.0))
