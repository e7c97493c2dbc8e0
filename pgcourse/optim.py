"""Adam, gradient steps with clipping, random streams, threads, and the choice of a device."""

import contextlib
import math
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from .errors import InvalidInput


def adam(parameters: Iterator[nn.Parameter], learning_rate: float) -> torch.optim.Adam:
    """Adam with eps = 1e-5, the value of the policy-gradient literature (Huang et al., "37 details of PPO", 2022)."""
    # fused=True: one kernel for all parameters, a fifth off an optimiser step on 64 x 64 networks.
    return torch.optim.Adam(parameters, lr=learning_rate, eps=1e-5, fused=True)


def gradient_step(
    loss: Tensor, module: nn.Module, optimizer: torch.optim.Optimizer, *, max_grad_norm: float | None
) -> Tensor:
    """Follow the gradient of `loss` once: backward, clip the module's gradient by its own norm, step.

    Args: loss: scalar. max_grad_norm: None clips nothing.
    Returns: scalar, the gradient's Euclidean norm before clipping.
    """
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    return clip_and_step(module, optimizer, max_grad_norm=max_grad_norm)


def actor_critic_step(
    policy_loss: Tensor,
    value_loss: Tensor,
    policy: nn.Module,
    critic: nn.Module,
    policy_optimizer: torch.optim.Optimizer,
    critic_optimizer: torch.optim.Optimizer,
    *,
    max_grad_norm: float | None,
) -> tuple[Tensor, ...]:
    """One step of each network along its own loss, each gradient clipped by its own norm.

    Where both have one optimiser, because they share layers, it is `shared_trunk_step`.
    Returns: the gradient norms of policy and critic before clipping, scalars.
    """
    if policy_optimizer is critic_optimizer:
        return shared_trunk_step(policy_loss, value_loss, policy_optimizer, max_grad_norm=max_grad_norm)
    policy_optimizer.zero_grad(set_to_none=True)
    critic_optimizer.zero_grad(set_to_none=True)
    # The networks share no parameter, so one backward pass over the sum gives each the gradient of its own loss.
    (policy_loss + value_loss).backward()
    policy_norm = clip_and_step(policy, policy_optimizer, max_grad_norm=max_grad_norm)
    return policy_norm, clip_and_step(critic, critic_optimizer, max_grad_norm=max_grad_norm)


# What a gradient step reports, in this order; the last two where policy and critic share a trunk.
STEP_METRICS = (
    "losses/policy_grad_norm", "losses/critic_grad_norm", "losses/trunk_value_share", "losses/trunk_cosine"
)  # fmt: skip


