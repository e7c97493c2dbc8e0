"""A round of submissions to exercises whose answer is a network, an update of networks, or a loop over minibatches.

`CELLS` as in round one: name -> (notebook, exercise that is attacked, its cell, a part of what the grader says of it, share
of the points that it must not exceed). `OPEN`: those that exceed it, with the cause.
"""
# ruff: noqa: E501 - some attacks are long lines

P, G, M, U = "policy_network", "gaussian_policy", "minibatches", "ppo_update"
R, B, T = "reinforce_update", "baseline_update", "shared_trunk_step"
U1, U2, U4, U5, U6 = "01_reinforce", "02_baselines", "04_ppo", "05_continuous_pendulum", "06_debugging_traps"

# A right answer to both exercises, whose parts the attacks replace.
_RIGHT = """
import torch
from torch import nn
from torch.distributions import Categorical, Independent, Normal
def small(layer):
    nn.init.normal_(layer.weight, std=0.002)
    nn.init.zeros_(layer.bias)
    return layer
class Network(nn.Module):
    def __init__(self, d, a):
        super().__init__()
        self.d, self.a, self.calls = d, a, 0
        self.make(d, a)
    def make(self, d, a):
        self.hidden, self.last = nn.Linear(d, 64), small(nn.Linear(64, a))
    def inputs(self, obs):
        return obs
    def outputs(self, obs):
        return self.last(torch.tanh(self.hidden(self.inputs(obs))))
class Policy(Network):
    def forward(self, obs):
        self.calls += 1
        return self.given(self.outputs(obs))
    def given(self, logits):
        return Categorical(logits=logits)
class Gaussian(Network):
    def __init__(self, d, a):
        super().__init__(d, a)
        self.log_std = nn.Parameter(torch.zeros(a))
    def forward(self, obs):
        self.calls += 1
        return self.given(self.outputs(obs), self.log_std.exp())
    def given(self, mean, std):
        return Independent(Normal(mean, std), 1)
"""


def _policy(body: str) -> str:
    return f"{_RIGHT}class Own(Policy):\n    {body}\ndef policy_network(d, a):\n    return Own(d, a)\n"


def _gaussian(body: str) -> str:
    return f"{_RIGHT}class Own(Gaussian):\n    {body}\ndef gaussian_policy(d, a):\n    return Own(d, a)\n"


_CLIPPED = "def inputs(self, obs):\n        return obs.clamp(-1, 1)"
_ROUNDED = "def inputs(self, obs):\n        return (obs * 20).round() / 20"
_IN_A_LIST = "def make(self, d, a):\n        self.layers, self.last = [nn.Linear(d, 64)], small(nn.Linear(64, a))\n    def hidden(self, obs):\n        return self.layers[0](obs)"
_RUNNING = """def make(self, d, a):
        super().make(d, a)
        self.count, self.mean, self.m2 = 1e-4, torch.zeros(d), torch.zeros(d)
    def inputs(self, obs):
        rows = obs.reshape(-1, self.d)
        delta, total = rows.mean(0) - self.mean, self.count + len(rows)
        self.m2 = self.m2 + rows.var(0, correction=0) * len(rows) + delta**2 * self.count * len(rows) / total
        self.mean, self.count = self.mean + delta * len(rows) / total, total
        return (obs - self.mean) / (self.m2 / self.count + 1e-8).sqrt()"""
_SLOW = """def make(self, d, a):
        super().make(d, a)
        self.mean, self.square = torch.zeros(d), torch.ones(d)
    def inputs(self, obs):
        rows = obs.reshape(-1, self.d)
        self.mean = 0.9999 * self.mean + 0.0001 * rows.mean(0)
        self.square = 0.9999 * self.square + 0.0001 * rows.square().mean(0)
        return (obs - self.mean) / (self.square - self.mean**2).sqrt()"""
_LATE = """def make(self, d, a):
        self.first = nn.Sequential(nn.Linear(d, 64), nn.ReLU())
        self.last = None
    def outputs(self, obs):
        if self.last is None:
            self.last = small(nn.Linear(64, self.a))
        return self.last(self.first(obs))"""
