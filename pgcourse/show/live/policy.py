"""Policies for the page: the weights of a small network as JSON, which policy.js runs."""

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ...errors import InvalidInput
from ...evaluation import policy_device
from ...normalization import ObservationNorm

PROBES = 256  # observations on which the JSON has to act as the policy does
TOLERANCE = 1e-4  # of logits and means there
MOST_WEIGHTS = 20_000  # about 100 kB of text in the page
ACTIVATIONS: dict[type[nn.Module], str] = {nn.Tanh: "tanh", nn.ReLU: "relu"}
FORWARD: dict[str, Callable[[Any], Any]] = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0), "none": lambda x: x}


def policy_json(policy: nn.Module) -> dict[str, Any]:
    """What policy.js needs to act as the policy's mode does.

    Linear layers with tanh or ReLU between them, and an `ObservationNorm` before them: the policies of
    `pgcourse.networks`, and a learner's own of that kind. The JSON is tried beside the policy before it is given away.
    Raises: InvalidInput for any other network.
    """
    linear = [module for module in policy.modules() if isinstance(module, nn.Linear)]
    weights = sum(layer.weight.numel() + layer.bias.numel() for layer in linear if layer.bias is not None)
    if not linear or weights > MOST_WEIGHTS or any(layer.bias is None for layer in linear):
        raise _refused(policy)
    norm = next((module for module in policy.modules() if isinstance(module, ObservationNorm)), None)
    named = next((ACTIVATIONS[type(module)] for module in policy.modules() if type(module) in ACTIVATIONS), None)
    obs = 2 * torch.randn(PROBES, linear[0].in_features, generator=torch.Generator().manual_seed(0))
    if norm is not None:  # as they come from the environment
        obs = norm.mean.cpu() + obs * norm.scale.cpu()
    kind, expected = _outputs(policy, obs)
    # An activation that is called as a function shows in no list of modules.
    for activation in [named] if named else ["tanh", "relu"]:
        data: dict[str, Any] = {
            "kind": kind,
            "layers": [
                {
                    "inputs": layer.in_features,
                    "outputs": layer.out_features,
                    "activation": "none" if layer is linear[-1] else activation,
                }
                for layer in linear
            ],
            "weights": base64.b64encode(b"".join(_bytes(layer) for layer in linear)).decode(),
        }
        if norm is not None:
            data["norm"] = {"mean": norm.mean.tolist(), "scale": norm.scale.tolist()}
        if _same(forward(data, obs.numpy()), expected, kind):
            return data
    raise _refused(policy)


def forward(data: dict[str, Any], obs: NDArray[Any]) -> NDArray[np.float64]:
    """Logits or means [B, A] of observations [B, D], from the JSON alone."""
    x = np.asarray(obs, dtype=np.float64)
    if "norm" in data:
        x = (x - np.array(data["norm"]["mean"])) / np.array(data["norm"]["scale"])
    numbers = np.frombuffer(base64.b64decode(data["weights"]), dtype="<f4").astype(np.float64)
    for layer in data["layers"]:
        inputs, outputs = layer["inputs"], layer["outputs"]
        if x.shape[-1] != inputs:
            return np.full((len(x), 0), np.nan)  # layers that are not one behind the other
        matrix, bias, numbers = np.split(numbers, [inputs * outputs, inputs * outputs + outputs])
        x = FORWARD[layer["activation"]](x @ matrix.reshape(outputs, inputs).T + bias)
    return x


def mode(data: dict[str, Any], obs: NDArray[Any]) -> NDArray[Any]:
    """Most probable actions [B], or means [B, A], of observations [B, D], from the JSON alone."""
    outputs = forward(data, obs)
    return outputs.argmax(-1) if data["kind"] == "discrete" else outputs


def _outputs(policy: nn.Module, obs: torch.Tensor) -> tuple[str, NDArray[np.float64]]:
    """The kind of the policy, and its log-probabilities or modes for observations."""
    training = policy.training
    policy.eval()
    try:
        with torch.no_grad():
            distribution = policy(obs.to(policy_device(policy)))
            if hasattr(distribution, "logits") and not distribution.mode.is_floating_point():
                return "discrete", distribution.logits.cpu().double().numpy()
            mode = distribution.mode.cpu().double().numpy()
    except Exception as error:  # from a learner's network
        raise _refused(policy) from error
    finally:
        policy.train(training)
    if mode.shape != (len(obs), 1):
        raise _refused(policy)
    return "continuous", mode


def _same(got: NDArray[np.float64], expected: NDArray[np.float64], kind: str) -> bool:
    if got.shape != expected.shape:
        return False
    if kind == "discrete":  # only differences of logits count
        got, expected = got - got.max(-1, keepdims=True), expected - expected.max(-1, keepdims=True)
    return bool(np.allclose(got, expected, rtol=TOLERANCE, atol=TOLERANCE))


def _bytes(layer: nn.Linear) -> bytes:
    parts = (layer.weight, layer.bias)
    return b"".join(part.detach().cpu().numpy().astype("<f4").tobytes() for part in parts)


def _refused(policy: nn.Module) -> InvalidInput:
    return InvalidInput(
        f"{type(policy).__name__} cannot act in the page: give a policy of linear layers with biases and tanh or ReLU between "
        f"them, at most {MOST_WEIGHTS:,} weights, over discrete actions or one number; any other one is for record_gif"
    )
