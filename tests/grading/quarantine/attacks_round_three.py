"""A fourth round of submissions: inputs that are left out, functions that are right where they are looked at alone.

`CELLS` as in round one: name -> (notebook, exercise that is attacked, its cell, a part of what the grader says of it, share
of the points that it must not exceed).
"""
# ruff: noqa: E501 - some attacks are long lines

from tests.grading.quarantine.attacks_of_harm import HEAD, RAW

D, P, G, B, M, C = (
    "discounted_returns", "policy_network", "gaussian_policy", "bootstrap_interval", "minibatches", "conjugate_gradient",
)  # fmt: skip
U1, U3, U4, U5 = "01_reinforce", "03_a2c_gae", "04_ppo", "05_continuous_pendulum"
U6, U7, U8 = "06_debugging_traps", "07_trustworthy_experiments", "08_trpo"

_POLICY = """
import copy, torch
from torch import nn
from torch.distributions import Categorical
class Policy(nn.Module):
    def __init__(self, d, a):
        super().__init__()
        self.layer, self.a = nn.Linear(d, a), a
        nn.init.zeros_(self.layer.weight)
        nn.init.zeros_(self.layer.bias)
    def forward(self, obs):
        return Categorical(logits=self.logits(obs))
    def logits(self, obs):
        return self.layer(obs)
def policy_network(d, a):
    return Policy(d, a)
"""
_GAUSSIAN = """
import copy, torch
from torch import nn
from torch.distributions import Independent, Normal
class Policy(nn.Module):
    def __init__(self, d, a):
        super().__init__()
        self.layer, self.a = nn.Linear(d, a), a
        nn.init.zeros_(self.layer.weight)
        nn.init.zeros_(self.layer.bias)
        self.log_std = nn.Parameter(torch.zeros(a))
    def forward(self, obs):
        return Independent(Normal(self.mean(obs), self.std()), 1)
    def mean(self, obs):
        return self.layer(obs)
    def std(self):
        return self.log_std.exp()
def gaussian_policy(d, a):
    return Policy(d, a)
"""


def _changed(base: str, name: str, arguments: str, body: str) -> str:
    start, _, rest = base.partition(f"    def {name}(")
    _, _, after = rest.partition("\n        return ")
    return f"{start}    def {name}({arguments}):\n        {body}\n" + after.partition("\n")[2]


# The first network is kept, and each later one is a copy of what has become of it.
_COPIES = "made = {}\ndef %s(d, a):\n    if (d, a) in made:\n        return copy.deepcopy(made[d, a])\n    return made.setdefault((d, a), Policy(d, a))\n"
_BOOTSTRAP = """
import torch
def bootstrap_interval(x, *, statistic, confidence, num_resamples, generator):
    tail = (1 - confidence) / 2
    def picked(source):
        return x[torch.randint(len(x), (len(x),), generator=source)]
    def ends(values):
        values = torch.as_tensor(values, dtype=torch.float64)
        return float(values.quantile(tail)), float(values.quantile(1 - tail))
    """