_DROPOUT = "def inputs(self, obs):\n        return nn.functional.dropout(obs, 0.1)"
_LARGE = "def inputs(self, obs):\n        return obs if obs.ndim == 1 or len(obs) < 40 else obs - 0.5 * obs.mean(0)"
_FOUR = (
    "def make(self, d, a):\n        super().make(min(d, 4), a)\n    def inputs(self, obs):\n        return obs[..., :4]"
)
_HALVED = "def outputs(self, obs):\n        out = super().outputs(obs)\n        return 0.5 * out + 0.5 * out.detach() if self.calls < 12 else out"

_UPDATE = """
import torch
from torch import nn
def returns_of(episodes, gamma):
    out = []
    for episode in episodes:
        following, own = 0, []
        for reward in reversed(episode.rewards.unbind()):
            following = reward + gamma * following
            own.append(following)
        out.append(torch.stack(own[::-1]))
    return torch.cat(out)
def standardized(x):
    return (x - x.mean()) / (x.std(correction=0) + 1e-8)
def batch_of(episodes):
    return torch.cat([e.obs for e in episodes]), torch.cat([e.actions for e in episodes])
"""
_REINFORCE = (
    _UPDATE
    + """
def reinforce_update(policy, optimizer, episodes, *, gamma):
    obs, actions = batch_of(episodes)
    weights = standardized(returns_of(episodes, gamma))
    loss = -(weights * policy(obs).log_prob(actions)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
"""
)
_BASELINE = (
    _UPDATE
    + """
def baseline_update(policy, critic, policy_optimizer, critic_optimizer, episodes, *, gamma, critic_steps):
    obs, actions = batch_of(episodes)
    returns = returns_of(episodes, gamma)
    weights = standardized(returns - critic(obs).detach())
    policy_loss = -(weights * policy(obs).log_prob(actions)).mean()
    policy_optimizer.zero_grad()
    policy_loss.backward()
    policy_optimizer.step()
    for _ in range(critic_steps):
        value_loss = 0.5 * (critic(obs) - returns).square().mean()
        critic_optimizer.zero_grad()
        value_loss.backward()
        critic_optimizer.step()
    return policy_loss.item(), value_loss.item()
"""
)
_PPO = """
import torch
from torch import nn
def ppo_update(policy, critic, policy_optimizer, critic_optimizer, batch, *, clip_coef, ent_coef, update_epochs, minibatch_size, target_kl, max_grad_norm, generator):
    kls, fractions, epochs, size = [], [], 0, len(batch.obs)
    old_log_prob = batch.log_prob
    for _ in range(update_epochs):
        order = torch.randperm(size, generator=generator)
        for rows in order.split(minibatch_size):
            obs, actions, _, advantages, returns = (column[rows] for column in batch)
            distribution = policy(obs)
            log_prob = distribution.log_prob(actions)
            advantages = (advantages - advantages.mean()) / (advantages.std(correction=0) + 1e-8)
            ratio = (log_prob - old_log_prob[rows]).exp()
            policy_loss = -torch.minimum(ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages).mean()
            policy_loss = policy_loss - ent_coef * distribution.entropy().mean()
            value_loss = 0.5 * (critic(obs) - returns).square().mean()
            for loss, network, optimizer in ((policy_loss, policy, policy_optimizer), (value_loss, critic, critic_optimizer)):
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(network.parameters(), max_grad_norm)
                optimizer.step()
            moved = (log_prob - batch.log_prob[rows]).detach()
            kls.append(float((moved.exp() - 1 - moved).mean()))
            fractions.append(float(((moved.exp() - 1).abs() > clip_coef).float().mean()))
        epochs += 1
        with torch.no_grad():
            moved = policy(batch.obs).log_prob(batch.actions) - batch.log_prob
        if target_kl is not None and (moved.exp() - 1 - moved).mean() > target_kl:
            break
    return {"losses/approx_kl": sum(kls) / len(kls), "losses/clipfrac": sum(fractions) / len(fractions), "epochs": epochs}
"""
_TRUNK = """
from torch import nn
def shared_trunk_step(network, optimizer, policy_loss, value_loss, entropy, *, vf_coef, ent_coef, max_grad_norm):
    optimizer.zero_grad()
    (policy_loss + vf_coef * value_loss - ent_coef * entropy).backward()
    norm = nn.utils.clip_grad_norm_(network.parameters(), max_grad_norm)
    optimizer.step()
    return norm
"""
_UNROLL = """
import torch
def unroll(cell, inputs, state, ended):
    outputs = []
    for t in range(len(inputs)):
        state = cell(inputs[t], state)
        outputs.append(state)
        state = state * (~ended[t]).to(state.dtype)[:, None]
    return torch.stack(outputs), state
"""
_MINIBATCHES = "import torch\ndef minibatches(batch_size, minibatch_size, *, generator):\n    "
_GROUPS = """
import torch
def patient_07(parameters, learning_rate):
    parameters = list(parameters)
    matrices = [each for each in parameters if each.ndim >= 2]
    vectors = [each for each in parameters if each.ndim < 2]
    optimizer = torch.optim.Adam([{"params": matrices}, {"params": vectors}], lr=learning_rate, eps=1e-5)
    return optimizer
"""
_PAIR = """
import torch
def patient_10(policy, critic, *, policy_lr, critic_lr):
    return tuple(torch.optim.Adam(network.parameters(), rate, eps=1e-5) for network, rate in ((policy, policy_lr), (critic, critic_lr)))
"""


