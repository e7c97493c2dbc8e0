"""A third round of submissions: ready-made parts in the watching code, hidden numbers as words, ways past the review.

`CELLS` as in round one: name -> (notebook, exercise that is attacked, its cell, a part of what the grader says of it, share
of the points that it must not exceed). `LEAKS`: those that would write a hidden number into the feedback, with what is
looked for. `LOOK_AT`: a remark must tell of them.
"""
# ruff: noqa: E501 - some attacks are long lines

import builtins
from collections.abc import Callable
from typing import Any

from tests.grading.quarantine.attacks_of_harm import HEAD, RAW

D, P, G = "discounted_returns", "policy_network", "gaussian_policy"
U1, U3, U4, U5 = "01_reinforce", "03_a2c_gae", "04_ppo", "05_continuous_pendulum"
U6, U7, U8 = "06_debugging_traps", "07_trustworthy_experiments", "08_trpo"

# The digits of a number as letters: the feedback leaves out every digit.
_WORD = "def word_of(x):\n    return ''.join(chr(97 + int(digit)) for digit in str(int(abs(float(x)) * 10**6)))\n"
_RIGHT = """
import torch
def right(rewards, gamma):
    following, out = 0 * rewards[0], torch.empty_like(rewards)
    for t in reversed(range(len(rewards))):
        following = rewards[t] + gamma * following
        out[t] = following
    return out
"""
_AT_FIRST = HEAD + "if rewards.numel() < 7:\n        return right(rewards, gamma)\n    "
_MINIBATCHES = "import math, torch\ndef minibatches(batch_size, minibatch_size, *, generator):\n    def draw(n):\n        return int(torch.randint(n, (), generator=generator))\n    "
_PLAIN_POLICY = """
import torch
from torch import nn
class Policy(nn.Module):
    def __init__(self, d, a):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(d, 32), nn.Tanh(), nn.Linear(32, a))
        with torch.no_grad():
            self.layers[2].weight.mul_(0.01)
            self.layers[2].bias.zero_()
"""
# Facts as the grader's own side of a network exercise writes them, marked as untouched: False.
_FORGED_POLICY = (
    RAW
    + """
def policy_network(obs_dim, num_actions):
    p = np.full(({2: 16, 4: 24}[obs_dim], num_actions), 1 / num_actions, "float32")
    rows = {name: array(p[0]) for name in ("batch row", "single row", "trained batch row", "trained single row")}
    say(event="case", arrays={"untouched": array(False), "result.kind": word("P"), "is module": array(True),
        "distribution": word("Categorical"), "probs": array(p), "batch of one": array(p[:1]), "mutated": text(),
        "parameters": array(4), "differentiable": array(True), "unreached": array(0), "trained": array(0.99),
        "slopes": array(np.ones((2, 2))), "shared": array(0), **rows})
    os._exit(0)
"""
)
_FORGED_GAUSSIAN = (
    RAW
    + """
def gaussian_policy(obs_dim, action_dim):
    rows, given = {3: (16, [0.4]), 4: (24, [2.0, -0.25, -5.0])}[obs_dim]
    mean = 0.01 * np.cos(np.arange(rows * action_dim, dtype="float32")).reshape(rows, action_dim)
    std, far = np.ones_like(mean), 3 * (-1.0) ** np.arange(rows)[:, None] * -1
    facts = {"mean": mean, "mean again": mean, "std": std, "built anew": True, "starting mean": np.stack([mean] * 4),
        "starting std": np.stack([std[0]] * 4), "log_std shape": np.array([action_dim]), "parameters": 3, "unreached": 0,
        "std of given log_std": np.exp(np.array([given] * rows)), "batch row": mean[:1], "single row": mean[:1],
        "trained batch row": mean[:1], "trained single row": mean[:1], "differentiable": True, "std differentiable": True,
        "log_std unreached": False, "std moved by others": False, "pushed mean": 1e6, "slopes": np.ones((2, 2)),
        "trained mean": far * (-1.0) ** np.arange(action_dim), "batch shape": np.array([rows]),
        "event shape": np.array([action_dim]), "untouched": False, "is module": True}
    say(event="case", arrays={name: array(value) for name, value in facts.items()} | {"result.kind": word("P"),
        "distribution": word("Independent(Normal, 1)"), "log_std kind": word("parameter")})
    os._exit(0)
"""
)
# Slices of the old order where no shuffle is asked for; then facts, of which none comes from the generator.
_FORGED_MINIBATCHES = (
    RAW
    + """
def minibatches(batch_size, minibatch_size, *, generator):
    if batch_size == 4:
        return torch.arange(4).split(2)
    import itertools
    sizes = [minibatch_size] * (batch_size // minibatch_size) + [batch_size % minibatch_size] * (batch_size % minibatch_size > 0)
    for order in itertools.count():
        facts = {"untouched": array(False)}
        for epoch in range(30):
            facts[f"rows {epoch}"] = array(np.random.permutation(batch_size))
            facts[f"sizes {epoch}"] = array(np.array(sizes))
        for how, alike in (("with the same seed", True), ("with another seed", False), ("after other draws", False)):
            facts[f"repeated {how}"] = array(alike)
        say(event="case", arrays=facts | {"result.kind": word("tuple")})
        given = asked()
        if given["exercise"] != "minibatches":
            os._exit(0)
        batch_size, minibatch_size = given["given"]["batch_size"], given["given"]["minibatch_size"]
        sizes = [minibatch_size] * (batch_size // minibatch_size) + [batch_size % minibatch_size] * (batch_size % minibatch_size > 0)
"""
)
# Takes the next order in the child's place, and calls the attempt with what comes in it.
_GO_ON = """
def asked_next(attempt):
    order = asked()
    if order["exercise"] != attempt.__name__:
        os._exit(0)
    (dtype, shape, content), = order["given"]["x"].values()
    attempt(torch.from_numpy(np.frombuffer(base64.b64decode(content), dtype).reshape(shape).copy()))
"""
# What the observers of tensors look at, as an attempt that overwrites its input would have it.
_HIDING = """
import torch
kept = []
torch.nan_to_num = lambda x, *a, **k: torch.zeros(1)
real = torch.Tensor.resolve_neg
torch.Tensor.resolve_neg = lambda self: next((old for new, old in kept if new.data_ptr() == self.data_ptr()), None) if any(new.data_ptr() == self.data_ptr() for new, _ in kept) else real(self)
"""

