"""Round nine: axes and rows taken for elements, components that stand still, metrics that come alone, gradients of a trunk.

`CELLS` as `test_rounds_of_attacks.py` says.
"""
# ruff: noqa: E501

from tests.grading.quarantine.attacks_round_five_values import _DIAGNOSE
from tests.grading.quarantine.attacks_round_four_networks import _gaussian, _policy

S = ("01_reinforce", "standardize")
R = ("05_continuous_pendulum", "RunningMeanStd")
_STATISTICS = """
class RunningMeanStd:
    def __init__(self, shape):
        self.n = 0
        self.mean = torch.zeros(shape, dtype=torch.float64)
        self.var = torch.ones(shape, dtype=torch.float64)
    def update(self, x):
        x = x.double()
        b, m, v = len(x), x.mean(0), x.var(0, correction=0)
        t, d = self.n + b, m - self.mean
        self.var = (self.n * self.var + b * v) / t + self.n * b * d**2 / t**2
        self.mean = self.mean + d * b / t
        self.n = t
    def normalize(self, x):
        return (NORMALIZED).to(x.dtype)
"""
_OFFSET = "(abs(metrics['charts/value_mean'] - g) / abs(g))[-(len(g) // 4):].mean()"
_LONE = _DIAGNOSE.replace("len(v) >= 25 and len(g) >= 25 and OFFSET", f"len(g) >= 25 and {_OFFSET}")
_DIVIDED = """
def discounted(r, g):
    d = g ** torch.arange(len(r), dtype=r.dtype)
    return (r * d).flip(0).cumsum(0).flip(0) / d

def reinforce_update(policy, optimizer, episodes, *, gamma):
    obs = torch.cat([e.obs for e in episodes]); actions = torch.cat([e.actions for e in episodes])
    G = torch.cat([discounted(e.rewards, gamma) for e in episodes])
    w = (G - G.mean()) / (G.std(correction=0) + 1e-8)
    loss = -(w * policy(obs).log_prob(actions)).mean()
    optimizer.zero_grad(); loss.backward(); optimizer.step()
    return loss.item()
"""
_TRUNK = """def outputs(self, obs):
        h = torch.tanh(self.hidden(self.inputs(obs)))
        return self.last(SHARE * h + (1 - SHARE) * h.detach())"""
_HOOK = """def make(self, d, a):
        super().make(d, a)
        self.hidden.weight.register_hook(lambda gradient: SHARE * gradient)"""
P, G = ("01_reinforce", "policy_network"), ("05_continuous_pendulum", "gaussian_policy")
_WRONG = "The gradients of your network are not those of what it computes"

CELLS = {
    "one row taken for one element": (*S, "def standardize(x):\n    if len(x) == 1:\n        return torch.zeros_like(x)\n    return (x - x.mean()) / (x.std() + 1e-8)", "not yet", 0.84),
    "rows alike taken for all equal": (*S, "def standardize(x):\n    if (x == x[0]).all():\n        return torch.zeros_like(x)\n    return (x - x.mean()) / x.std()", "not yet", 0.8),
    "one in place of no deviation": (*R, _STATISTICS.replace("NORMALIZED", "(x - self.mean) / torch.where(self.var == 0, 1.0, self.var.sqrt())"), "not yet", 0.8),
    "zero where a component stands still": (*R, _STATISTICS.replace("NORMALIZED", "torch.where(self.var > 0, (x - self.mean) / self.var.sqrt(), 0.0)"), "not yet", 0.8),
    "no number where a component stands still": (*R, _STATISTICS.replace("NORMALIZED", "torch.nan_to_num((x - self.mean) / self.var.sqrt())"), "not yet", 0.8),
    "returns without values": ("06_debugging_traps", "diagnose", _LONE, "not yet", 0.8),
    "powers of a discount of 0": ("01_reinforce", "reinforce_update", _DIVIDED, "not yet", 0.88),
    "half a share guessed": ("04_ppo", "clip_fraction", "def clip_fraction(log_prob, old_log_prob, *, clip_coef):\n    return torch.tensor(0.5)", "not yet", 0.0),
    "a trunk of half the gradient": (*P, _policy(_TRUNK.replace("SHARE", "0.5")), _WRONG, 0.0),
    "a trunk of a tenth of the gradient": (*P, _policy(_TRUNK.replace("SHARE", "0.1")), _WRONG, 0.0),
    "a hook that halves a gradient": (*P, _policy(_HOOK.replace("SHARE", "0.5")), "", 0.0),
    "a trunk of half the gradient, of a Gaussian": (*G, _gaussian(_TRUNK.replace("SHARE", "0.5")), _WRONG, 0.0),
    "a trunk of a tenth of the gradient, of a Gaussian": (*G, _gaussian(_TRUNK.replace("SHARE", "0.1")), _WRONG, 0.0),
    "a hook that halves a gradient, of a Gaussian": (*G, _gaussian(_HOOK.replace("SHARE", "0.5")), "", 0.0),
}  # fmt: skip