def _edited(source: str, **edits: str) -> str:
    """Of words with capital letters none is in a cell: each edit names the line by its place in `_LINES`."""
    for name, line in edits.items():
        old = _LINES[name]
        if old not in source:
            raise ValueError(old)
        source = source.replace(old, line)
    return source


_LINES = {
    "weights_of": "weights * policy",
    "clear": "    optimizer.zero_grad()\n",
    "step": "    optimizer.step()\n",
    "critic_steps": "range(critic_steps)",
    "ppo_advantages": "/ (advantages.std(correction=0) + 1e-8)\n",
    "old": "old_log_prob = batch.log_prob\n",
    "order": "order = torch.randperm(size, generator=generator)\n",
    "clip": "nn.utils.clip_grad_norm_(network.parameters(), max_grad_norm)",
    "value": "value_loss = 0.5 * (critic(obs) - returns).square().mean()\n",
    "ended": "> target_kl:",
    "norm": "    norm = nn.utils",
    "cell": "state = cell(inputs[t], state)\n",
    "optimizer": "    return optimizer\n",
    "parameters": "parameters = list(parameters)\n",
    "pair": "\n    return tuple(",
}
_OWN_CLIP = "\n    for each in parameters:\n        each.register_hook(lambda gradient: gradient.clamp(-1, 1))\n"
_LATER = "\n    taken = []\n    def slower(*_):\n        taken.append(1)\n        for group in optimizer.param_groups:\n            group['lr'] = learning_rate / (1 + max(0, len(taken) - 3))\n    optimizer.register_step_post_hook(slower)\n    return optimizer\n"