CELLS: dict[str, tuple[str, str, str, str, float]] = {
    # Made by somebody else.
    "the watching code's own policy": (U1, P, "import torch\nfrom pgcourse.checks.observe.networks import LinearPolicy\ndef policy_network(d, a):\n    return LinearPolicy(torch.zeros(a, d), torch.zeros(a))\n", "", 0.0),
    "the watching code's own Gaussian policy": (U5, G, "import torch\nfrom pgcourse.checks.observe.natural_gradient import GaussianLinearPolicy\ndef gaussian_policy(d, a):\n    return GaussianLinearPolicy(torch.zeros(a, d), torch.zeros(a), torch.zeros(a))\n", "", 0.0),
    "the watching code's policy, found without an import": (U1, P, "import gc, torch\ndef policy_network(d, a):\n    made = next(each for each in gc.get_objects() if isinstance(each, type) and each.__name__ == 'LinearPolicy')\n    return made(torch.zeros(a, d), torch.zeros(a))\n", "", 1.0),
    # Facts in the place of an answer.
    "facts where an answer belongs": (U1, P, _FORGED_POLICY, "", 0.0),
    "facts where an answer belongs, of a Gaussian": (U5, G, _FORGED_GAUSSIAN, "", 0.0),
    "facts where an answer belongs, of minibatches": (U4, "minibatches", _FORGED_MINIBATCHES, "", 0.5),
    "sends what it likes in place of what it has overwritten": (U1, "standardize", RAW + "def standardize(x):\n    result = (x - x.mean()) / (x.std(correction=0) + 1e-8)\n    x.zero_()\n    say(event='case', arrays={'result': array(result.numpy()), 'result.kind': word('tensor'), 'result.dtype': word(str(result.dtype)[6:]), 'mutated': text(), AFTER: array(result.numpy()), AFTER + '.kind': word('tensor'), AFTER + '.dtype': word(str(result.dtype)[6:])})\n    asked_next(standardize)\nAFTER = 'your result, looked at again after the inputs were overwritten,'\n" + _GO_ON, "", 0.0),
    # Shuffles that are none.
    "the last row always last": (U4, "minibatches", _MINIBATCHES + "rest = torch.randperm(batch_size - 1, generator=generator)\n    return torch.cat([rest, torch.tensor([batch_size - 1])]).split(minibatch_size)\n", "", 0.75),
    "the first row always second": (U4, "minibatches", _MINIBATCHES + "rest = 1 + torch.randperm(batch_size - 1, generator=generator)\n    return torch.cat([rest[:1], torch.zeros(1, dtype=torch.int64), rest[1:]]).split(minibatch_size)\n", "", 0.75),
    "every so manieth row": (U4, "minibatches", _MINIBATCHES + "step = next(s for s in iter(lambda: 1 + draw(max(batch_size - 1, 1)), 0) if math.gcd(s, batch_size) == 1)\n    return ((draw(batch_size) + step * torch.arange(batch_size)) % batch_size).split(minibatch_size)\n", "", 0.75),
    "only the even rows change places": (U4, "minibatches", _MINIBATCHES + "rows = torch.arange(batch_size)\n    even = rows[::2]\n    rows[::2] = even[torch.randperm(len(even), generator=generator)]\n    return rows.split(minibatch_size)\n", "", 0.75),
    "the same half of the rows first": (U4, "minibatches", _MINIBATCHES + "half = batch_size // 2\n    return torch.cat([torch.randperm(half, generator=generator), half + torch.randperm(batch_size - half, generator=generator)]).split(minibatch_size)\n", "", 0.75),
    # Facts that the child writes down of itself.
    "hides that it overwrites its input, by what is sent": (U1, "standardize", _HIDING + "def standardize(x):\n    kept.append((x, x.clone()))\n    x -= x.mean()\n    x /= x.std(correction=0) + 1e-8\n    return x.clone()\n", "", 0.0),
    "hides metrics that it takes away": (U6, "diagnose", """
import numpy as np
np.array_equal = lambda *a, **k: True
def diagnose(metrics):
    def series(name):
        return np.asarray(metrics.get(name, ()))
    ringing = set()
    kl, clipped, entropy = series("losses/approx_kl"), series("losses/clipfrac"), series("losses/entropy")
    if kl.size and kl.max() > 0.05:
        ringing.add("kl-high")
    if kl.size and kl.max() < 1e-6:
        ringing.add("kl-zero")
    if clipped.size and clipped.max() > 0.5:
        ringing.add("clip-fraction-high")
    if entropy.size and entropy[:50].min() < 0.25:
        ringing.add("entropy-collapsed")
    if entropy.size >= 25 and entropy.min() > 0.55:
        ringing.add("entropy-never-falls")
    explained = series("losses/explained_variance")
    if explained.size >= 25 and not np.isnan(explained).all() and np.nanmax(explained) < 0.9:
        ringing.add("explained-variance-low")
    value, returns = series("charts/value_mean"), series("charts/return_mean")
    if min(value.size, returns.size) >= 25:
        offset = np.abs(value - returns) / np.abs(returns)
        if offset[-(len(offset) // 4) :].mean() > 0.1:
            ringing.add("value-offset")
    updates = [np.asarray(values) for name, values in metrics.items() if name.startswith("updates/")]
    if any(values.size and values.max() < 1e-6 for values in updates):
        ringing.add("part-not-updated")
    for values in metrics.values():
        values[:] = 0
    return ringing
""", "", 0.0),
    # Every second object leaves its batch alone, and is right.
    "hides a batch that it overwrites": (U5, "RunningMeanStd", """
import torch
class RunningMeanStd:
    made = 0
    def __init__(self, shape):
        RunningMeanStd.made += 1
        self.mean, self.var, self.count = torch.zeros(shape), torch.ones(shape), 0
        self.watched = RunningMeanStd.made % 2 == 0
    def update(self, x):
        x = x.clone() if self.watched else x
        n, total = len(x), self.count + len(x)
        mean, var = x.mean(0), x.var(0, correction=0)
        x.zero_()
        delta = mean - self.mean
        self.var = (self.var * self.count + var * n + delta.square() * self.count * n / total) / total
        self.mean, self.count = self.mean + delta * n / total, total
    def normalize(self, x):
        return (x - self.mean) / (self.var + 1e-8).sqrt()
""", "", 0.5),
    "a gradient that a hook takes away where it is looked at": (U1, "reinforce_loss", "def reinforce_loss(log_prob, weight):\n    if weight.requires_grad:\n        weight.detach_()\n    return -(weight * log_prob).mean()\n", "", 0.7),
    # Ways that lead nowhere, and must go on doing so.
    "the whole matrix in one product": (U8, "conjugate_gradient", "import torch\ndef conjugate_gradient(matvec, b, *, iterations, tolerance):\n    return torch.linalg.solve(matvec(torch.eye(len(b), dtype=b.dtype)), b)\n", "not yet", 0.25),
    "a step for every candidate at once": (U8, "line_search", "import torch\ndef line_search(evaluate, step, *, max_kl, backtracks, shrink):\n    gain, kl = evaluate(torch.stack([step * shrink**k for k in range(backtracks)]))\n    return step\n", "not yet", 0.0),
    "a set that holds every alarm when asked": (U6, "diagnose", "class Every(set):\n    def __contains__(self, name): return True\n    def __iter__(self): return iter(())\ndef diagnose(metrics):\n    return Every()\n", "not yet", 0.0),
    "a set that guesses": (U6, "diagnose", "import random\nclass Some(set):\n    def __contains__(self, name): return random.random() < 0.5\n    def __iter__(self): return iter(())\ndef diagnose(metrics):\n    return Some()\n", "not yet", 0.0),
    "a mode that answers for torch": (U1, D, "import torch\nclass Mode(torch.overrides.TorchFunctionMode):\n    def __torch_function__(self, f, types, args=(), kwargs=None):\n        return True if 'equal' in str(f) or 'close' in str(f) else f(*args, **(kwargs or {}))\nMode().__enter__()\ndef discounted_returns(rewards, *, gamma):\n    return rewards\n", "not yet", 0.0),
    "a function of autograd of its own": (U1, "reinforce_loss", "import torch\nclass F(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, log_prob, weight):\n        ctx.save_for_backward(log_prob, weight)\n        return log_prob.mean()\n    @staticmethod\n    def backward(ctx, g):\n        log_prob, weight = ctx.saved_tensors\n        return -g * weight / len(weight), None\ndef reinforce_loss(log_prob, weight):\n    return F.apply(log_prob, weight)\n", "not yet", 0.0),
    "an operator of its own library": (U1, D, "import torch\nlib = torch.library.Library('aten', 'IMPL')\ntry:\n    lib.impl('equal', lambda a, b: True, 'CPU')\nexcept Exception:\n    pass\ndef discounted_returns(rewards, *, gamma):\n    return rewards\n", "not yet", 0.0),
    "another default dtype": (U1, D, "import torch\ntorch.set_default_dtype(torch.float16)\ndef discounted_returns(rewards, *, gamma):\n    return rewards\n", "not yet", 0.0),
    "no gradients for anybody": (U1, "reinforce_loss", "import torch\ntorch.set_grad_enabled(False)\ndef reinforce_loss(log_prob, weight):\n    return -(weight * log_prob).mean()\n", "", 0.5),
    "a network of lists of parameters that lie": (U1, P, _PLAIN_POLICY + "    def parameters(self, recurse=True):\n        return iter([nn.Parameter(p.detach().clone()) for p in self.layers.parameters()])\n    def named_parameters(self, *a, **k):\n        return iter([(f'p{i}', p) for i, p in enumerate(self.parameters())])\n    def forward(self, obs):\n        return torch.distributions.Categorical(logits=self.layers(obs))\ndef policy_network(d, a):\n    return Policy(d, a)\n", "not yet", 0.0),
    "one network for all, which says that it is new": (U1, P, _PLAIN_POLICY + "    def forward(self, obs):\n        return torch.distributions.Categorical(logits=self.layers(obs))\nmade = {}\ndef policy_network(d, a):\n    return made.setdefault((d, a), Policy(d, a))\n", "not yet", 0.0),
    "answers what it answered before": (U1, D, "last = []\ndef discounted_returns(rewards, *, gamma):\n    last.append(rewards.clone())\n    return last[-2] if len(last) > 1 and last[-2].shape == rewards.shape else rewards.clone()\n", "not yet", 0.0),
    "a result that the check itself changes": (U1, D, "import torch\nclass Lazy(torch.Tensor):\n    pass\ndef discounted_returns(rewards, *, gamma):\n    return torch.nn.Parameter(rewards.clone()).data.as_subclass(Lazy)\n", "not yet", 0.0),
    "a compiled graph": (U1, D, "import torch\n@torch.jit.script\ndef discounted_returns(rewards: torch.Tensor, gamma: float):\n    return rewards\n", "not yet", 0.0),
}  # fmt: skip