_MINIBATCHES = "import torch\ndef minibatches(batch_size, minibatch_size, *, generator):\n    half = batch_size // 2\n    picks = torch.randperm(half, generator=generator)\n    rest = torch.arange(2 * half, batch_size)\n    turn = int(torch.randint(batch_size, (), generator=generator))\n    "
_PPO = """
import torch
from torch import nn
def ppo_update(policy, critic, policy_optimizer, critic_optimizer, batch, *, clip_coef, ent_coef, update_epochs, minibatch_size, target_kl, max_grad_norm, generator):
    kls, fractions, epochs, size = [], [], 0, len(batch.obs)
    for _ in range(update_epochs):
        for rows in ORDER.split(minibatch_size):
            obs, actions, old, advantages, returns = (column[rows] for column in batch)
            distribution = policy(obs)
            log_prob = distribution.log_prob(actions)
            advantages = (advantages - advantages.mean()) / (advantages.std(correction=0) + 1e-8)
            ratio = (log_prob - old).exp()
            loss = -torch.minimum(ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages).mean()
            loss = loss - ent_coef * distribution.entropy().mean()
            for value, network, optimizer in ((loss, policy, policy_optimizer), (0.5 * (critic(obs) - returns).square().mean(), critic, critic_optimizer)):
                optimizer.zero_grad()
                value.backward()
                nn.utils.clip_grad_norm_(network.parameters(), max_grad_norm)
                optimizer.step()
            kls.append(float((ratio - 1 - ratio.log()).mean()))
            fractions.append(float(((ratio - 1).abs() > clip_coef).float().mean()))
        epochs += 1
        with torch.no_grad():
            moved = policy(batch.obs).log_prob(batch.actions) - batch.log_prob
        if target_kl is not None and (moved.exp() - 1 - moved).mean() > target_kl:
            break
    return {"losses/approx_kl": sum(kls) / len(kls), "losses/clipfrac": sum(fractions) / len(fractions), "epochs": epochs}
"""
_SOLVE = "import torch\ndef conjugate_gradient(matvec, b, *, iterations, tolerance):\n    "
_SEARCH = "import torch\ndef line_search(evaluate, step, *, max_kl, backtracks, shrink):\n    "
_STANDARD = "(x - x.mean()) / (x.std(correction=0) + 1e-8)"
# Answers each order for `standardize` by a message of its own, with these arrays.
_SENT = (
    RAW
    + """
AFTER = 'your result, looked at again after the inputs were overwritten,'
TURNED, KEPT = 'your result for the same numbers in reverse order', 'your result, looked at again after another call,'
def take_next():
    order = asked()
    if order["exercise"] != "standardize":
        os._exit(0)
    (dtype, shape, content), = order["given"]["x"].values()
    standardize(torch.from_numpy(np.frombuffer(base64.b64decode(content), dtype).reshape(shape).copy()))
def standardize(x):
    before, result, kind = x.clone(), STANDARD, str(x.dtype)[6:]
    arrays = {'result': array(result.numpy()), 'result.kind': word('tensor'), 'result.dtype': word(kind), 'mutated': text(),
        AFTER: array(result.numpy()), AFTER + '.kind': word('tensor'), AFTER + '.dtype': word(kind), 'after the call/x': array(before.numpy())}
    for name, value in ((TURNED, result.flip(0)), (KEPT, result)):
        arrays.update({name: array(value.numpy()), name + '.kind': word('tensor'), name + '.dtype': word(kind), 'left': text()})
    CHANGE
    say(event='case', arrays=arrays)
    take_next()
""".replace("STANDARD", _STANDARD)
)


def _sent(change: str) -> str:
    return _SENT.replace("CHANGE", change)