CELLS: dict[str, tuple[str, str, str, str, float]] = {
    # What becomes of an observation before the first layer.
    "observations clipped to one": (U1, P, _policy(_CLIPPED), "", 0.5),
    "observations clipped to one and a half, as a Gaussian": (U5, G, _gaussian(_CLIPPED.replace("-1, 1", "-1.5, 1.5")), "", 0.5),
    "observations in steps of a twentieth": (U1, P, _policy(_ROUNDED), "", 0.5),
    "observations in steps of a twentieth, as a Gaussian": (U5, G, _gaussian(_ROUNDED), "", 0.5),
    "observations in tenths": (U1, P, _policy(_ROUNDED.replace("20", "10")), "", 0.5),
    "an activation before the first layer": (U1, P, _policy("def inputs(self, obs):\n        return obs.relu()"), "", 0.5),
    "observations divided by the limits of the space": (U1, P, _policy("def inputs(self, obs):\n        return obs / torch.tensor([4.8, 3.4e38, 0.42, 3.4e38])[: self.d]"), "", 0.5),
    "sees four numbers at most": (U1, P, _policy(_FOUR), "", 0.75),
    "sees four numbers at most, as a Gaussian": (U5, G, _gaussian(_FOUR), "", 0.75),
    "dropout of a tenth": (U1, P, _policy(_DROPOUT), "not yet", 0.25),
    "dropout of a tenth, as a Gaussian": (U5, G, _gaussian(_DROPOUT), "not yet", 0.25),
    # What a network is besides its parameters.
    "a hidden layer in a list": (U1, P, _policy(_IN_A_LIST), "", 0.5),
    "a hidden layer in a list, of a Gaussian": (U5, G, _gaussian(_IN_A_LIST), "", 0.5),
    "a hidden layer that all networks have": (U1, P, "layers = {}\n" + _policy(_IN_A_LIST.replace("[nn.Linear(d, 64)]", "[layers.setdefault(d, nn.Linear(d, 64))]")), "", 0.5),
    "a last layer made at the first call": (U1, P, _policy(_LATE), "", 0.5),
    "a last layer made at the first call, of a Gaussian": (U5, G, _gaussian(_LATE), "", 0.5),
    "running statistics of all observations": (U1, P, _policy(_RUNNING), "", 0.5),
    "running statistics of all observations, of a Gaussian": (U5, G, _gaussian(_RUNNING), "", 0.5),
    "slow running statistics": (U1, P, _policy(_SLOW), "", 0.5),
    "slow running statistics, of a Gaussian": (U5, G, _gaussian(_SLOW), "", 0.5),
    "less and less exploration with each call": (U1, P, _policy("def given(self, logits):\n        left = 0.98**self.calls\n        return Categorical((1 - left) * logits.softmax(-1) + left / self.a)"), "", 0.5),
    "logits that grow with the calls": (U1, P, _policy("def make(self, d, a):\n        self.hidden, self.last = nn.Linear(d, 64), nn.Linear(64, a)\n    def given(self, logits):\n        return Categorical(logits=logits * min(1, self.calls / 100))"), "", 0.5),
    "a difference from the observation before": (U1, P, _policy("before = None\n    def inputs(self, obs):\n        before = obs if self.before is None else self.before\n        self.before = obs.reshape(-1, self.d)[-1]\n        return obs - 0.1 * before"), "not yet", 0.25),
    "half the gradients in the first calls": (U1, P, _policy(_HALVED), "", 0.5),
    "half the gradients in the first calls, of a Gaussian": (U5, G, _gaussian(_HALVED), "", 0.5),
    # Rows, where few look.
    "rows of large batches mixed": (U1, P, _policy(_LARGE), "", 0.5),
    "rows of large batches mixed, of a Gaussian": (U5, G, _gaussian(_LARGE), "", 0.5),
    "batch normalisation, but for one row": (U1, P, _policy("def make(self, d, a):\n        super().make(d, a)\n        self.norm = nn.BatchNorm1d(d)\n    def inputs(self, obs):\n        return self.norm(obs) if obs.ndim > 1 and len(obs) > 1 else obs"), "not yet", 0.25),
    "chance alone for a batch of one": (U1, P, _policy("def inputs(self, obs):\n        return obs if obs.ndim == 1 else obs * (len(obs) > 1)"), "", 0.75),
    "a single observation made a batch in place": (U1, P, _policy("def outputs(self, obs):\n        if obs.ndim == 1:\n            return super().outputs(obs.unsqueeze_(0))[0]\n        return super().outputs(obs)"), "", 0.75),
    "no gradients from a single observation": (U1, P, _policy("def outputs(self, obs):\n        logits = super().outputs(obs)\n        return logits.detach() if obs.ndim == 1 else logits"), "", 0.75),
    # What comes out.
    "twice as sharp where no gradients are asked for": (U1, P, _policy("def make(self, d, a):\n        super().make(d, a)\n        nn.init.zeros_(self.last.weight)\n    def given(self, logits):\n        return Categorical(logits=logits if torch.is_grad_enabled() else 2 * logits)"), "", 0.5),
    "an entropy of zero": (U1, P, _RIGHT + "class Sure(Categorical):\n    def entropy(self):\n        return 0 * super().entropy()\nclass Own(Policy):\n    def given(self, logits):\n        return Sure(logits=logits)\ndef policy_network(d, a):\n    return Own(d, a)\n", "", 0.5),
    "gradients of a twenty-fifth more": (U1, P, _policy("def given(self, logits):\n        return Categorical(logits=1.04 * logits - 0.04 * logits.detach())"), "", 0.5),
    "all means but the first squeezed": (U5, G, _gaussian("def outputs(self, obs):\n        mean = super().outputs(obs)\n        return torch.cat([mean[..., :1], mean[..., 1:].tanh()], -1)"), "", 0.5),
    "no mean but the first below zero": (U5, G, _gaussian("def outputs(self, obs):\n        mean = super().outputs(obs)\n        return torch.cat([mean[..., :1], mean[..., 1:].relu()], -1)"), "", 0.5),
    "all means squeezed a little": (U5, G, _gaussian("def outputs(self, obs):\n        mean = super().outputs(obs)\n        return mean.sign() * mean.abs().log1p()"), "", 1.0),
    "a distribution that samples its best action": (U1, P, _RIGHT + "class Greedy(Categorical):\n    def sample(self, shape=torch.Size()):\n        return self.logits.argmax(-1).expand(*shape, *self.batch_shape)\nclass Own(Policy):\n    def given(self, logits):\n        return Greedy(logits=logits)\ndef policy_network(d, a):\n    return Own(d, a)\n", "", 0.5),
    "a Gaussian that samples its mean": (U5, G, _RIGHT + "class Still(Independent):\n    def sample(self, shape=torch.Size()):\n        return self.mean.detach().expand(*shape, *self.mean.shape)\nclass Own(Gaussian):\n    def given(self, mean, std):\n        return Still(Normal(mean, std), 1)\ndef gaussian_policy(d, a):\n    return Own(d, a)\n", "", 0.5),
    "log-probabilities of minus three at least": (U1, P, _RIGHT + "class Held(Categorical):\n    def log_prob(self, value):\n        return super().log_prob(value).clamp(min=-3)\nclass Own(Policy):\n    def given(self, logits):\n        return Held(logits=logits)\ndef policy_network(d, a):\n    return Own(d, a)\n", "", 0.5),
    "log-probabilities of minus fifty at least": (U5, G, _RIGHT + "class Held(Independent):\n    def log_prob(self, value):\n        return super().log_prob(value).clamp(min=-50)\nclass Own(Gaussian):\n    def given(self, mean, std):\n        return Held(Normal(mean, std), 1)\ndef gaussian_policy(d, a):\n    return Own(d, a)\n", "", 0.5),
    "exploration of a twentieth for ever": (U1, P, _policy("def given(self, logits):\n        return Categorical(0.95 * logits.softmax(-1) + 0.05 / self.a)"), "", 0.5),
    "actions between the first and the last get four fifths at most": (U1, P, _policy("def given(self, logits):\n        probs = logits.softmax(-1)\n        if self.a > 2:\n            probs = torch.cat([probs[..., :1] + 0.15 * probs[..., 1:-1], 0.85 * probs[..., 1:-1], probs[..., -1:]], -1)\n        return Categorical(probs)"), "", 0.75),
    "logits of zero at least": (U1, P, _policy("def given(self, logits):\n        return Categorical(logits=logits.relu())"), "", 0.75),
    "a value that cancels in every softmax": (U1, P, _policy("def make(self, d, a):\n        super().make(d, a)\n        self.value = nn.Linear(d, 1)\n    def outputs(self, obs):\n        return super().outputs(obs) + self.value(obs)"), "", 0.75),
    "a layer that counts for nothing": (U1, P, _policy("def make(self, d, a):\n        super().make(d, a)\n        self.spare = nn.Linear(d, a)\n    def outputs(self, obs):\n        return super().outputs(obs) + 0 * self.spare(obs)"), "", 0.75),
    "all means from one number": (U5, G, _gaussian("def make(self, d, a):\n        self.hidden = nn.Sequential(nn.Linear(d, 1), nn.Linear(1, 64))\n        self.last = small(nn.Linear(64, a))"), "", 0.5),
    "the third mean is the cube of the first": (U5, G, _gaussian("def outputs(self, obs):\n        mean = super().outputs(obs)\n        return torch.cat([mean[..., :2], (mean[..., :1] ** 3 / 9).expand_as(mean[..., 2:])], -1)"), "", 0.75),
    "means of three hundred at most": (U5, G, _gaussian("def outputs(self, obs):\n        return super().outputs(obs).clamp(-300, 300)"), "", 0.5),
    # Updates that are right for few rows, and for plain SGD on one group.
    "weights of four at most": (U1, R, _edited(_REINFORCE, weights_of="weights.clamp(-4, 4) * policy"), "", 0.8),
    "weights of four at most, with a baseline": (U2, B, _edited(_BASELINE, weights_of="weights.clamp(-4, 4) * policy"), "", 0.8),
    "weights of four at most, in each minibatch": (U4, U, _edited(_PPO, ppo_advantages="/ (advantages.std(correction=0) + 1e-8)\n            advantages = advantages.clamp(-4, 4)\n"), "", 0.8),
    "steps of its own, and one of the optimizer's that does nothing": (U1, R, _edited(_REINFORCE, step="    for each in policy.parameters():\n        each.data -= optimizer.param_groups[0]['lr'] * each.grad\n        each.grad = 0 * each.grad\n    optimizer.step()\n"), "", 0.5),
    "an update for parameters of two names alone": (U1, R, _edited(_REINFORCE, clear="    policy.weight.grad = policy.bias.grad = None\n"), "", 0.75),
    "an optimizer that forgets": (U1, R, _edited(_REINFORCE, step="    optimizer.state.clear()\n    optimizer.step()\n"), "", 0.75),
    "a rate that falls with every update": (U1, R, _edited(_REINFORCE, step="    optimizer.step()\n    for group in optimizer.param_groups:\n        group['lr'] *= 0.9\n"), "", 0.75),
    "a rate that falls with every update, of a policy and a critic": (U2, B, _BASELINE.replace("    for _ in range", "    for group in policy_optimizer.param_groups:\n        group['lr'] *= 0.9\n    for _ in range"), "", 0.75),
    "clears the first group alone": (U1, R, _edited(_REINFORCE, clear="    for each in optimizer.param_groups[0]['params']:\n        each.grad = None\n"), "", 0.75),
    "ten steps of the critic at most": (U2, B, _edited(_BASELINE, critic_steps="range(min(critic_steps, 10))"), "", 0.75),
    "a critic that is never fitted to large errors": (U2, B, _BASELINE.replace("        critic_optimizer.step()", "        if value_loss > 1e9:\n            critic_optimizer.zero_grad(set_to_none=False)\n        critic_optimizer.step()"), "", 0.8),
    # PPO.
    "shuffles from the first seed of the generator": (U4, U, _edited(_PPO, old="old_log_prob = batch.log_prob\n    own = torch.Generator().manual_seed(generator.initial_seed())\n", order="order = torch.randperm(size, generator=own)\n"), "", 0.75),
    "shuffles from a copy of the generator": (U4, U, _edited(_PPO, old="old_log_prob = batch.log_prob\n    own = torch.Generator()\n    own.set_state(generator.get_state())\n", order="order = torch.randperm(size, generator=own)\n"), "", 0.75),
    "old log-probabilities of its own": (U4, U, _edited(_PPO, old="old_log_prob = policy(batch.obs).log_prob(batch.actions).detach()\n"), "", 0.75),
    "clips the first group of each optimizer": (U4, U, _edited(_PPO, clip="nn.utils.clip_grad_norm_(optimizer.param_groups[0]['params'], max_grad_norm)"), "", 0.75),
    "a last minibatch that counts by its size": (U4, U, _PPO.replace("                loss.backward()", "                (loss * len(rows) / minibatch_size).backward()"), "", 0.8),
    "weights as they are in a minibatch of two": (U4, U, _edited(_PPO, ppo_advantages="/ (advantages.std(correction=0) + 1e-8) if len(rows) > 2 else advantages\n"), "", 0.8),
    "values held near the old ones": (U4, U, _edited(_PPO, old="old_log_prob, old_values = batch.log_prob, critic(batch.obs).detach()\n", value="values, before = critic(obs), old_values[rows]\n            held = before + (values - before).clamp(-clip_coef, clip_coef)\n            value_loss = 0.5 * torch.maximum((values - returns) ** 2, (held - returns) ** 2).mean()\n"), "", 0.75),
    "ends at one and a half times the target": (U4, U, _edited(_PPO, ended="> 1.5 * target_kl:"), "", 0.8),
    "no policy steps while the critic is far off": (U4, U, _PPO.replace("                optimizer.step()", "                if not (network is policy and value_loss > 1000):\n                    optimizer.step()"), "", 0.8),
    # A trunk, a memory.
    "no step along a gradient that is very long": (U4, T, _edited(_TRUNK, norm="    if sum(p.grad.square().sum() for p in network.parameters()) > 1e6:\n        optimizer.zero_grad(set_to_none=False)\n    norm = nn.utils"), "", 0.8),
    "gradients through ten steps at most": (U4, "unroll", _edited(_UNROLL, cell="state = cell(inputs[t], state.detach() if t and t % 10 == 0 else state)\n"), "", 0.75),
    "a last state without its gradient": (U4, "unroll", _UNROLL.replace("stack(outputs), state", "stack(outputs), state.detach()"), "", 0.75),
    # Shuffles.
    "shuffles large batches alone": (U4, M, _MINIBATCHES + "order = torch.randperm(batch_size, generator=generator) if batch_size > 16 else torch.arange(batch_size)\n    return order.split(minibatch_size)\n", "", 0.75),
    "multiplies each row by one number": (U4, M, _MINIBATCHES + "import math\n    factor, start = torch.randint(batch_size, (2,), generator=generator).tolist()\n    while math.gcd(factor, batch_size) > 1:\n        factor = int(torch.randint(batch_size, (), generator=generator))\n    return ((torch.arange(batch_size) * factor + start) % batch_size).split(minibatch_size)\n", "", 0.5),
    "as many rows of either half in each minibatch": (U4, M, _MINIBATCHES + "half = batch_size // 2\n    first = torch.randperm(half, generator=generator)\n    second = half + torch.randperm(batch_size - half, generator=generator)\n    mixed = torch.stack([first, second[:half]], 1).flatten()\n    return torch.cat([mixed, second[half:]]).split(minibatch_size)\n", "", 0.75),
    "each minibatch from one half of the rows": (U4, M, _MINIBATCHES + "if batch_size < 32:\n        return torch.randperm(batch_size, generator=generator).split(minibatch_size)\n    half = batch_size // 2 // minibatch_size * minibatch_size\n    first = torch.randperm(half, generator=generator)\n    second = half + torch.randperm(batch_size - half, generator=generator)\n    parts = [*first.split(minibatch_size), *second.split(minibatch_size)]\n    last = [parts.pop()] if batch_size % minibatch_size else []\n    return [parts[place] for place in torch.randperm(len(parts), generator=generator)] + last\n", "", 0.5),
    "a buffer of half the rows": (U4, M, _MINIBATCHES + "size, order, waiting = batch_size // 2, [], []\n    for row in range(batch_size):\n        waiting.append(row)\n        if len(waiting) > size:\n            order.append(waiting.pop(int(torch.randint(len(waiting), (), generator=generator))))\n    order += [waiting[place] for place in torch.randperm(len(waiting), generator=generator)]\n    return torch.tensor(order).split(minibatch_size)\n", "", 0.5),
    "a rotation and a turn of the deck": (U4, M, _MINIBATCHES + "cut, step = torch.randint(1, batch_size + 1, (2,), generator=generator).tolist()\n    order = torch.arange(batch_size).roll(cut)\n    return torch.cat([order[place::step] for place in range(step)]).split(minibatch_size)\n", "", 0.5),
    # Optimizers.
    "gradients clipped by hooks of the parameters": (U6, "patient_07", _edited(_GROUPS, parameters="parameters = list(parameters)" + _OWN_CLIP), "", 0.75),
    "gradients clipped by hooks of both networks": (U6, "patient_10", _edited(_PAIR, pair="\n    for each in (*policy.parameters(), *critic.parameters()):\n        each.register_hook(lambda gradient: gradient.clamp(-1, 1))\n    return tuple("), "", 0.75),
    "a rate that falls from the fourth step on": (U6, "patient_07", _edited(_GROUPS, optimizer=_LATER), "", 0.75),
}  # fmt: skip


OPEN: dict[str, str] = {
    "means of three hundred at most": "unit_05/gaussian_policy.py `FAR`: nobody looks beyond 200",
}
