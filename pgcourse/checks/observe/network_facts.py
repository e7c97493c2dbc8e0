"""Facts about a network that stands somewhere else, each by questions of its own, and how far off a right one may be."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

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
LARGE, SMALL, TINY = 3e-3, 3e-4, 3e-5  # steps along a line through the parameters
# Taken one after another; the last along one parameter alone: along all, it would pass over outputs that bend at 0.
SIZES: tuple[tuple[float, ...], ...] = ((LARGE,), (SMALL, LARGE / 2), (TINY,))
# Along one parameter, a slope may be off by the first share, and as far as the line is seen to bend, but by no more than the
# second: a transformer's layer that large steps have trained is 5 % off, many ReLUs 42 %, as steps below a ten thousandth show.
ONE_IS_OFF, ONE_BENDS = 0.03, 0.6
DIGITS = 4  # last digits by which an output may be off
STEPS = (0.05, 0.0137)  # of a number of an observation; the second is no part of a round number
MOST_MOVED = 20  # parameters, each alone
SAMPLES = 60  # of each row
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
    found = 0
    with put_back(network.values):
        for value in network.values:
            value += 1
        network.looks([obs])
        for number, built in others.items():
            now = ask("parameters", network=number)
            found += sum(not np.array_equal(now[name], built[name], equal_nan=True) for name in now if name in built)
    return found


def slopes(network: RemoteNetwork, obs: Tensor, alone: bool = False) -> np.ndarray:
    """[S, 2]: how steep random weighted sums of an output are, told by the gradients and measured by small steps.

    Each output in its turn, or the only one twice, at observations near these: along all parameters together. The direction
    of the steps is chosen when the gradients are there. It leads partly along them, so that no slope is 0. Where an output
    bends, a smaller step counts. Where no output has gradients, the two differ.

    Args: alone: look at the first sum also along each parameter by itself: a wrong gradient of few numbers is lost in all.
    """
    obs = obs + 0.1 * torch.randn(obs.shape, generator=network.source)
    outputs = network(obs)
    sloping = [name for name, output in outputs.items() if output.requires_grad]
    if not sloping:
        return np.array([[0.0, 1.0]])
    weights = [{name: _normal(outputs[name], network.source)} for name in (sloping[0], sloping[-1])]
    trained = [place for place, value in enumerate(network.values) if value.requires_grad]
    first, second = network.gradients(weights)
    lines = [
        _line({at: of[at] for at in trained}, sums, network, outputs)
        for of, sums in zip((first, second), weights, strict=True)
    ]
    if alone:
        lines += [_line({at: first[at]}, weights[0], network, outputs, alone=True) for at in trained[:MOST_MOVED]]
    for sizes in SIZES:
        off = [line for line in lines if not slopes_agree(line.pair())]
        if left := [line for line in off if line.alone or TINY not in sizes]:
            _measure(network, obs, left, sizes)
    return np.array([line.pair() for line in lines])


@dataclass(frozen=True)
class _Line:
    """A line through the parameters: the slope of a weighted sum of outputs along it, as the gradients tell it, and as steps do.

    Fields: direction: place of a parameter -> where it goes. rounded: how far a measured slope may be off by rounding alone.
    alone: whether it is of one parameter, whose slope bends more. measured: size of a step -> slope.
    """

    told: float
    weights: dict[str, Tensor]
    direction: dict[int, Tensor]
    rounded: float
    alone: bool
    measured: dict[float, float] = field(default_factory=dict)

    def pair(self) -> np.ndarray:
        """[2]: told, and of the measured slopes the nearest; the last is what two sizes lead to, where an output bends."""
        found = [self.measured[size] for size in (LARGE, SMALL, TINY) if size in self.measured]
        if LARGE / 2 in self.measured:
            found.append((4 * self.measured[LARGE / 2] - self.measured[LARGE]) / 3)
        nearest = min(found, key=lambda slope: abs(slope - self.told), default=np.nan)
        size, apart = max(abs(self.told), abs(nearest)), max(found, default=np.nan) - min(found, default=np.nan)
        allowed = self.rounded
        if self.alone:
            allowed += min(ONE_IS_OFF * size + 2 * apart, ONE_BENDS * size)
        return np.array([self.told, nearest + np.clip(self.told - nearest, -allowed, allowed)])


def _line(
    known: dict[int, Tensor | None], weights: dict[str, Tensor], network: RemoteNetwork, outputs: dict[str, Tensor],
    alone: bool = False,
) -> _Line:  # fmt: skip
    """Half along the gradients of these parameters, half anywhere. Args: outputs: of the network where the line begins."""
    gradients = {at: torch.zeros_like(network.values[at]) if g is None else g for at, g in known.items()}
    length = float(torch.stack([gradient.square().sum() for gradient in gradients.values()]).sum().sqrt())
    numbers = sum(gradient.numel() for gradient in gradients.values())
    direction = {
        at: gradient / (length + 1e-12) + _normal(gradient, network.source) / numbers**0.5
        for at, gradient in gradients.items()
    }
    told = float(sum((g * direction[at]).sum() for at, g in gradients.items()))
    # Deep ReLU networks that large steps have trained give thousands, of which float32 keeps few digits behind the point.
    digit = sum(float(outputs[name].detach().abs().max()) * outputs[name].numel() ** 0.5 for name in weights)
    return _Line(told, weights, direction, DIGITS * digit * torch.finfo(torch.float32).eps / LARGE, alone)


def _measure(network: RemoteNetwork, obs: Tensor, lines: list[_Line], sizes: tuple[float, ...]) -> None:
    """Take a step there and a step back along each line: the difference of the sums over their length."""
    steps = [(line, size) for line in lines for size in sizes]
    moved = [
        {at: network.values[at].detach() + sign * size * way for at, way in line.direction.items()}
        for line, size in steps
        for sign in (1, -1)
    ]
    looked = iter(network.looks([obs] * len(moved), moved))
    for line, size in steps:
        there, back = (
            sum(float((outputs[name].double() * weight).sum()) for name, weight in line.weights.items())
            for outputs in (next(looked), next(looked))
        )
        line.measured[size] = (there - back) / (2 * size)


def _normal(like: Tensor, source: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=source).to(like.dtype)


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
                    value.copy_(before + MOVED * _normal(value, network.source))
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
        return value.detach() + MOVED * _normal(value, network.source)

    with put_back(network.values) as start:
        for _ in range(3):
            for value, before in zip(network.values, start, strict=True):
                value.copy_(moved(before) if value.requires_grad else before)
            tries = [{}, *({at: moved(network.values[at])} for at in places)]
            now, *others = map(output, network.looks([obs] * len(tries), tries))
            places = [at for at, other in zip(places, others, strict=True) if _difference(now, other) <= 1e-5]
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
    `not handed over`, how far `another`, with its parameters and buffers, is from it, infinite where it has others.
    """
    far = [FAR_OFF * (1 + torch.randn(64, obs.shape[1], generator=network.source)) for _ in range(3)]
    with torch.no_grad():
        before = output(*network.looks([obs]))
        with contextlib.suppress(Exception):  # numbers beyond all bounds: nothing is remembered of them
            network.looks(far)
        after = output(*network.looks([obs]))
        said = ask("evaluated", network=network.number, obs=obs)
        sloping = [name for name in said if f"{name}.differentiable" in said]
        evaluated = output({name: torch.from_numpy(said[name].copy()) for name in sloping})
        cut = any(said[f"{name}.differentiable"] != network.said[f"{name}.differentiable"] for name in sloping)
        handed_over = np.inf  # the same arguments must give the same shapes
        its, own = ([value.shape for value in each.values] for each in (another, network))
        if its == own:  # whatever their names
            for value, given in zip(another.values, network.values, strict=True):
                value.copy_(given)
            ask("hand_over", network=network.number, another=another.number)
            handed_over = _difference(after, output(*another.looks([obs])))
    return {
        "foreign": ask("foreign", network=network.number, obs=obs)["count"],
        "remembered": np.array(_difference(before, after)),
        "in eval": np.array(np.inf if cut else _difference(after, evaluated)),
        "not handed over": np.array(handed_over),
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
    (outputs,) = network.looks([obs])
    distribution, largest = make(outputs), max(float(each.abs().max()) for each in outputs.values())
    actions = [_actions(distribution, network.source) for _ in range(2)]
    said = ask("distribution", network=network.number, obs=obs, actions=actions, samples=samples)
    expected = {f"{turn}/log_prob": distribution.log_prob(given) for turn, given in enumerate(actions)}
    expected |= {f"{turn}/entropy": distribution.entropy() for turn in range(len(actions))}
    for name, right in expected.items():
        fits = said[name].shape == right.shape and np.allclose(
            said[name], right.numpy(), rtol=1e-3, atol=1e-3 + 1e-5 * largest, equal_nan=True
        )
        if not fits:
            return name.partition("/")[2]
    return "" if not samples or _samples_fit(distribution, said["0/samples"], samples) else "sample"


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
    """Whether their frequencies, or their means and spreads, are those of the distribution, but for chance: row by row, and of
    all rows together, which is closer.
    """
    if samples.shape != (number, *distribution.batch_shape, *distribution.event_shape):
        return False
    if isinstance(distribution, Categorical):
        probs = distribution.probs.numpy()
        off = (samples[..., None] == np.arange(probs.shape[-1])).mean(0) - probs
        variance = probs * (1 - probs) / number
        in_rows = np.abs(off) <= 0.02 + 6 * np.sqrt(variance)
        in_all = np.abs(off.mean(0)) <= 0.01 + 6 * np.sqrt(variance.mean(0) / len(probs))
        return bool(in_rows.all() and in_all.all())
    mean, std = distribution.mean.numpy(), distribution.stddev.numpy()
    z, digits = (samples - mean) / std, 1e-5 * np.abs(mean / std)
    for axes, count in ((0, number), ((0, 1), number * len(mean))):
        off = np.abs(z.mean(axes)) - (digits if axes == 0 else digits.max(0))
        if (off > 6 / count**0.5).any() or (np.abs(z.std(axes) - 1) > 7 / (2 * count) ** 0.5 + digits.max()).any():
            return False
    return True


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
    near = np.abs(told - measured) <= 0.02 * np.maximum(np.abs(told), np.abs(measured)) + 0.01
    return bool(np.all(near & np.isfinite(slopes).all(-1)))