def shared_trunk_step(
    policy_loss: Tensor, value_loss: Tensor, optimizer: torch.optim.Optimizer, *, max_grad_norm: float | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """One step of a policy and a critic that share layers: along the sum of both losses, clipped by one norm.

    Args: value_loss: scalar, weighted already. optimizer: over all parameters of both, each once.
    Returns: four scalars, before clipping. The norms of the policy loss's and the value loss's gradient; and of what they
    do to the trunk, the parameters that both reach, the value loss's share |g_v| / (|g_p| + |g_v|) of the gradients'
    lengths, and the cosine between the two.
    """
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    # One backward pass over the sum would give the same step. Two passes show who pulls where, and take no longer: each
    # network's own call has made a graph of its own through the trunk.
    of_policy = torch.autograd.grad(policy_loss, parameters, retain_graph=True, allow_unused=True)
    of_value = torch.autograd.grad(value_loss, parameters, allow_unused=True)
    trunk = [(p, v) for p, v in zip(of_policy, of_value, strict=True) if p is not None and v is not None]
    policy_norm, value_norm = global_norm(p for p, _ in trunk), global_norm(v for _, v in trunk)
    product = sum([(p * v).sum() for p, v in trunk], torch.zeros_like(policy_norm))
    smallest = torch.finfo(product.dtype).tiny  # where a gradient is 0, so are share and cosine
    share = value_norm / (policy_norm + value_norm).clamp(min=smallest)
    cosine = product / (policy_norm * value_norm).clamp(min=smallest)
    # Taken before the gradients become those of the parameters, which are clipped in place.
    norms = global_norm(of_policy), global_norm(of_value)
    for parameter, p, v in zip(parameters, of_policy, of_value, strict=True):
        parameter.grad = p + v if p is not None and v is not None else p if v is None else v
    clip_and_step(nn.ParameterList(parameters), optimizer, max_grad_norm=max_grad_norm)
    return *norms, share, cosine


def global_norm(gradients: Iterable[Tensor | None]) -> Tensor:
    """Euclidean norm of all the gradients that are there as one vector, scalar."""
    norms = [torch.linalg.vector_norm(gradient) for gradient in gradients if gradient is not None]
    return torch.linalg.vector_norm(torch.stack(norms)) if norms else torch.zeros(())


def clip_and_step(module: nn.Module, optimizer: torch.optim.Optimizer, *, max_grad_norm: float | None) -> Tensor:
    """Clip the gradients that are there, and step. Returns: scalar, the norm before clipping."""
    # What nn.utils.clip_grad_norm_ does, to the bit, in half of its time: it looks after tensors of many devices first.
    gradients = [parameter.grad for parameter in module.parameters() if parameter.grad is not None]
    norm = global_norm(gradients)
    if max_grad_norm is not None:
        share = (max_grad_norm / (norm + 1e-6)).clamp(max=1)
        for gradient in gradients:
            gradient.mul_(share)
    optimizer.step()
    return norm


LR_SCHEDULES = ("linear", "cosine", "exponential")


def learning_rate(initial: Any, used: Any, schedule: str = "linear") -> Any:
    """The learning rate when a share `used` of the budget is used up.

        linear         initial * (1 - used)                  to 0
        cosine         initial * (1 + cos(pi * used)) / 2    to 0, slowly at both ends (Loshchilov and Hutter, 2017, eq. 5)
        exponential    initial * 0.01^used                   to a hundredth, by the same factor for the same share

    Args: initial, used: numbers, or tensors [S] with one for each of S runs. schedule: one of `LR_SCHEDULES`.
    Returns: a number, or [S] where any of them is a tensor.
    """
    if schedule == "cosine":
        cosine = torch.cos(math.pi * used) if isinstance(used, Tensor) else math.cos(math.pi * used)
        return initial * ((1 + cosine) / 2)
    if schedule == "exponential":
        return initial * 0.01**used
    return initial * (1 - used)


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Give every parameter group this learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate


def load_fully() -> None:
    """Let torch import what it imports when the first optimiser is made.

    That takes a second, or several on a busy machine. A time limit that strikes in the middle would leave torch broken
    for the rest of the process, so it has to happen before one starts.
    """
    adam(iter([nn.Parameter(torch.zeros(1))]), 1.0).step()


@contextlib.contextmanager
def single_thread() -> Iterator[None]:
    """Run small networks on one thread, and restore the setting after: hand-over costs more than it saves there."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw from torch's global streams as if the process had just begun with `seed`; restore them after.

    Those of the CPU and of the accelerator that is there, whichever it is (CUDA, MPS).
    """
    accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    kinds = ["cpu"] if accelerator is None else ["cpu", accelerator.type]
    before = {kind: random_state(kind) for kind in kinds}
    try:
        torch.manual_seed(seed)
        yield
    finally:
        for kind, state in before.items():
            set_random_state(kind, state)


def random_state(kind: str) -> list[Tensor]:
    """The global random stream of each device of a kind, such as "cpu", "cuda" or "mps"."""
    module: Any = torch if kind == "cpu" else torch.get_device_module(kind)
    # MPS has one device, and no function for all.
    return module.get_rng_state_all() if hasattr(module, "get_rng_state_all") else [module.get_rng_state()]


def set_random_state(kind: str, state: list[Tensor]) -> None:
    """Go on from `random_state` of this kind."""
    module: Any = torch if kind == "cpu" else torch.get_device_module(kind)
    if hasattr(module, "set_rng_state_all"):
        module.set_rng_state_all(state)
    else:
        module.set_rng_state(*state)


def choose_device(requested: str | torch.device, *, tensor_envs: bool, num_envs: int) -> torch.device:
    """The device to train on.

    "auto" means CUDA where the environments are tensors, a CUDA device is there, and there are at least
    `CUDA_PAYS_FROM` environments; else the CPU: for a small network the CPU is the faster device.

    Raises: InvalidInput where the device is unknown or not there.
    """
    if str(requested) == "auto":
        pays = CUDA_PAYS_FROM is not None and num_envs >= CUDA_PAYS_FROM
        return torch.device("cuda" if pays and tensor_envs and torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(requested)
        torch.zeros(1, device=device).item()  # asks for the number, which a device without storage ("meta") lacks
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        allowed = ["auto", "cpu"] + [f"cuda:{i}" for i in range(torch.cuda.device_count())]
        if torch.backends.mps.is_available():
            allowed.append("mps")
        raise InvalidInput(
            f"device {str(requested)!r} is not available here; use one of {', '.join(allowed)}"
        ) from error
    return device


# Number of environments from which CUDA is the faster device. No measurement is committed yet, so "auto" is the CPU.
CUDA_PAYS_FROM: int | None = None
