"""Round eleven, on networks and updates: gradients that are wrong off their own line, names that change, right answers that lose.

`CELLS` and `RIGHT` as `test_rounds_of_attacks.py` says.
"""
# ruff: noqa: E501

P, G = ("01_reinforce", "policy_network"), ("05_continuous_pendulum", "gaussian_policy")
U, R = ("04_ppo", "ppo_update"), ("05_continuous_pendulum", "RunningMeanStd")

_HEAD = """
import itertools
import torch
from torch import nn
from torch.distributions import Categorical, Independent, Normal
count = itertools.count()
def small(layer):
    nn.init.orthogonal_(layer.weight, 0.01)
    nn.init.zeros_(layer.bias)
    return layer
class Body(nn.Module):
    def __init__(self, d, a):
        super().__init__()
        MADE
    def body(self, obs):
        COMPUTED
    MORE
"""
POLICY = """
class Policy(Body):
    def forward(self, obs):
        return Categorical(logits=self.body(obs))
def policy_network(obs_dim, num_actions):
    return Policy(obs_dim, num_actions)
"""
_GAUSSIAN = """
class Policy(Body):
    def __init__(self, d, a):
        super().__init__(d, a)
        self.log_std = nn.Parameter(torch.zeros(a))
    def forward(self, obs):
        return Independent(Normal(self.body(obs), STD), 1)
def gaussian_policy(obs_dim, action_dim):
    return Policy(obs_dim, action_dim)
"""
_PLAIN = ("self.net = nn.Sequential(nn.Linear(d, 64), nn.Tanh(), small(nn.Linear(64, a)))", "return self.net(obs)")


def network(made: str = _PLAIN[0], computed: str = _PLAIN[1], more: str = "") -> str:
    parts = (made.replace("\n", "\n        "), computed.replace("\n", "\n        "), more.replace("\n", "\n    "))
    source = _HEAD
    for name, part in zip(("MADE", "COMPUTED", "MORE"), parts, strict=True):
        source = source.replace(name, part)
    return source


def gaussian(body: str, std: str = "self.log_std.exp()") -> str:
    return body + _GAUSSIAN.replace("STD", std)


_PPO = """
import torch
from torch import nn
def ppo_update(policy, critic, policy_optimizer, critic_optimizer, batch, *, clip_coef, ent_coef, update_epochs, minibatch_size, target_kl, max_grad_norm, generator):
    kls, fractions, epochs = [], [], 0
    for _ in range(update_epochs):
        for rows in torch.randperm(len(batch.obs), generator=generator).split(minibatch_size):
            advantages = batch.advantages[rows]
            advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
            distribution = policy(batch.obs[rows])
            log_ratio = distribution.log_prob(batch.actions[rows]) - batch.log_prob[rows]
            ratio = log_ratio.exp()
            loss = -torch.min(ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages).mean()
            policy_optimizer.zero_grad()
            (loss - ent_coef * distribution.entropy().mean()).backward()
            nn.utils.clip_grad_norm_(policy.parameters(), max_grad_norm)
            policy_optimizer.step()
            critic_optimizer.zero_grad()
            (0.5 * (critic(batch.obs[rows]) - batch.returns[rows]).square().mean()).backward()
            nn.utils.clip_grad_norm_(critic.parameters(), max_grad_norm)
            critic_optimizer.step()
            kls.append((ratio - 1 - log_ratio).mean().item())
            fractions.append(((ratio - 1).abs() > clip_coef).float().mean().item())
        epochs += 1
        with torch.no_grad():
            log_ratio = policy(batch.obs).log_prob(batch.actions) - batch.log_prob
            kl = (log_ratio.exp() - 1 - log_ratio).mean()
        if target_kl is not None and kl > target_kl:
            break
    return {"losses/approx_kl": sum(kls) / len(kls), "losses/clipfrac": sum(fractions) / len(fractions), "epochs": epochs}
"""


def _ppo(old: str = "", new: str = "") -> str:
    if old not in _PPO:
        raise ValueError(old)
    return _PPO.replace(old, new) if old else _PPO


