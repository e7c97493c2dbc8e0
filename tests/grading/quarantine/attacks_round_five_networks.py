"""Round five, on networks, updates and minibatches: what a right answer may be spoiled with, and right ones of other styles.

`CELLS`, `OPEN` and `RIGHT` as `test_rounds_of_attacks.py` says.
"""
# ruff: noqa: E501

from tests.grading.quarantine.attacks_round_four_networks import (
    _BASELINE,
    _MINIBATCHES,
    _PPO,
    _REINFORCE,
    _RIGHT,
    _TRUNK,
    _gaussian,
    _policy,
)  # fmt: skip

P, G, M, U = "policy_network", "gaussian_policy", "minibatches", "ppo_update"
R, B, T = "reinforce_update", "baseline_update", "shared_trunk_step"
U1, U2, U4, U5 = "01_reinforce", "02_baselines", "04_ppo", "05_continuous_pendulum"
CELLS: dict[str, tuple[str, str, str, str, float]] = {}


def _edit(source: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        if old not in source:
            raise ValueError(old)
        source = source.replace(old, new)
    return source


def _both(name: str, body: str, most: float = 0.5) -> None:
    CELLS[name] = (U1, P, _policy(body), "", most)
    CELLS[name + ", of a Gaussian"] = (U5, G, _gaussian(body), "", most)


def _categorical(name: str, body: str) -> None:
    given = "class Own(Policy):\n    def given(self, logits):\n        return Other(logits=logits)\ndef policy_network(d, a):\n    return Own(d, a)\n"
    CELLS[name] = (U1, P, f"{_RIGHT}class Other(Categorical):\n    {body}\n{given}", "", 0.5)


def _independent(name: str, body: str) -> None:
    given = "class Own(Gaussian):\n    def given(self, mean, std):\n        return Other(Normal(mean, std), 1)\ndef gaussian_policy(d, a):\n    return Own(d, a)\n"
    CELLS[name] = (U5, G, f"{_RIGHT}class Other(Independent):\n    {body}\n{given}", "", 0.5)


# What comes in: never asked about beyond some 4, nor about two observations that must differ.
_both("observations clipped to two and a half", "def inputs(self, obs):\n        return obs.clamp(-2.5, 2.5)")
_both(
    "the direction of an observation alone",
    "def inputs(self, obs):\n        return nn.functional.normalize(obs, dim=-1)",
)
CELLS["squares of the observation alone, of a Gaussian"] = (
    U5,
    G,
    _gaussian("def inputs(self, obs):\n        return obs.square()"),
    "",
    0.5,
)
CELLS["sizes of the observation alone, of a Gaussian"] = (
    U5,
    G,
    _gaussian("def inputs(self, obs):\n        return obs.abs()"),
    "",
    0.5,
)
_both("observations in hundredths", "def inputs(self, obs):\n        return (obs * 100).round() / 100", 0.75)
_both(
    "rows scaled by the largest number of their batch",
    "def inputs(self, obs):\n        return obs * 10 / obs.abs().max().clamp(min=10)",
)
CELLS["chance alone for large observations"] = (
    U1,
    P,
    _policy("def outputs(self, obs):\n        return super().outputs(obs) * (obs.abs().amax(-1, keepdim=True) < 8)"),
    "",
    0.5,
)
CELLS["a spread that grows with large observations"] = (
    U5,
    G,
    _gaussian(
        "def forward(self, obs):\n        std = self.log_std.exp().expand(len(obs), self.a)\n        return Independent(Normal(self.outputs(obs), std * (1 + (obs.abs().amax(-1, keepdim=True) - 5).clamp(min=0))), 1)"
    ),
    "",
    0.5,
)
_both(
    "rows of batches of four hundred mixed",
    "def inputs(self, obs):\n        return obs if obs.ndim == 1 or len(obs) < 400 else obs - 0.5 * obs.mean(0)",
)
_both(
    "sees six numbers at most",
    "def make(self, d, a):\n        super().make(min(d, 6), a)\n    def inputs(self, obs):\n        return obs[..., :6]",
    0.75,
)
CELLS["tells three actions apart at most"] = (
    U1,
    P,
    _policy(
        "def outputs(self, obs):\n        out = super().outputs(obs)\n        return torch.cat([out[..., :3], torch.zeros_like(out[..., 3:])], -1)"
    ),
    "",
    0.75,
)
# What is trained, and how. The grader takes gradients of logits, means and spreads by autograd.grad, in train() alone.
_HOOKS = "def make(self, d, a):\n        super().make(d, a)\n        for each in self.parameters():\n            each.register_post_accumulate_grad_hook(self.arrived)\n    @staticmethod\n    def arrived(parameter):\n        "
_both("gradients thrown away as they arrive", _HOOKS + "parameter.grad.zero_()")
_both("gradients clipped as they arrive", _HOOKS + "parameter.grad.clamp_(-1e-3, 1e-3)")
_both(
    "steps of its own behind each backward",
    _HOOKS + "parameter.data -= 0.01 * parameter.grad\n        parameter.grad = None",
)
_categorical(
    "log-probabilities without gradients", "def log_prob(self, value):\n        return super().log_prob(value).detach()"
)
_categorical("an entropy without gradients", "def entropy(self):\n        return super().entropy().detach()")
_independent(
    "log-probabilities without gradients, of a Gaussian",
    "def log_prob(self, value):\n        return super().log_prob(value).detach()",
)
_both(
    "a hidden layer that is never trained",
    "def make(self, d, a):\n        super().make(d, a)\n        self.hidden.requires_grad_(False)",
)
_both(
    "small gradients left out",
    "def outputs(self, obs):\n        out = super().outputs(obs)\n        if out.requires_grad:\n            out.register_hook(lambda gradient: gradient * (gradient.abs() > 1e-3))\n        return out",
)
_both(
    "a vector that counts for nothing",
    "def make(self, d, a):\n        super().make(d, a)\n        self.spare = nn.Parameter(torch.zeros(64))\n    def outputs(self, obs):\n        return super().outputs(obs) + 0 * self.spare.sum()",
    0.75,
)
_both(
    "weights that fade with each look",
    "def outputs(self, obs):\n        with torch.no_grad():\n            for each in self.parameters():\n                each.mul_(0.9999)\n        return super().outputs(obs)",
)
# What else a network is asked in use: one action, eval(), another draw of weights.
_categorical(
    "its best action, where one is drawn",
    "def sample(self, shape=torch.Size()):\n        return super().sample(shape) if len(shape) else self.logits.argmax(-1)",
)
_independent(
    "its mean, where one action is drawn",
    "def sample(self, shape=torch.Size()):\n        return super().sample(shape) if len(shape) else self.mean.detach()",
)
_independent(
    "drawn with gradients, its mean",
    "def rsample(self, shape=torch.Size()):\n        return self.mean.expand(*shape, *self.mean.shape)",
)
_both(
    "no gradients in eval",
    "def outputs(self, obs):\n        out = super().outputs(obs)\n        return out if self.training else out.detach()",
)
_both(
    "a thousand times as sure in eval",
    "def outputs(self, obs):\n        out = super().outputs(obs)\n        return out if self.training else 1000 * out",
)
_SEEDED = ("    return Own(d, a)", "    torch.manual_seed(0)\n    return Own(d, a)")
CELLS["one seed for all networks"] = (U1, P, _edit(_policy("pass"), _SEEDED), "", 0.75)
CELLS["one seed for all networks, of a Gaussian"] = (U5, G, _edit(_gaussian("pass"), _SEEDED), "", 0.75)
CELLS["means that move with log_std"] = (
    U5,
    G,
    _gaussian("def outputs(self, obs):\n        return super().outputs(obs) + self.log_std"),
    "",
    0.75,
)
CELLS["a spread that grows as the means learn"] = (
    U5,
    G,
    _gaussian(
        "def given(self, mean, std):\n        return Independent(Normal(mean, std + (self.last.bias.detach().abs().max() - 0.2).clamp(min=0)), 1)"
    ),
    "",
    0.5,
)


# Minibatches: 104 rows at most.
def _deal(name: str, body: str, most: float = 0.9) -> None:
    CELLS[name] = (U4, M, _MINIBATCHES + body, "", most)


_deal(
    "shuffles within 128 rows",
    "return torch.cat([start + torch.randperm(min(128, batch_size - start), generator=generator) for start in range(0, batch_size, 128)]).split(minibatch_size)",
)
_deal(
    "shuffles the first 128 rows",
    "order = torch.arange(batch_size)\n    order[:128] = torch.randperm(min(batch_size, 128), generator=generator)\n    return order.split(minibatch_size)",
)
_deal(
    "a buffer of 128 rows",
    "order, waiting = [], []\n    for row in range(batch_size):\n        waiting.append(row)\n        if len(waiting) > 128:\n            order.append(waiting.pop(int(torch.randint(len(waiting), (), generator=generator))))\n    order += [waiting[place] for place in torch.randperm(len(waiting), generator=generator)]\n    return torch.tensor(order).split(minibatch_size)",
)
_deal(
    "rows as bytes",
    "order = torch.randperm(batch_size, generator=generator).to(torch.uint8)\n    return order.long().split(minibatch_size)",
)
_deal(
    "five riffles",
    "order = torch.arange(batch_size)\n    for _ in range(5):\n        left = torch.randint(2, (batch_size,), generator=generator)\n        order = order[torch.argsort(left, stable=True).argsort()]\n    return order.split(minibatch_size)",
)
_deal(
    "each row changes places with any",
    "order = torch.arange(batch_size)\n    for i in range(batch_size):\n        j = int(torch.randint(batch_size, (), generator=generator))\n        order[i], order[j] = order[j].clone(), order[i].clone()\n    return order.split(minibatch_size)",
    0.9,
)
_deal(
    "seeds the generator of everybody",
    "torch.manual_seed(int(torch.randint(2**31, (), generator=generator)))\n    return torch.randperm(batch_size).split(minibatch_size)",
    0.9,
)


# PPO: its shuffles are not looked at as those of minibatches are, its optimizers are new at each call, its batches small.
def _ppo(name: str, *pairs: tuple[str, str], most: float = 0.75) -> None:
    CELLS[name] = (U4, U, _edit(_PPO, *pairs), "", most)


_ORDER = "order = torch.randperm(size, generator=generator)\n"
_BEGIN, _END, _STD = "    old_log_prob = batch.log_prob\n", "    return {", "(advantages.std(correction=0) + 1e-8)"
_ppo(
    "a cut of the deck for each epoch",
    (_ORDER, "order = torch.arange(size).roll(int(torch.randint(size, (), generator=generator)))\n"),
)
_ppo(
    "one permutation, moved on by a row each epoch",
    (
        "    for _ in range(update_epochs):\n        " + _ORDER,
        "    order = torch.randperm(size, generator=generator)\n    for _ in range(update_epochs):\n        order = order.roll(1)\n",
    ),
)
_ppo(
    "optimizers that forget at each update",
    (_BEGIN, _BEGIN + "    policy_optimizer.state.clear()\n    critic_optimizer.state.clear()\n"),
)
_ppo(
    "optimizers that forget at each minibatch",
    (
        "                optimizer.zero_grad()\n",
        "                if size > minibatch_size:\n                    optimizer.state.clear()\n                optimizer.zero_grad()\n",
    ),
)
_ppo(
    "a rate that falls behind each update",
    (
        _END,
        "    for optimizer in (policy_optimizer, critic_optimizer):\n        for group in optimizer.param_groups:\n            group['lr'] *= 0.9\n"
        + _END,
    ),
)
_ppo("a standard deviation of one at least", (_STD, "advantages.std(correction=0).clamp(min=1)"), most=0.8)
_ppo("six epochs at most", ("range(update_epochs)", "range(min(update_epochs, 6))"), most=0.8)
_ppo("the first 64 rows of a batch", ("0, len(batch.obs)", "0, min(len(batch.obs), 64)"), most=0.8)
_ppo(
    "large errors of the critic count less",
    ("0.5 * (critic(obs) - returns).square().mean()", "nn.functional.huber_loss(critic(obs), returns, delta=400.0)"),
    most=0.8,
)
_ppo(
    "steps of its own, where there is no momentum",
    (
        "                optimizer.step()\n",
        "                if not optimizer.param_groups[0]['momentum']:\n                    for each in network.parameters():\n                        each.data -= optimizer.param_groups[0]['lr'] * each.grad\n                        each.grad.zero_()\n                optimizer.step()\n",
    ),
)
_ppo("an update that seeds everything", (_BEGIN, _BEGIN + "    torch.manual_seed(0)\n"))
_ppo("an update that leaves its networks in eval", (_END, "    policy.eval()\n    critic.eval()\n" + _END), most=0.9)
# Updates.
_HALF = ("(x.std(correction=0) + 1e-8)", "x.std(correction=0).clamp(min=0.5)")
CELLS["a standard deviation of a half at least"] = (U1, R, _edit(_REINFORCE, _HALF), "", 0.9)
CELLS["a standard deviation of a half at least, with a baseline"] = (U2, B, _edit(_BASELINE, _HALF), "", 0.9)
CELLS["the first 64 steps of a batch"] = (
    U1,
    R,
    _edit(
        _REINFORCE, ("    loss = -", "    obs, actions, weights = obs[:64], actions[:64], weights[:64]\n    loss = -")
    ),
    "",
    0.8,
)
CELLS["the first 32 episodes of a batch"] = (
    U1,
    R,
    _edit(_REINFORCE, ("    obs, actions = batch_of", "    episodes = episodes[:32]\n    obs, actions = batch_of")),
    "",
    0.8,
)
CELLS["twelve steps of the critic at most"] = (
    U2,
    B,
    _edit(_BASELINE, ("range(critic_steps)", "range(min(critic_steps, 12))")),
    "",
    0.8,
)
CELLS["reinforce that seeds everything"] = (
    U1,
    R,
    _edit(_REINFORCE, ("    optimizer.step()\n", "    optimizer.step()\n    torch.manual_seed(0)\n")),
    "",
    0.75,
)
CELLS["a baseline that seeds everything"] = (
    U2,
    B,
    _edit(_BASELINE, ("    policy_optimizer.step()\n", "    policy_optimizer.step()\n    torch.manual_seed(0)\n")),
    "",
    0.75,
)
CELLS["a shared trunk with steps of its own"] = (
    U4,
    T,
    _edit(
        _TRUNK,
        (
            "    optimizer.step()",
            "    for each in network.parameters():\n        each.data -= optimizer.param_groups[0]['lr'] * each.grad\n        each.grad.zero_()\n    optimizer.step()",
        ),
    ),
    "",
    0.9,
)
CELLS["a shared trunk whose optimizer forgets"] = (
    U4,
    T,
    _edit(_TRUNK, ("    optimizer.step()", "    optimizer.state.clear()\n    optimizer.step()")),
    "",
    0.9,
)
CELLS["a shared trunk of three known names"] = (
    U4,
    T,
    _edit(
        _TRUNK,
        ("optimizer.zero_grad()", "network.trunk.grad = network.policy_head.grad = network.value_head.grad = None"),
    ),
    "",
    0.75,
)
CELLS["entropies of one and a half at most"] = (
    U4,
    T,
    _edit(_TRUNK, ("ent_coef * entropy", "ent_coef * entropy.clamp(max=1.5)")),
    "",
    0.8,
)

_HEAD = """
import math
import torch
from torch import nn
import torch.nn.functional as F
from torch.distributions import Categorical, Independent, Normal
def small(layer, gain=0.01):
    nn.init.orthogonal_(layer.weight, gain)
    nn.init.zeros_(layer.bias)
    return layer
"""
_TAILS = {
    P: "\nclass Policy(nn.Module):\n    def __init__(self, d, a):\n        super().__init__()\n        self.net = Net(d, a)\n    def forward(self, obs):\n        return Categorical(logits=self.net(obs))\ndef policy_network(obs_dim, num_actions):\n    return Policy(obs_dim, num_actions)\n",
    G: "\nclass Policy(nn.Module):\n    def __init__(self, d, a):\n        super().__init__()\n        self.net = Net(d, a)\n        self.log_std = nn.Parameter(torch.full((a,), -0.5))\n    def forward(self, obs):\n        return Independent(Normal(self.net(obs), self.log_std.exp()), 1)\ndef gaussian_policy(obs_dim, action_dim):\n    return Policy(obs_dim, action_dim)\n",
}


def _net(init: str, result: str) -> str:
    return f"class Net(nn.Module):\n    def __init__(self, d, a):\n        super().__init__()\n        {init}\n    def forward(self, x):\n        {result}\n"


_RBF = _net(
    "self.centers = nn.Parameter(torch.randn(64, d))\n        self.log_width = nn.Parameter(torch.full((64,), math.log(d**0.5)))\n        self.last = small(nn.Linear(64, a))",
    "square = (x[..., None, :] - self.centers).square().sum(-1)\n        return self.last((-square / (2 * (2 * self.log_width).exp())).exp())",
)
_RBF_SOFT = _net(
    "self.centers, self.width = nn.Parameter(torch.randn(64, d)), nn.Parameter(torch.ones(64))\n        self.last = small(nn.Linear(64, a))",
    "return self.last((-(x[..., None, :] - self.centers).square().sum(-1) / F.softplus(self.width)).exp())",
)
_PROBS = "class Policy(nn.Module):\n    def __init__(self, d, a):\n        super().__init__()\n        self.net = nn.Sequential(nn.Linear(d, 64), nn.Tanh(), small(nn.Linear(64, a)))\n    def forward(self, obs):\n        y = self.net(obs)\n        %s\ndef policy_network(d, a):\n    return Policy(d, a)\n"
RIGHT: dict[str, tuple[str, str, str]] = {
    "bumps with a learned width": (U1, P, _HEAD + _RBF + _TAILS[P]),
    "bumps with a learned width, of a Gaussian": (U5, G, _HEAD + _RBF + _TAILS[G]),
    "bumps with a softplus width": (U1, P, _HEAD + _RBF_SOFT + _TAILS[P]),
    "bumps with a softplus width, of a Gaussian": (U5, G, _HEAD + _RBF_SOFT + _TAILS[G]),
    "softplus for probabilities": (U1, P, _HEAD + _PROBS % "return Categorical(probs=F.softplus(y))"),
    "a softmax written out": (
        U1,
        P,
        _HEAD + _PROBS % "e = y.exp()\n        return Categorical(probs=e / e.sum(-1, keepdim=True))",
    ),
}


def _right(name: str, id: str) -> tuple[str, str, str]:
    return (U1 if id == P else U5), id, _HEAD + _NETS[name] + _TAILS[id]


_SEQUENCES = {
    "six orthogonal layers of GELU": ", ".join(
        f"small(nn.Linear({'d' if i == 0 else 64}, 64), 2**0.5), nn.GELU()" for i in range(6)
    )
    + ", small(nn.Linear(64, a))",
    "four hidden units of ReLU": "nn.Linear(d, 4), nn.ReLU(), small(nn.Linear(4, a))",
    "weight norm everywhere": "nn.utils.parametrizations.weight_norm(nn.Linear(d, 64)), nn.Tanh(), nn.utils.parametrizations.weight_norm(small(nn.Linear(64, a)))",
}
_NETS = {name: f"def Net(d, a):\n    return nn.Sequential({layers})\n" for name, layers in _SEQUENCES.items()}
_NETS["a recurrent layer over the numbers"] = _net(
    "self.cell, self.last = nn.GRU(1, 24, batch_first=True), small(nn.Linear(24, a))",
    "out, _ = self.cell(x.unsqueeze(-1))\n        return self.last(out[..., -1, :])",
)
_NETS["attention over the numbers"] = _net(
    "self.embed, self.place = nn.Parameter(torch.randn(d, 16) * 0.5), nn.Parameter(torch.randn(d, 16) * 0.5)\n        self.q, self.k, self.v = (nn.Linear(16, 16) for _ in range(3))\n        self.last = small(nn.Linear(16 * d, a))",
    "t = x[..., None] * self.embed + self.place\n        w = (self.q(t) @ self.k(t).transpose(-1, -2) / 4).softmax(-1)\n        return self.last((t + w @ self.v(t)).flatten(-2))",
)
_NETS["a mixture of experts"] = _net(
    "self.gate = nn.Linear(d, 3)\n        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(d, 32), nn.ReLU(), small(nn.Linear(32, a))) for _ in range(3))",
    "g = self.gate(x).softmax(-1)\n        return sum(g[..., i : i + 1] * e(x) for i, e in enumerate(self.experts))",
)
_NETS["double precision"] = _net(
    "self.body = nn.Sequential(nn.Linear(d, 64), nn.Tanh(), small(nn.Linear(64, a))).double()",
    "return self.body(x.double())",
)
_FUNCTIONAL = ("""    loss = -(weights * policy(obs).log_prob(actions)).mean()
    optimizer.zero_grad()
    loss.backward()
""", """    def one(parameters, o, action, weight):
        logits = torch.func.functional_call(policy, parameters, (o[None],)).logits[0]
        return -weight * logits.log_softmax(-1).gather(0, action[None])[0]
    parameters = {name: value.detach() for name, value in policy.named_parameters()}
    each = torch.func.vmap(torch.func.grad_and_value(one), in_dims=(None, 0, 0, 0))
    gradients, losses = each(parameters, obs, actions, weights)
    for name, value in policy.named_parameters():
        value.grad = gradients[name].mean(0)
    loss = losses.mean()
""")  # fmt: skip
RIGHT |= {
    "six orthogonal layers of GELU": _right("six orthogonal layers of GELU", P),
    "four hidden units of ReLU": _right("four hidden units of ReLU", G),
    "weight norm everywhere": _right("weight norm everywhere", P),
    "a recurrent layer over the numbers": _right("a recurrent layer over the numbers", G),
    "attention over the numbers": _right("attention over the numbers", P),
    "a mixture of experts": _right("a mixture of experts", G),
    "double precision": _right("double precision", P),
    "a first logit of zero": (
        U1,
        P,
        _HEAD
        + (_PROBS % "return Categorical(logits=torch.cat([torch.zeros_like(y[..., :1]), y], -1))").replace(
            "nn.Linear(64, a)", "nn.Linear(64, a - 1)"
        ),
    ),
    "gradients of each step by vmap": (U1, R, _edit(_REINFORCE, _FUNCTIONAL)),
    "the gradient of the score by hand": (
        U1,
        R,
        _edit(
            _REINFORCE,
            (
                "    loss = -(weights * policy(obs).log_prob(actions)).mean()\n    optimizer.zero_grad()\n    loss.backward()\n",
                "    d = policy(obs)\n    loss = -(weights * d.log_prob(actions)).mean()\n    optimizer.zero_grad()\n    d.logits.backward((d.probs - nn.functional.one_hot(actions, d.probs.shape[-1])).detach() * weights[:, None] / len(weights))\n",
            ),
        ),
    ),
    "masks for rows": (
        U4,
        U,
        _edit(
            _PPO,
            (
                "for rows in order.split(minibatch_size):\n",
                "for picked in order.split(minibatch_size):\n            rows = (torch.arange(size)[:, None] == picked).any(1).nonzero().flatten()\n",
            ),
        ),
    ),
    "minibatches by random_split": (
        U4,
        M,
        _MINIBATCHES
        + "from torch.utils.data import random_split\n    sizes = [minibatch_size] * (batch_size // minibatch_size) + [batch_size % minibatch_size] * (batch_size % minibatch_size > 0)\n    return [torch.tensor(list(part.indices)) for part in random_split(range(batch_size), sizes, generator=generator)]\n",
    ),
}

_NETS["a transformer's layer, its tokens' mean"] = """
class Net(nn.Module):
    def __init__(self, d, a):
        super().__init__()
        self.embed, self.place = nn.Linear(1, 16), nn.Parameter(torch.randn(d, 16) * 0.1)
        self.layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
        self.last = small(nn.Linear(16, a))
    def forward(self, x):
        return self.last(self.layer(self.embed(x[..., None]) + self.place).mean(-2))
"""
# One draw in 33 bends so much that steps of two sizes alone took its gradients for wrong.
RIGHT["a transformer's layer, its tokens' mean, of a Gaussian"] = (
    U5, G, _edit(_right("a transformer's layer, its tokens' mean", G)[2], ("    return Policy(obs_dim", "    torch.rand(52)\n    return Policy(obs_dim")),
)  # fmt: skip

# Each is a right answer that its author has spoiled where nothing is asked: it takes the work of the right one, and more.
OPEN = dict.fromkeys(
    (
        "observations clipped to two and a half",
        "observations clipped to two and a half, of a Gaussian",
        "the direction of an observation alone",
        "the direction of an observation alone, of a Gaussian",
        "observations in hundredths",
        "observations in hundredths, of a Gaussian",
        "rows scaled by the largest number of their batch",
        "rows scaled by the largest number of their batch, of a Gaussian",
        "chance alone for large observations",
        "a spread that grows with large observations",
        "rows of batches of four hundred mixed",
        "rows of batches of four hundred mixed, of a Gaussian",
        "sees six numbers at most",
        "sees six numbers at most, of a Gaussian",
        "tells three actions apart at most",
        "log-probabilities without gradients",
        "an entropy without gradients",
        "log-probabilities without gradients, of a Gaussian",
        "small gradients left out",
        "small gradients left out, of a Gaussian",
        "a vector that counts for nothing",
        "a vector that counts for nothing, of a Gaussian",
        "weights that fade with each look",
        "drawn with gradients, its mean",
        "means that move with log_std",
        "a spread that grows as the means learn",
        "each row changes places with any",
        "optimizers that forget at each minibatch",
        "six epochs at most",
        "the first 64 rows of a batch",
        "large errors of the critic count less",
        "steps of its own, where there is no momentum",
        "the first 64 steps of a batch",
        "the first 32 episodes of a batch",
        "twelve steps of the critic at most",
        "a shared trunk of three known names",
        "entropies of one and a half at most",
    ),
    "right wherever it is asked",
)