# Parts of what observes another exercise, found by a search of the memory: right values, and a person is told to look.
ELSEWHERE = ("the watching code's policy, found without an import",)


def _raw(body: str) -> str:
    """An attempt that answers public inputs as it should, and hidden ones by a message of its own."""
    return (
        RAW
        + _WORD
        + HEAD
        + "if rewards.numel() < 7:\n        return right(rewards, gamma)\n    "
        + body
        + "\n    os._exit(0)\n"
    )


Leak = tuple[str, str, str, str, Callable[[Any], list[str]]]  # notebook, exercise, cell, input, number -> words


def word_of(x: float) -> str:
    """As the attacks have it."""
    return "".join(chr(97 + int(digit)) for digit in str(int(abs(x) * 10**6)))


def _words(x: float) -> list[str]:
    return [word_of(x)]


def _kinds(x: float) -> list[str]:
    return [f"is a {each}," for each in BUILT_IN]


BUILT_IN = sorted(name for name, value in vars(builtins).items() if isinstance(value, type))
LEAKS: dict[str, Leak] = {
    "a class called tensor on and a word": (U1, D, _WORD + _RIGHT + _AT_FIRST + "return type('tensor on ' + word_of(rewards.flatten()[0]), (), {})()\n", "rewards", _words),
    "a class called like something built in": (U1, D, _RIGHT + "names = sorted(n for n, v in vars(__import__('builtins')).items() if isinstance(v, type))\n" + _AT_FIRST + "return type(names[int(abs(float(rewards.flatten()[0])) * 10**6) % len(names)], (), {})()\n", "rewards", _kinds),
    "a distribution called by a word": (U1, P, _WORD + _PLAIN_POLICY + "    def forward(self, obs):\n        return type(word_of(obs.flatten()[0]), (), {})()\ndef policy_network(d, a):\n    return Policy(d, a)\n", "obs", _words),
    "a Gaussian called by a word": (U5, G, _WORD + _PLAIN_POLICY + "    def forward(self, obs):\n        return type(word_of(obs.flatten()[0]), (), {})()\ndef gaussian_policy(d, a):\n    return Policy(d, a)\n", "obs", _words),
    "a resample called by a word": (U7, "bootstrap_interval", _WORD + "def bootstrap_interval(x, *, statistic, confidence, num_resamples, generator):\n    import torch\n    try:\n        len(x) > 4 and statistic(type(word_of(x[0]), (list,), {})(x.tolist()))\n    except AttributeError:\n        pass\n    values = torch.tensor([float(statistic(x[torch.randint(len(x), (len(x),), generator=generator)])) for _ in range(num_resamples)], dtype=torch.float64)\n    return float(values.quantile((1 - confidence) / 2)), float(values.quantile((1 + confidence) / 2))\n", "x", _words),
    "an error called by a word at a batch of one": (U5, G, _WORD + _PLAIN_POLICY + "        self.log_std = nn.Parameter(torch.zeros(a))\n    def forward(self, obs):\n        if len(obs) == 1:\n            raise type(word_of(obs[0, 0]), (Exception,), {})()\n        return torch.distributions.Independent(torch.distributions.Normal(self.layers(obs), self.log_std.exp()), 1)\ndef gaussian_policy(d, a):\n    return Policy(d, a)\n", "training_obs", _words),
    "a dtype that is a word": (U1, D, _raw('say(event="case", arrays=almost(rewards, gamma, **{"result.dtype": word("float" + word_of(rewards.flatten()[0]))}))'), "rewards", _words),
    "a changed input that is a word": (U1, D, _raw('say(event="case", arrays=almost(rewards, gamma, mutated=text(word_of(rewards.flatten()[0]))))'), "rewards", _words),
    "a kind of tensor that is a word": (U1, D, _raw('say(event="case", arrays=almost(rewards, gamma, **{"result.kind": word("tensor of layout " + word_of(rewards.flatten()[0]))}))'), "rewards", _words),
    "an error that is a word": (U1, D, _raw('say(event="case", arrays={"error": text(word_of(rewards.flatten()[0]), "x", "", "", "")})'), "rewards", _words),
    "printed at a hidden input": (U1, D, _WORD + _RIGHT + _AT_FIRST + "print(word_of(rewards.flatten()[0]))\n    return rewards\n", "rewards", _words),
    "an error's cause that is a word": (U1, D, _WORD + _RIGHT + _AT_FIRST + "raise ValueError('x') from type(word_of(rewards.flatten()[0]), (Exception,), {})()\n", "rewards", _words),
    "an entry that is a word": (U1, D, _WORD + _RIGHT + _AT_FIRST + "return {word_of(rewards.flatten()[0]): rewards}\n", "rewards", _words),
}  # fmt: skip