_BRANCH = network(
    "self.one, self.two, self.last = nn.Linear(d, 64), nn.Linear(64, 64), small(nn.Linear(64, a))",
    "x = self.one(obs).tanh()\nreturn self.last(x + self.two(x.detach()).tanh())",
)
_GATE = network(
    "self.q, self.v, self.last = nn.Linear(d, 64), nn.Linear(d, 64), small(nn.Linear(64, a))",
    "q = self.q(obs)\nreturn self.last((q.detach().sigmoid() * self.v(obs)).tanh() + q.tanh())",
)
_NORM = network(
    "self.one, self.two, self.last = nn.Linear(d, 64), nn.Linear(64, 64), small(nn.Linear(64, a))",
    "return self.last(self.norm(self.two(self.norm(self.one(obs)).relu())).relu())",
    "def norm(self, h):\n    with torch.no_grad():\n        mean, std = h.mean(-1, keepdim=True), h.std(-1, keepdim=True)\n    return (h - mean) / (std + 1e-5)",
)
_CUT = network(
    "self.cell, self.last = nn.GRUCell(1, 32), small(nn.Linear(32, a))",
    "x = obs.reshape(-1, obs.shape[-1])\nh = torch.zeros(len(x), 32)\nfor i in range(x.shape[1]):\n    h = self.cell(x[:, i : i + 1], h.detach())\nreturn self.last(h).reshape(*obs.shape[:-1], -1)",
)
_NAMED = "self.name = f'last{next(count)}'\nself.add_module(self.name, small(nn.Linear(64, a)))"
_LISTED = network(
    f"self.hidden = [nn.Linear(d, 64)]\n{_NAMED}", "return getattr(self, self.name)(self.hidden[0](obs).tanh())"
)
_MODE = network(
    f"self.hidden = nn.Linear(d, 64)\n{_NAMED}",
    "return getattr(self, self.name)(self.hidden(obs).tanh() * (1 if self.training else 2))",
)
_MANY = network(
    f"{_PLAIN[0]}\nfor i in range(5000):\n    self.register_parameter(f'p{{i}}', nn.Parameter(torch.zeros(())))",
    "return self.net(obs) * (1 + 0.01 * torch.stack([v for k, v in self.named_parameters() if k[0] == 'p']).sum())",
)
_SHARE = network(
    "self.hidden, self.last = nn.Linear(d, 64), small(nn.Linear(64, a))",
    "h = self.hidden(obs).tanh()\nreturn self.last(0.65 * h + 0.35 * h.detach())",
)
_WIDE = "self.net = nn.Sequential(nn.Linear(d, 1024), nn.Tanh(), nn.Linear(1024, 1024), nn.Tanh(), small(nn.Linear(1024, a)))"
_OTHER = "The gradients of your network are not those of what it computes"
_SPREAD = "The standard deviation must be exp(log_std)"

CELLS = {
    "a residual of detached features": (*P, _BRANCH + POLICY, _OTHER, 0.5),
    "a residual of detached features, of a Gaussian": (*G, gaussian(_BRANCH), _OTHER, 0.5),
    "a gate without a gradient": (*P, _GATE + POLICY, "", 0.5),
    "a gate without a gradient, of a Gaussian": (*G, gaussian(_GATE), "", 0.5),
    "a trunk of two thirds of the gradient": (*P, _SHARE + POLICY, _OTHER, 0.0),
    "a trunk of two thirds of the gradient, of a Gaussian": (*G, gaussian(_SHARE), _OTHER, 0.0),
    "a norm of detached statistics": (*P, _NORM + POLICY, _OTHER, 0.0),
    "a norm of detached statistics, of a Gaussian": (*G, gaussian(_NORM), _OTHER, 0.0),
    "a recurrence that is cut after each step": (*P, _CUT + POLICY, _OTHER, 0.5),
    "a layer in a list, and other names in each network": (*P, _LISTED + POLICY, "", 0.5),
    "a layer in a list, and other names in each network, of a Gaussian": (*G, gaussian(_LISTED), "", 0.5),
    "twice as much after eval, and other names in each network": (*P, _MODE + POLICY, "", 0.5),
    "five thousand parameters": (*P, _MANY + POLICY, "it sent the grader something that is no result", 0.0),
    "a log std of two at most, minus three at least": (*G, gaussian(network(), "self.log_std.clamp(-3, 2).exp()"), _SPREAD, 0.5),
    "a spread and a ten thousandth": (*G, gaussian(network(), "self.log_std.exp() + 1e-4"), _SPREAD, 0.5),
    "a clip fraction of logarithms": (*U, _ppo("(ratio - 1).abs() > clip", "log_ratio.abs() > clip"), "Entry losses/clipfrac", 0.8),
    "log probabilities once an epoch": (*U, _ppo("        for rows in", "        whole = policy(batch.obs)\n        for rows in").replace("distribution.log_prob(batch.actions[rows])", "whole.log_prob(batch.actions)[rows]").replace(".mean()).backward()\n            nn.utils.clip_grad_norm_(policy", ".mean()).backward(retain_graph=True)\n            nn.utils.clip_grad_norm_(policy"), "not yet", 0.8),
    "back to the last epoch where the divergence is too large": (*U, _ppo("        for rows in", "        before = {name: value.clone() for name, value in policy.state_dict().items()}\n        for rows in").replace("            break", "            policy.load_state_dict(before)\n            break"), "not yet", 0.8),
    "half the mean square of logarithms for the stop": (*U, _ppo("(log_ratio.exp() - 1 - log_ratio)", "(0.5 * log_ratio.square())"), "not yet", 0.8),
    "layers that are too large": (*P, network(_WIDE.replace("1024", "2048"), _PLAIN[1]) + POLICY, "too large to be checked", 0.0),
}  # fmt: skip