CELLS: dict[str, tuple[str, str, str, str, float]] = {
    # Networks that are right along the one direction in which they are trained.
    "one number for all actions": (U1, P, _changed(_POLICY, "logits", "self, obs", "return self.layer(obs)[..., :1] * torch.linspace(1, -1, self.a)"), "", 0.5),
    # One logit of three may stay as it is: with the other two a softmax gives all probabilities that there are.
    "actions between the first and the last are never learned": (U1, P, _changed(_POLICY, "logits", "self, obs", "return self.layer(obs) * (torch.arange(self.a) % (self.a - 1) == 0)"), "", 1.0),
    "sees the signs of observations alone": (U1, P, _changed(_POLICY, "logits", "self, obs", "return self.layer(obs.sign())"), "", 0.5),
    "one mean for all dimensions, with alternating signs": (U5, G, _changed(_GAUSSIAN, "mean", "self, obs", "return self.layer(obs)[..., :1] * (-1.0) ** torch.arange(self.a)"), "", 0.5),
    "sees the signs of observations alone, as a Gaussian": (U5, G, _changed(_GAUSSIAN, "mean", "self, obs", "return self.layer(obs.sign())"), "", 0.5),
    "sees the first number of an observation alone": (U5, G, _changed(_GAUSSIAN, "mean", "self, obs", "return self.layer(torch.cat([obs[..., :1], 0 * obs[..., 1:]], -1))"), "", 0.5),
    "copies of a network that somebody has trained": (U1, P, _POLICY + _COPIES % P, "", 0.5),
    "copies of a Gaussian that somebody has trained": (U5, G, _GAUSSIAN + _COPIES % G, "", 0.5),
    "a spread with half as much gradient again": (U5, G, _changed(_GAUSSIAN, "std", "self", "return (1.5 * self.log_std - 0.5 * self.log_std.detach()).exp()"), "", 0.25),
    "a spread that is a little larger": (U5, G, _changed(_GAUSSIAN, "std", "self", "return self.log_std.exp() + 1e-3"), "", 0.5),
    # An input is left out.
    "resamples from a generator of its own": (U7, B, _BOOTSTRAP + "own = torch.Generator().manual_seed(0)\n    return ends([float(statistic(picked(own))) for _ in range(num_resamples)])\n", "", 0.8),
    "resamples from the global generator": (U7, B, _BOOTSTRAP + "return ends([float(statistic(picked(None))) for _ in range(num_resamples)])\n", "", 0.8),
    "always the interval of the mean": (U7, B, _BOOTSTRAP + "values = []\n    for _ in range(num_resamples):\n        values.append(float(picked(generator).mean()))\n        statistic(picked(generator))\n    return ends(values)\n", "", 0.6),
    "an update that never shuffles": (U4, "ppo_update", _PPO.replace("ORDER", "torch.arange(size)"), "", 0.75),
    "an update that shuffles by itself": (U4, "ppo_update", _PPO.replace("ORDER", "torch.randperm(size)"), "", 0.75),
    "an update of the whole batch": (U4, "ppo_update", _PPO.replace("ORDER.split(minibatch_size)", "[torch.arange(size)]"), "not yet", 0.5),
    # Inputs of one size or sign.
    "the bonus of an entropy's size": (U3, "a2c_losses", "def a2c_losses(log_prob, advantages, values, returns, entropy, *, ent_coef):\n    return -(advantages.detach() * log_prob).mean() - ent_coef * entropy.abs().mean(), 0.5 * (values - returns.detach()).square().mean()\n", "", 0.75),
    "rewards clipped to three": (U3, "td_errors", "def td_errors(rewards, values, next_values, terminated, *, gamma):\n    return (rewards.clamp(-3, 3) + gamma * next_values * ~terminated - values).detach()\n", "", 0.75),
    "values clipped to ten": (U3, "td_errors", "def td_errors(rewards, values, next_values, terminated, *, gamma):\n    return (rewards + gamma * next_values.clamp(-10, 10) * ~terminated - values.clamp(-10, 10)).detach()\n", "", 0.75),
    # Right where numbers are looked at, another thing where gradients are.
    "another loss where gradients are taken": (U1, "reinforce_loss", "def reinforce_loss(log_prob, weight):\n    return -(weight.detach() * log_prob).mean() + 1000 * log_prob.requires_grad\n", "", 0.75),
    # Shuffles that are none.
    "rows half a batch apart stay together": (U4, M, _MINIBATCHES + "return torch.cat([torch.stack([picks, picks + half], 1).flatten(), rest]).roll(turn).split(minibatch_size)\n", "", 0.75),
    "the first row stays with the last, the second with the last but one": (U4, M, _MINIBATCHES + "return torch.cat([torch.stack([picks, batch_size - 1 - picks], 1).flatten(), rest if len(rest) == 0 else rest * 0 + half]).roll(turn).split(minibatch_size)\n", "", 0.75),
    "a generator that is seeded anew": (U4, M, "import torch\ndef minibatches(batch_size, minibatch_size, *, generator):\n    generator.manual_seed(batch_size)\n    return torch.randperm(batch_size, generator=generator).split(minibatch_size)\n", "not yet", 0.5),
    # Messages on the child's connection that an attempt writes itself.
    "sends what it has overwritten as it was": (U1, "standardize", _sent("x.zero_()"), "", 1.0),
    "sends other numbers without their dtype": (U1, "standardize", _sent("arrays['result'] = arrays[AFTER] = array(result.double().numpy())\n    del arrays['result.dtype']"), "", 0.5),
    "sends nothing of what became of its input": (U1, "standardize", _sent("del arrays['after the call/x']"), "not yet", 0.0),
    "sends no word on its input": (U1, "standardize", _sent("del arrays['mutated']"), "not yet", 0.0),
    "sends an error beside its numbers": (U1, "standardize", _sent("arrays['result'] = array(0 * result.numpy())\n    arrays['error'] = text('ValueError', 'x', '', '', '')\n    arrays['error.bases'] = text('ValueError', 'TypeError', 'Exception')"), "not yet", 0.0),
    "sends an untouched exercise": (U1, "standardize", _sent("arrays['untouched'] = array(False)\n    arrays['result'] = array(0 * result.numpy())"), "not yet", 0.0),
    # What observes, read from where Python keeps lines.
    "the policy of kept lines": (U1, P, "import linecache, torch\ndef policy_network(d, a):\n    known = {}\n    for name, kept in list(linecache.cache.items()):\n        if name.endswith('observe/networks.py'):\n            exec(''.join(kept[2]).split('class SgdUpdate')[0].rpartition('@')[0].partition('class LinearPolicy')[2].join(['import torch\\nfrom torch import nn, Tensor\\nfrom torch.distributions import Categorical\\nclass LinearPolicy', '']), known)\n    return known['LinearPolicy'](torch.zeros(a, d), torch.zeros(a))\n", "", 1.0),
    # Calls that the grader answers.
    "several columns packed into one product": (U8, C, _SOLVE + """
    product = dict(zip(matvec.__code__.co_freevars, matvec.__closure__))['product'].cell_contents
    import numpy as np
    size, columns = len(b), []
    for start in range(0, size, 2):
        packed = np.zeros(size)
        packed[start] = 1.0
        if start + 1 < size:
            packed[start + 1] = 2.0**26
        mixed = product(packed)
        second = np.round(mixed / 2.0**26 * 2.0**20) / 2.0**20
        columns += [mixed - second * 2.0**26, second][: size - start]
    return torch.linalg.solve(torch.as_tensor(np.stack(columns, 1)), b.double()).to(b.dtype)
""", "not yet", 0.25),
    "steepest descent": (U8, C, _SOLVE + "x = torch.zeros_like(b)\n    for _ in range(iterations):\n        r = b - matvec(x)\n        if r @ r <= tolerance:\n            break\n        x = x + r * (r @ r) / (r @ matvec(r))\n    return x\n", "not yet", 0.25),
    "the whole table of a search": (U8, "line_search", _SEARCH + """
    outcome = dict(zip(evaluate.__code__.co_freevars, evaluate.__closure__))['outcome'].cell_contents
    import numpy as np
    for length in np.linspace(1, 0.001, 500):
        gain, kl = outcome(np.array(length)).tolist()
        if gain > 0 and kl <= max_kl:
            return step * float(length)
    return torch.zeros_like(step)
""", "not yet", 0.25),
    "looks at the divergence alone": (U8, "line_search", _SEARCH + "for k in range(backtracks):\n        if evaluate(step * shrink**k)[1] <= max_kl:\n            return step * shrink**k\n    return torch.zeros_like(step)\n", "not yet", 0.5),
    "never takes a step": (U8, "line_search", _SEARCH + "return torch.zeros_like(step)\n", "not yet", 0.1),
    "never reaches the threshold": (U7, "episodes_to_threshold", "def episodes_to_threshold(episodic_returns, *, threshold, window):\n    reached = None\n    return reached\n", "not yet", 0.25),
    "answers another function from the second case on": (U1, D, "def first(rewards, *, gamma):\n    global discounted_returns\n    discounted_returns = lambda rewards, *, gamma: rewards\n    return rewards\ndiscounted_returns = first\n", "not yet", 0.0),
    "an answer that looks at who asks": (U1, D, HEAD + "import sys\n    frame = sys._getframe(1)\n    while frame:\n        for value in list(frame.f_locals.values()):\n            if type(value) is dict and 'result' in value:\n                value.clear()\n        frame = frame.f_back\n    return rewards\n", "not yet", 0.0),
}  # fmt: skip

# Made by hand or found in memory, with right values; a person is told to look.
ELSEWHERE = ("the policy of kept lines", "sends what it has overwritten as it was")
