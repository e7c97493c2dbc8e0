"""Facts about a network that stands somewhere else, each by questions of its own, and how far off a right one may be."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Distribution

from pgcourse.checks.observe.asking import Ask, Unanswered
from pgcourse.checks.observe.record import Arrays, Case
from pgcourse.checks.observe.remote_networks import RemoteNetwork

# How the output is driven: (rate, steps). What is unbounded gets to 200 in 2 to 20 large steps, mostly; two layers of
# sigmoids need 90 to 180 smaller ones, a transformer's layer 80 still smaller ones.
DRIVES = ((10.0, 60), (0.3, 200), (0.1, 400), (1.0, 300), (0.03, 200), (10.0, 150))
MOVES, MOVED = 12, 0.3  # parameters moved at random: how often, and how far
STEPS = (0.05, 0.0137)  # of a number of an observation; the second is no part of a round number
MOST_MOVED = 20  # parameters, each alone
SAMPLES = 200
FAR_OFF = 100.0  # observations that move statistics of all observations, however slowly
MORE = 1e-3  # two networks of the same parameters differ by rounding alone
SEES = 0.9  # of the observations: networks from linear to two hidden layers see each number of all of them
APART = 0.02  # such networks have 0.047 and more


@contextlib.contextmanager
def put_back(values: Iterable[Tensor]) -> Iterator[list[Tensor]]:
    """Give copies of the values as they are; afterwards they are that again, to the last bit. No gradients inside."""
    values = list(values)
    start = [value.detach().clone() for value in values]
    with torch.no_grad():
        try:
            yield start
        finally:
            for value, before in zip(values, start, strict=True):
                value.copy_(before)


def shared(ask: Ask, network: RemoteNetwork, obs: Tensor, others: dict[int, Arrays]) -> int:
    """How many parameters other networks share with this one: they change with it.

    Args: others: number -> what `build` said of it. The network has its own values again afterwards.
    """
    values = [value.detach().clone() for value in network.values]
    found = 0
    for step in (1.0, 0.0):
        network.passes += 1
        ask(
            "forward", network=network.number, number=network.passes, obs=obs, values=[value + step for value in values]
        )
        for number, built in others.items() if step else ():
            now = ask("parameters", network=number)
            found += sum(not np.array_equal(now[name], built[name], equal_nan=True) for name in now if name in built)
    return found


def slopes(network: RemoteNetwork, obs: Tensor) -> np.ndarray:
    """[2, 2]: how steep random weighted sums of an output are, told by the gradients and measured by small steps.

    Each output in its turn, or the only one twice, at observations near these. The direction of the steps is chosen when
    the gradients are there. It leads partly along them, so that no slope is 0. Where an output bends, a smaller step counts.
    Where no output has gradients, the two differ.
    """
    found, source = [], network.source
    obs = obs + 0.1 * torch.randn(obs.shape, generator=source)
    trained = [value for value in network.values if value.requires_grad]
    for turn in range(2):
        outputs = network(obs)
        sloping = [name for name, output in outputs.items() if output.requires_grad]
        if not sloping:
            return np.array([[0.0, 1.0]])
        name = sloping[turn % len(sloping)]
        weights = torch.randn(outputs[name].shape, generator=source).to(outputs[name].dtype)
        gradients = torch.autograd.grad(outputs[name], trained, weights, allow_unused=True)
        known = [torch.zeros_like(v) if g is None else g for v, g in zip(trained, gradients, strict=True)]
        length = float(torch.stack([g.square().sum() for g in known]).sum().sqrt())
        directions = []
        for gradient in known:
            aside = torch.randn(gradient.shape, generator=source).to(gradient.dtype)
            directions.append(gradient / (length + 1e-12) + aside / (sum(g.numel() for g in known) ** 0.5))
        told = float(sum((g * d).sum() for g, d in zip(known, directions, strict=True)))
        best = [told, np.inf]
        for measured in _measured(network, obs, name, weights, trained, directions):
            best = min(best, [told, measured], key=lambda pair: abs(pair[1] - told))
            if slopes_agree(np.array(best)):
                break
        found.append(best)
    return np.array(found)


def _measured(
    network: RemoteNetwork, obs: Tensor, name: str, weights: Tensor, trained: list[nn.Parameter], directions: list[Tensor]
) -> Iterator[float]:  # fmt: skip
    """The slope by steps of several sizes; at last what two of them lead to, where the network bends all the way."""
    sizes = (3e-3, 3e-4, 1.5e-3)
    slopes = (_slope(network, obs, name, weights, trained, directions, size) for size in sizes)
    yield (large := next(slopes))
    yield next(slopes)
    yield (4 * next(slopes) - large) / 3


def _slope(
    network: RemoteNetwork, obs: Tensor, name: str, weights: Tensor, trained: list[nn.Parameter],
    directions: list[Tensor], size: float,
) -> float:  # fmt: skip
    """Of the weighted sum of an output: the difference between a step there and a step back, over their length."""
    measured = 0.0
    with put_back(trained) as start:
        for sign in (1.0, -1.0):
            for value, before, direction in zip(trained, start, directions, strict=True):
                value.copy_(before + sign * size * direction)
            measured += sign * float((network(obs)[name].double() * weights).sum())
    return measured / (2 * size)


def sensitivity(network: RemoteNetwork, obs: Tensor, output: Callable[[dict[str, Tensor]], Tensor]) -> Arrays:
    """What small steps of each number of each observation do to an output, whatever the parameters are.

    Args: output: from what a forward pass gives to the output [B, A].

    Returns: `seen` [D], the share of the observations at which that number counts, in steps of either size; `sign seen`,
    the share that gives something else than its opposite does; and `apart`, how far the output's numbers go their own
    ways: at each observation the smallest singular value of the changes over the largest, 0 where one of them follows from
    the others, of which few are larger than what is given. All are the best of a few sets of parameters, each moved at
    random: as a network starts its hidden units may be alike. What is beyond doubt after a few is looked at no longer.
    """
    batch, dim = obs.shape
    seen, sign, ratios = torch.zeros(len(STEPS), batch, dim, dtype=torch.bool), torch.zeros(batch, dtype=torch.bool), []
    steps = torch.cat([torch.zeros(1, dim), *(size * torch.eye(dim) for size in STEPS)])[:, None].to(obs.dtype)
    given, apart = torch.cat([*(obs + steps), -obs]), torch.tensor(0.0)
    with put_back(network.values) as start:
        for _ in range(MOVES):
            for value, before in zip(network.values, start, strict=True):
                if value.requires_grad:
                    value.copy_(before + MOVED * torch.randn(value.shape, generator=network.source).to(value.dtype))
            first, *others = output(network(given)).double().split(batch)
            *changes, opposite = (torch.stack(others) - first).nan_to_num(0, 0, 0)  # [B, A] each
            changed = torch.stack(changes).unflatten(0, (len(STEPS), dim))  # [S, D, B, A]
            sizes = changed.abs().amax(-1)
            seen |= (sizes > 1e-4 * sizes.amax((1, 2), keepdim=True)).mT
            sign |= opposite.abs().amax(-1) > 1e-4 * first.abs().amax()
            values = torch.linalg.svdvals(changed[-1].transpose(0, 1))  # [B, D or A, whichever is smaller]
            ratios.append(values[:, -1] / values[:, 0].clamp(min=1e-12))
            apart = torch.cat(ratios).quantile(0.9)
            if seen.all() and sign.all() and apart > 2 * APART:
                break
    of_each = seen.double().mean(1).amin(0).numpy()
    return {"seen": of_each, "sign seen": sign.double().mean().numpy(), "apart": apart.numpy()}


def inert(network: RemoteNetwork, obs: Tensor, output: Callable[[dict[str, Tensor]], Tensor]) -> int:
    """How many matrices among the parameters change nothing of an output, each moved alone at several places.

    Vectors are left out: where two layers of a network make one softmax, a right one may cancel.
    """
    places = [at for at, value in enumerate(network.values) if value.requires_grad and value.ndim > 1][:MOST_MOVED]

    def moved(value: Tensor) -> Tensor:
        return value + MOVED * torch.randn(value.shape, generator=network.source).to(value.dtype)

    with put_back(network.values) as start:
        for _ in range(3):
            for value, before in zip(network.values, start, strict=True):
                value.copy_(moved(before) if value.requires_grad else before)
            now, still = output(network(obs)), []
            for at in places:
                with put_back([network.values[at]]):
                    network.values[at].copy_(moved(network.values[at]))
                    if _difference(now, output(network(obs))) <= 1e-5:
                        still.append(at)
            places = still
            if not places:
                break
    return len(places)


def frozen(network: RemoteNetwork) -> int:
    """How many matrices among the parameters cannot be trained."""
    return sum(not value.requires_grad and value.ndim > 1 for value in network.values)


def more_than_parameters(
    ask: Ask, network: RemoteNetwork, another: RemoteNetwork, obs: Tensor,
    output: Callable[[dict[str, Tensor]], Tensor],
) -> Arrays:  # fmt: skip
    """What counts beside the parameters of a network that has been trained.

    Returns: `foreign`, tensors that are trained along and not listed; `remembered`, how far its output is another one after
    other observations; `in eval`, how far it is another one in that mode, infinite where no gradients come from there; and
    `not handed over`, how far `another`, with its parameters and buffers, is from it.
    """
    with torch.no_grad():
        before = output(network(obs))
        try:
            for _ in range(3):
                network(FAR_OFF * (1 + torch.randn(64, obs.shape[1], generator=network.source)))
        except Exception:  # numbers beyond all bounds: nothing is remembered of them
            pass
        after = output(network(obs))
        said = ask("evaluated", network=network.number, number=network.passes, obs=obs)
        sloping = [name for name in said if f"{name}.differentiable" in said]
        evaluated = output({name: torch.from_numpy(said[name].copy()) for name in sloping})
        cut = any(said[f"{name}.differentiable"] != network.said[f"{name}.differentiable"] for name in sloping)
        for value, its in zip(another.values, network.values, strict=True):
            value.copy_(its)
        buffers = list(ask("buffers", network=network.number).values())
        ask("set_buffers", network=another.number, values=[torch.from_numpy(each.copy()) for each in buffers])
        later = output(another(obs))
    return {
        "foreign": ask("foreign", network=network.number, obs=obs)["count"],
        "remembered": np.array(_difference(before, after)),
        "in eval": np.array(np.inf if cut else _difference(after, evaluated)),
        "not handed over": np.array(_difference(after, later)),
    }


def _difference(one: Tensor, two: Tensor) -> float:
    """The largest, relative to the largest number of the first."""
    if one.shape != two.shape:
        return np.inf
    return float((one - two).abs().max().nan_to_num(0) / one.abs().max().clamp(min=1e-12).nan_to_num(1))


def keeps_more(arrays: Arrays) -> tuple[str, str, str] | None:
    """(id, sentence, got against expected) of a network that is more than its parameters."""
    if foreign := int(arrays["foreign"]):
        text = "Your network computes with trainable tensors that are none of its parameters: an optimizer never gets them."
        return "foreign-weights", text, f"Got {foreign} that policy.parameters() did not list at first, expected 0."
    if not arrays["remembered"] <= MORE:
        text = "For the same observations your network gives something else once it has seen others; it may not remember them."
        return "remembers", text, ""
    if not arrays["in eval"] <= MORE:
        text = "After policy.eval() your network gives something else, or no gradients: nothing in it may depend on the mode."
        return "other-in-eval", text, ""
    if not arrays["not handed over"] <= MORE:
        text = "Two of your networks with the same parameters differ: something that is no parameter decides with them."
        return "more-than-parameters", text, ""
    return None


def misfit(
    ask: Ask, network: RemoteNetwork, obs: Tensor, make: Callable[[dict[str, Tensor]], Distribution], samples: int = SAMPLES
) -> str:  # fmt: skip
    """What of the network's distribution is not that of its own outputs: `log_prob`, `entropy` or `sample`; or nothing.

    Args: make: from outputs to the distribution [B] of them. It is asked with and without gradients, about actions of
    which some are all but impossible.
    """
    with torch.no_grad():
        outputs = network(obs)
    distribution = make(outputs)
    largest = max(float(each.abs().max()) for each in outputs.values())
    for gradients in (False, True):
        actions = _actions(distribution, network.source)
        said = ask(
            "distribution", network=network.number, obs=obs, actions=actions, gradients=gradients,
            samples=0 if gradients else samples,
        )  # fmt: skip
        for name, expected in (("log_prob", distribution.log_prob(actions)), ("entropy", distribution.entropy())):
            right = said[name].shape == expected.shape and np.allclose(
                said[name], expected.numpy(), rtol=1e-3, atol=1e-3 + 1e-5 * largest, equal_nan=True
            )
            if not right:
                return name
        if samples and not gradients and not _samples_fit(distribution, said["samples"], samples):
            return "sample"
    return ""


def _actions(distribution: Distribution, source: torch.Generator) -> Tensor:
    """Random ones, of which half follow another distribution."""
    with torch.random.fork_rng(devices=()):
        torch.default_generator.manual_seed(int(torch.randint(2**31, (), generator=source)))  # see `seed_everything`
        own = distribution.sample()
        if isinstance(distribution, Categorical):
            other = torch.randint(distribution.logits.shape[-1], own.shape)
        else:
            other = distribution.mean + 15 * distribution.stddev * torch.randn(own.shape)
        rows = torch.rand(len(own)) < 0.5
    return torch.where(rows.view(-1, *[1] * (own.ndim - 1)), own, other)


def _samples_fit(distribution: Distribution, samples: np.ndarray, number: int) -> bool:
    """Whether their frequencies, or their means and spreads, are those of the distribution, but for chance."""
    if samples.shape != (number, *distribution.batch_shape, *distribution.event_shape):
        return False
    if isinstance(distribution, Categorical):
        probs = distribution.probs.numpy()
        frequencies = (samples[..., None] == np.arange(probs.shape[-1])).mean(0)
        return bool((np.abs(frequencies - probs) <= 0.02 + 6 * np.sqrt(probs * (1 - probs) / number)).all())
    mean, std = distribution.mean.numpy(), distribution.stddev.numpy()
    near = np.abs(samples.mean(0) - mean) <= 6 * std / number**0.5 + 1e-5 * np.abs(mean)
    return bool(near.all() and (np.abs(samples.std(0) / std - 1) <= 7 / (2 * number) ** 0.5).all())


def driven_apart(
    output: Callable[[], Tensor], parameters: Iterable[nn.Parameter], direction: Tensor, far: float
) -> float:
    """How far from 0 each column of the output gets, to both sides, when large steps drive it there; of all the least.

    Beyond `far` nobody looks: the parameters stay there. Where it is not reached they are what they were.

    Args: direction: +1 and -1, of the shape of the output, [B, A].
    """
    parameters = list(parameters)
    reached = torch.zeros(direction.shape[1])
    above, below = (direction > 0).float(), (direction < 0).float()
    for rate, pushes in DRIVES:
        with put_back(parameters), torch.enable_grad():  # for networks that large steps throw about
            optimizer = torch.optim.Adam(parameters, lr=rate)
            for _ in range(pushes):
                optimizer.zero_grad()
                try:
                    now = output()
                    if now.shape != direction.shape:
                        break
                    least = torch.minimum(now.amax(0), -now.amin(0)).detach()
                    reached = torch.maximum(reached, least.nan_to_num(0, 0, 0))
                    if reached.min() >= far:
                        break
                    # The side that lags: where no hidden unit answers, a bias moves both, and their sum would not move it.
                    up, down = ((now * side).sum(0) / side.sum(0) for side in (above, below))
                    (-torch.minimum(up, -down)[reached < far].sum()).backward()
                except (ValueError, RuntimeError, Unanswered):  # numbers that are no longer finite
                    break
                optimizer.step()
            there = [value.detach().clone() for value in parameters]
        if reached.min() >= far:
            with torch.no_grad():
                for value, driven in zip(parameters, there, strict=True):
                    value.copy_(driven)
            break
    return float(reached.min())


def unseen(case: Case, arrays: Arrays) -> tuple[str, str] | None:
    """A sentence on what does not count of an observation, or not in small steps; and got against expected."""
    number, batch = int(arrays["seen"].argmin()), len(case["obs"])
    if arrays["seen"][number] >= SEES:
        blind = arrays["sign seen"] < SEES
        return ("Your network gives the same for an observation and for its opposite.", "") if blind else None
    where = f"It does at {round(batch * arrays['seen'][number])} of {batch} observations, expected at every one."
    return f"Small steps of number {number} of an observation do not always change what your network gives.", where


def slopes_agree(slopes: np.ndarray) -> bool:
    """Whether told and measured slopes are alike, as far as steps of this size and kinks of the network allow."""
    told, measured = slopes[..., 0], slopes[..., 1]
    return bool(np.all(np.abs(told - measured) <= 0.02 * np.maximum(np.abs(told), np.abs(measured)) + 0.01))