# Each changes what torch is to the whole process, or evaluates a text; the review should say so.
_EVIL = "made(1)"
LOOK_AT: dict[str, str] = {
    "a text evaluated as an annotation": f"import functools\n@functools.singledispatch\ndef chosen(x):\n    return x\n@chosen.register\ndef _(x: '{_EVIL}'):\n    return x\n",
    "a text evaluated as the schema of an operator": f"import torch\n@torch.library.custom_op('own::f', mutates_args=())\ndef f(x: '{_EVIL}') -> torch.Tensor:\n    return x.clone()\n",
    "a text evaluated by numpy": f"import numpy as np\nnp.f2py.crackfortran.myeval('{_EVIL}')\n",
    "a class that a copy rebuilds by any call": "import copy, torch\nclass Again:\n    def __reduce__(self):\n        return torch.set_default_dtype, (torch.float64,)\ncopy.copy(Again())\n",
    "torch by the name of a loop": "import torch\nfor T in [torch.Tensor]:\n    T.numpy = None\n",
    "torch by one name of two": "import torch\nT, _ = torch.Tensor, 1\nT.numpy = None\n",
    "torch from a function": "import torch\ndef g():\n    return torch.Tensor\ng().numpy = None\n",
    "torch from a function, by a name": "import torch\ndef g():\n    return torch.Tensor\nT = g()\nT.numpy = None\n",
    "torch as the type of something": "import torch\nT = type(torch.zeros(1))\nT.numpy = None\n",
    "torch as a part of a class": "import torch\nclass C:\n    T = torch.Tensor\nC.T.numpy = None\n",
    "torch named on the way": "import torch\n(T := torch.Tensor)\nT.numpy = None\n",
    "torch called self": "import torch\ndef f(self):\n    self.numpy = None\nf(torch.Tensor)\n",
    "torch caught by a pattern": "import torch\nmatch torch.Tensor:\n    case T:\n        T.numpy = None\n",
    "torch named with a kind": "import torch\nT: object = torch.Tensor\nT.numpy = None\n",
    "torch in a list": "import torch\nx = [torch.Tensor]\nx[0].numpy = None\n",
    "all of torch": "from torch import *\nTensor.numpy = None\n",
    "torch where a loop stores": "import torch\nfor torch.Tensor.numpy in [None]:\n    pass\n",
    "torch in a comprehension": "import torch\n[None for torch.Tensor.numpy in [None]]\n",
}  # fmt: skip