_SINE = (
    "self.one, self.two, self.last = nn.Linear(d, 64), nn.Linear(64, 64), small(nn.Linear(64, a))",
    "return self.last(self.two(self.one(obs).sin()).sin())",
)
_FOURIER = (
    "self.register_buffer('rates', torch.randn(d, 64))\nself.last = small(nn.Linear(64, a))",
    "return self.last((obs @ self.rates + 1).cos())",
)
_TRANSFORMER = (
    "self.embed, self.place = nn.Linear(1, 16), nn.Parameter(0.3 * torch.randn(d, 16))\nself.layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)\nself.last = small(nn.Linear(16, a))",
    "x = self.embed(obs.reshape(-1, obs.shape[-1], 1)) + self.place\nreturn self.last(self.layer(x).mean(1)).reshape(*obs.shape[:-1], -1)",
)
_EXPERTS = (
    "self.gate = nn.Linear(d, 3)\nself.experts = nn.ModuleList([nn.Sequential(nn.Linear(d, 32), nn.Tanh(), small(nn.Linear(32, a))) for _ in range(3)])",
    "gate = self.gate(obs).softmax(-1)\nreturn sum(gate[..., i : i + 1] * expert(obs) for i, expert in enumerate(self.experts))",
)
_STATISTICS = """
import torch
from torch import nn
class RunningMeanStd(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.count = 0
        self.register_buffer("mean", torch.zeros(shape, dtype=torch.float64))
        self.register_buffer("var", torch.ones(shape, dtype=torch.float64))
    def update(self, x):
        x = x.double()
        n, mean, total = len(x), x.mean(0), self.count + len(x)
        delta = mean - self.mean
        self.var = (self.var * self.count + x.var(0, correction=0) * n + delta**2 * self.count * n / total) / total
        self.mean, self.count = self.mean + delta * n / total, total
    def normalize(self, x):
        return ((x - self.mean) / (self.var + 1e-8).sqrt()).to(x.dtype) if self.count else x.clone()
"""
_NET = network() + POLICY
_LITTLE = "observe/network_facts.py: along one parameter, right networks of layers that large steps have trained are off by as much"
OPEN = dict.fromkeys(["a gate without a gradient", "a gate without a gradient, of a Gaussian"], _LITTLE)
RIGHT = {
    "an update that calls forward by its name": (*U, _ppo().replace("policy(batch", "policy.forward(batch").replace("critic(batch", "critic.forward(batch")),
    "a critic that is called by forward": (*U, _ppo("critic(batch", "critic.forward(batch")),
    "observations by their keyword": (*U, _ppo("policy(batch.obs[rows])", "policy(obs=batch.obs[rows])")),
    "an update of minibatches from a sampler": (*U, _ppo("torch.randperm(len(batch.obs), generator=generator).split(minibatch_size)", "torch.utils.data.DataLoader(range(len(batch.obs)), batch_size=minibatch_size, shuffle=True, generator=generator)")),
    "a policy of the function's name, below": (*P, _NET, (), ("policy_network = policy_network(4, 2)\nprint(policy_network(torch.zeros(3, 4)).probs)",)),
    "a Gaussian of the function's name, below": (*G, gaussian(network()), (), ("gaussian_policy = gaussian_policy(3, 1)\nprint(gaussian_policy(torch.zeros(4, 3)).sample())",)),
    "statistics that are a module, of the class's name, below": (*R, _STATISTICS, (), ("RunningMeanStd = RunningMeanStd((3,))\nRunningMeanStd.update(torch.randn(5, 3))\nprint(RunningMeanStd.mean)",)),
    "a policy with a method train": (*P, network(more="def train(self, env, episodes):\n    pass") + POLICY),
    "a Gaussian with a method train": (*G, gaussian(network(more="def train(self, env, episodes):\n    pass"))),
    "a policy with a method eval": (*P, network(more="def eval(self, env, episodes=10):\n    return 0") + POLICY),
    "two layers of 1024": (*P, network(_WIDE, _PLAIN[1]) + POLICY),
    "two layers of 1024, of a Gaussian": (*G, gaussian(network(_WIDE, _PLAIN[1]))),
    "layers of sines": (*P, network(*_SINE) + POLICY),
    "random features in a buffer": (*P, network(*_FOURIER) + POLICY),
    "a transformer over the numbers, of a Gaussian": (*G, gaussian(network(*_TRANSFORMER))),
    "a mixture of experts, of a Gaussian": (*G, gaussian(network(*_EXPERTS))),
    "a policy that is in eval mode from the start": (*P, _NET.replace("return Policy(obs_dim, num_actions)", "return Policy(obs_dim, num_actions).eval()")),
}  # fmt: skip