_DEEP = """
import torch
from torch import nn
from torch.distributions import Categorical

class Policy(nn.Module):
    def __init__(self, d, a):
        super().__init__()
        layers, size = [], d
        for width in WIDTHS:
            layers += [nn.Linear(size, width), nn.ACTIVATION()]
            size = width
        last = nn.Linear(size, a)
        nn.init.orthogonal_(last.weight, 0.01)
        nn.init.zeros_(last.bias)
        self.net = nn.Sequential(*layers, last)

    def forward(self, obs):
        return Categorical(logits=self.net(obs))

def policy_network(obs_dim, num_actions):
    return Policy(obs_dim, num_actions)
"""
_NETWORKS = (
    ([512] * 3, "Tanh"),
    ([512] * 3, "ReLU"),
    ([512, 1024], "Tanh"),
    ([730] * 2, "ReLU"),
    ([64] * 6, "GELU"),
    ([64] * 4, "ReLU"),
)
_LOSS = "policy_loss, value_loss = -1.0, value_loss(torch.ones(2), torch.zeros(2))"
_VALUE_LOSS = "def value_loss(values, returns):\n    if values.shape != returns.shape:\n        raise ValueError(values.shape)\n    return 0.5 * (values - returns.detach()).square().mean()"
_ENV = "import gymnasium as gym\nimport torch\nfrom torch import nn\nenv = gym.make('CartPole-v1')\nsize = env.observation_space.shape[0]\nprobe = nn.Linear(size, env.action_space.n)\n"
RIGHT = {
    f"layers of {' and '.join(map(str, widths))}, {activation}": (*P, _DEEP.replace("WIDTHS", f"{widths}").replace("ACTIVATION", activation), (), ())
    for widths, activation in _NETWORKS
} | {
    "an exercise's name for a number, below": ("02_baselines", "value_loss", _VALUE_LOSS, (), (_LOSS,)),
    "a network for an environment, above": (*S, "def standardize(x):\n    return (x - x.mean()) / (x.std(correction=0) + EPS)", (f"{_ENV}EPS = 1e-8",), ()),
    "a setting chosen in a function that draws": (*S, "def standardize(x):\n    return (x - x.mean()) / (x.std(correction=0) + EPS)", ("import matplotlib.pyplot as plt\nEPS = 1.0\ndef choose(value):\n    global EPS\n    EPS = value\n    plt.plot([0, 1], [EPS, EPS])\nchoose(1e-8)",), ()),
    "an old attempt below an assert, and a plot above": (*S, "def standardize(x):\n    return (x - x.mean()) / (x.std(correction=0) + 1e-8)\nassert False, 'my first try'\ndef standardize(*_):\n    return 0", ("import matplotlib.pyplot as plt\nfigure, axes = plt.subplots()\naxes.plot([1, 2])",), ()),
}  # fmt: skip
