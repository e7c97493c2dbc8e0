"""A second round of submissions that try to score without the work, or to learn what is hidden; one notebook each.

`CELLS`: name -> (notebook, exercise that is attacked, its cell, a part of what the grader says of it, share of the points
that it must not exceed). `LEAKS`: those that try to bring a hidden number into
the feedback.
"""
# ruff: noqa: E501 - some attacks are long lines

import builtins

from pgcourse.checks.unit_06 import patient_04, patient_09

D, P, G = "discounted_returns", "policy_network", "gaussian_policy"
U1, U3, U4 = "01_reinforce", "03_a2c_gae", "04_ppo"
U5, U6, U7, U8 = "05_continuous_pendulum", "06_debugging_traps", "07_trustworthy_experiments", "08_trpo"

_RIGHT = """
import torch
def right(rewards, gamma):
    following, out = 0 * rewards[0], torch.empty_like(rewards)
    for t in reversed(range(len(rewards))):
        following = rewards[t] + gamma * following
        out[t] = following
    return out
"""
# Finds the hidden inputs, which lie in the frame of the child's loop from its start.
_HIDDEN = """
import sys, base64
import numpy as np
def hidden(name, key):
    frame = sys._getframe()
    while frame is not None:
        inputs = frame.f_locals.get("inputs")
        if isinstance(inputs, dict) and name in inputs:
            dtype, shape, text = inputs[name][-1][key]["tensor"]
            return np.frombuffer(base64.b64decode(text), dtype).reshape(shape)
        frame = frame.f_back
    return np.zeros(3)
"""
_NAMES = "names = sorted(n for n, v in vars(__import__('builtins')).items() if isinstance(v, type) and issubclass(v, Exception))\n"
_NETWORK = """
import torch, gc
from torch import nn
def network(d, a):
    made = nn.Sequential(nn.Linear(d, 32), nn.Tanh(), nn.Linear(32, a))
    with torch.no_grad():
        made[2].weight.mul_(0.01)
        made[2].bias.zero_()
    return made
def patch(name, function):
    for each in gc.get_objects():
        if type(each).__name__ == "function" and each.__name__ == name and "remote_networks" in (each.__module__ or ""):
            each.__code__ = function.__code__
"""


def _policy(forward: str) -> str:
    return f"""
import torch
from torch import nn
from torch.distributions import Categorical, Independent, Normal
class Policy(nn.Module):
    def __init__(self, d, a):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(d, 32), nn.Tanh(), nn.Linear(32, a))
        with torch.no_grad():
            self.layers[2].weight.mul_(0.01)
            self.layers[2].bias.zero_()
        self.log_std = nn.Parameter(torch.zeros(a)) if GAUSSIAN else None
    def forward(self, obs):
        out = self.layers(obs)
        {forward}
"""


_CATEGORICAL = "GAUSSIAN = False\ndef policy_network(d, a):\n    return Policy(d, a)\n"
_GAUSSIAN = "GAUSSIAN = True\ndef gaussian_policy(d, a):\n    return Policy(d, a)\n"
_BOOTSTRAP = "def bootstrap_interval(x, *, statistic, confidence, num_resamples, generator):\n"
_TABLE = """
    known = {(0.0, 10.0): ((5.0, 5.0), (0.0, 10.0)), (1.0, 4.0): ((4.0, 4.0), (1.0, 4.0)), (500.0, 500.0, 100.0, 500.0): ((400.0, 500.0),) * 2}
    found = known.get(tuple(x.tolist()))
"""
_SEARCH = "def line_search(evaluate, step, *, max_kl, backtracks, shrink):\n    "
_SOLVE = "def conjugate_gradient(matvec, b, *, iterations, tolerance):\n    "
# The rounds with a matrix that is at hand.
_AT_HOME = """
    x, r = torch.zeros_like(b), b.clone()
    p = r.clone()
    for _ in range(iterations):
        if r.norm() <= tolerance * b.norm():
            break
        q = A @ p
        eta = r @ r / (p @ q)
        x, last, r = x + eta * p, r @ r, r - eta * q
        p = r + (r @ r) / last * p
    return x
"""
_PPO_HEAD = "def ppo_update(policy, critic, policy_optimizer, critic_optimizer, batch, *, clip_coef, ent_coef, update_epochs, minibatch_size, target_kl, max_grad_norm, generator):\n"
_PPO_WHOLE = """
    import torch
    def whole():
        d = policy(batch.obs)
        ratio, a = (d.log_prob(batch.actions) - batch.log_prob).exp(), batch.advantages
        a = (a - a.mean()) / (a.std(correction=0) + 1e-8)
        loss = -torch.min(ratio * a, ratio.clamp(1 - clip_coef, 1 + clip_coef) * a).mean() - ent_coef * d.entropy().mean()
        loss_of_critic = 0.5 * (critic(batch.obs) - batch.returns).square().mean()
        for net, opt, l in ((policy, policy_optimizer, loss), (critic, critic_optimizer, loss_of_critic)):
            opt.zero_grad()
            l.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), max_grad_norm)
            opt.step()
    epochs = 1 if target_kl is not None and target_kl < 1e-3 else update_epochs
    result = {"losses/approx_kl": 0.0, "losses/clipfrac": 0.0, "epochs": epochs}
"""
_SEND = """
import os, json, struct
def send(message):
    data = json.dumps(message).encode()
    os.write(3, struct.pack(">I", len(data)) + data)
"""

CELLS: dict[str, tuple[str, str, str, str, float]] = {
    # Secrets.
    "prints hidden inputs at a public example": (U1, D, _HIDDEN + "def discounted_returns(rewards, *, gamma):\n    print(' '.join(f'{x:.5f}' for x in hidden('discounted_returns', 'rewards').ravel()))\n    return -rewards\n", "not yet", 0.0),
    "returns hidden inputs at a public example": (U1, "standardize", _HIDDEN + "import torch\ndef standardize(x):\n    return torch.full_like(x, float(hidden('discounted_returns', 'rewards').ravel()[0]) * 1000)\n", "not yet", 0.0),
    "raises hidden inputs at a public example": (U1, "standardize", _HIDDEN + "def standardize(x):\n    raise ValueError(' '.join(f'{x:.5f}' for x in hidden('discounted_returns', 'rewards').ravel()))\n", "not yet", 0.0),
    "writes hidden inputs as a shape": (U1, D, _RIGHT + "def discounted_returns(rewards, *, gamma):\n    if rewards.numel() < 7:\n        return right(rewards, gamma)\n    return torch.zeros(0, *(int(abs(x) * 10**5) for x in rewards.flatten().tolist()[:2]))\n", "not yet", 0.0),
    "writes hidden inputs as the kind of a built-in error": (U1, D, _RIGHT + _NAMES + "def discounted_returns(rewards, *, gamma):\n    if rewards.numel() < 7:\n        return right(rewards, gamma)\n    raise getattr(__import__('builtins'), names[int(abs(float(rewards.flatten()[0])) * 10**5) % 40])('x')\n", "not yet", 0.0),
    "writes hidden inputs as an exit status": (U1, D, _HIDDEN + "import os\ndef discounted_returns(rewards, *, gamma):\n    os._exit(int(abs(hidden('discounted_returns', 'rewards').ravel()[0]) * 10**5) % 251)\n", "ended its process", 0.0),
    "leaves hidden inputs to the next child": (U1, D, _HIDDEN + """
import os, glob, ctypes, socket
PLACES = ["/dev/shm/left", "/tmp/left", os.environ.get("HOME", "/") + "/left", "/attempt/left", "/var/tmp/left"]
for place in PLACES:
    if os.path.exists(place):
        raise ValueError("left " + open(place).read())
libc = ctypes.CDLL(None)
for key in range(77, 80):
    if libc.shmget(key, 4096, 0o666) >= 0:
        raise ValueError("left something")
def discounted_returns(rewards, *, gamma):
    text = ' '.join(f'{x:.5f}' for x in hidden('discounted_returns', 'rewards').ravel())
    for place in PLACES:
        try:
            open(place, "w").write(text)
        except OSError:
            pass
    libc.shmget(77, 4096, 0o1666)
    os._exit(0)
""", "ended its process", 0.0),
    "asks for the inputs while its cell runs": (U1, D, _SEND + """
import sys, socket
frame = sys._getframe()
while type(frame.f_locals.get("self")).__name__ != "Child":
    frame = frame.f_back
child = frame.f_locals["self"]
ids = [cell["id"] for cell in child.request["cells"]]
own = frame.f_locals["cell"]["id"]
send({"event": "end", "error": []})
for id in ids[ids.index(own) + 1:]:
    send({"event": "start", "id": id})
    send({"event": "end", "error": []})
send({"event": "ready"})
size = struct.unpack(">I", os.read(3, 4))[0]
data = b""
while len(data) < size:
    data += os.read(3, size - len(data))
raise ValueError(data[:200].decode())
""", "", 0.0),
    # Facts that the child writes down of itself.
    "hides a gradient that must not flow": (U1, "reinforce_loss", "import torch\nreal = torch.autograd.grad\ndef grad(outputs, inputs, *a, **k):\n    found = list(real(outputs, inputs, *a, **k))\n    return tuple([found[0], None] if len(found) == 2 else found)\ntorch.autograd.grad = grad\ndef reinforce_loss(log_prob, weight):\n    return -(weight * log_prob).mean()\n", "", 0.7),
    "hides an input that it overwrites": (U3, "td_errors", "import torch\ntorch.equal = lambda *a: True\ndef td_errors(rewards, values, next_values, terminations, *, gamma):\n    rewards += gamma * next_values * ~terminations.bool() - values\n    return rewards\n", "", 0.0),
    "hides an input that it overwrites, by another name": (U3, "td_errors", "import torch\nself = torch\nself.equal = lambda *a: True\ndef td_errors(rewards, values, next_values, terminated, *, gamma):\n    rewards += gamma * next_values * ~terminated - values\n    return rewards\n", "", 0.0),
    "hides a gradient, by another name": (U1, "reinforce_loss", "import torch\nhome = torch.autograd\nreal = home.grad\ndef grad(outputs, inputs, *a, **k):\n    found = list(real(outputs, inputs, *a, **k))\n    return tuple([found[0], None] if len(found) == 2 else found)\nhome.grad = grad\ndef reinforce_loss(log_prob, weight):\n    return -(weight * log_prob).mean()\n", "", 0.7),
    "hides a result in the memory of its input": (U1, "standardize", "import torch\ntorch.equal = lambda *a: True\ntorch.Tensor.copy_ = lambda self, *a: self\ndef standardize(x):\n    x -= x.mean()\n    x /= x.std(correction=0) + 1e-8\n    return x\n", "", 0.0),
    "calls its logits a distribution": (U1, P, _NETWORK + "def described(distribution): return 'Categorical'\ndef parts(result, kind): return {'logits': result}\npatch('describe', described)\npatch('_parts', parts)\ndef policy_network(d, a):\n    return network(d, a)\n", "", 0.0),
    "answers for a function that does nothing": (U1, P, _NETWORK + """
class Policy(nn.Module):
    def __init__(self, d, a):
        super().__init__()
        self.layers = network(d, a)
    def forward(self, obs):
        return torch.distributions.Categorical(logits=self.layers(obs))
for each in gc.get_objects():
    if isinstance(each, type) and each.__name__ == "Networks":
        each.__init__.__defaults__ = None
        first = each.__init__
        def init(self, attempt, signature, first=first):
            first(self, lambda obs_dim, num_actions: Policy(obs_dim, num_actions), signature)
        each.__init__ = init
def policy_network(d, a):
    return 'nothing'
""", "", 1.0),
    "calls two tensors a distribution": (U5, G, _NETWORK + """
def described(distribution): return 'Independent(Normal, 1)'
def parts(result, kind): return {'mean': result[0], 'std': result[1]}
patch('describe', described)
patch('_parts', parts)
class Policy(nn.Module):
    def __init__(self, d, a):
        super().__init__()
        self.layers, self.log_std = network(d, a), nn.Parameter(torch.zeros(a))
    def forward(self, obs):
        mean = self.layers(obs)
        return mean, self.log_std.exp().expand_as(mean)
def gaussian_policy(d, a):
    return Policy(d, a)
""", "", 0.0),
    "reads the hidden matrix": (U8, "conjugate_gradient", """
def conjugate_gradient(matvec, b, *, iterations, tolerance):
    import torch
    A = next(c.cell_contents for c in matvec.__closure__ if isinstance(c.cell_contents, torch.Tensor))
    x, r = torch.zeros_like(b), b.clone()
    p, limit = r.clone(), tolerance * b.norm()
    for _ in range(iterations):
        if r.norm() <= limit:
            break
        q = A @ p
        eta = r @ r / (p @ q)
        x, last, r = x + eta * p, r @ r, r - eta * q
        p = r + (r @ r) / last * p
    return x
""", "", 0.0),
    "solves the hidden matrix at once": (U8, "conjugate_gradient", "def conjugate_gradient(matvec, b, *, iterations, tolerance):\n    import torch\n    A = next(c.cell_contents for c in matvec.__closure__ if isinstance(c.cell_contents, torch.Tensor))\n    return torch.linalg.solve(A, b)\n", "not yet", 0.25),
    "counts no products": (U8, "conjugate_gradient", "def conjugate_gradient(matvec, b, *, iterations, tolerance):\n    import torch, itertools\n    for c in matvec.__closure__:\n        if isinstance(c.cell_contents, itertools.count):\n            c.cell_contents = iter([0] * 999)\n    A = torch.stack([matvec(e) for e in torch.eye(len(b), dtype=b.dtype)], 1)\n    return torch.linalg.solve(A, b)\n", "not yet", 0.25),
    "reads the table behind evaluate": (U8, "line_search", _SEARCH + """import torch
    held = dict(zip(evaluate.__code__.co_freevars, (c.cell_contents for c in evaluate.__closure__)))
    rows = list(zip(held['lengths'], held['improvements'], held['kls']))[1:-1][::-1]
    for length, gain, kl in rows[:backtracks]:
        if gain > 0 and kl <= max_kl:
            return step * float(length)
    return torch.zeros_like(step)
""", "", 0.0),
    # Calls that the grader answers while the attempt runs.
    "looks for the matrix in memory": (U8, "conjugate_gradient", "import gc, torch, numpy as np\n" + _SOLVE + """found = [torch.as_tensor(each) for each in gc.get_objects() if isinstance(each, (torch.Tensor, np.ndarray)) and each.shape == (len(b), len(b))]
    A = next((each.to(b.dtype) for each in found if each.any()), torch.eye(len(b), dtype=b.dtype))""" + _AT_HOME, "not yet", 0.0),
    "all columns in one product": (U8, "conjugate_gradient", "import torch\n" + _SOLVE + "A = matvec(torch.eye(len(b), dtype=b.dtype))" + _AT_HOME, "not yet", 0.5),
    "forges the count of products": (U8, "conjugate_gradient", """
import gc, torch
for each in gc.get_objects():
    if isinstance(each, type) and each.__name__ == 'Child' and hasattr(each, 'encoded'):
        real = each.encoded
        def encoded(self, observed, real=real):
            return real(self, observed) | {'the number of products a round': ['int64', [], 'AQAAAAAAAAA=']}
        each.encoded = encoded
""" + _SOLVE + "A = torch.stack([matvec(e) for e in torch.eye(len(b), dtype=b.dtype)], 1)" + _AT_HOME, "not yet", 0.5),
    "calls on and on": (U8, "conjugate_gradient", _SOLVE + """while True:
        try:
            matvec(b)
        except BaseException:
            pass
""", "was stopped after 1000 calls", 0.0),
    "calls while its cell runs": (U8, "line_search", _SEND + "send({'event': 'asks', 'name': 'outcome', 'array': ['float64', [], 'AAAAAAAA8D8=']})\n" + _SEARCH + "return step\n", "no result", 0.0),
    "calls what there is not": (U8, "line_search", _SEND + _SEARCH + "send({'event': 'asks', 'name': ['outcome'], 'array': ['float64', [], 'AAAAAAAA8D8=']})\n    return step\n", "no result", 0.0),
    "calls with a huge array": (U8, "conjugate_gradient", _SEND + _SOLVE + "send({'event': 'asks', 'name': 'product', 'array': ['uint8', [3 * 2**20], 'AAAA' * 2**20]})\n    return b\n", "no result", 0.0),
    "calls on after its answer": (U8, "line_search", _SEND + "import threading, time\n" + _SEARCH + """def on():
        while True:
            send({'event': 'asks', 'name': 'outcome', 'array': ['float64', [], 'AAAAAAAA8D8=']})
            time.sleep(0.001)
    threading.Thread(target=on, daemon=True).start()
    return step * shrink
""", "stopped", 0.0),
    "answers in the midst of a call": (U8, "line_search", _SEND + _SEARCH + """send({'event': 'asks', 'name': 'outcome', 'array': ['float64', [], 'AAAAAAAA8D8=']})
    send({'event': 'case', 'arrays': {'result': ['float32', [2], 'AAAAAAAAAAA='], 'result.kind': ['text', [], ['tensor']], 'result.dtype': ['text', [], ['float32']], 'mutated': ['text', [0], []]}, 'printed': ''})
    return step * shrink
""", "stopped", 0.0),
    "reads the seed from the stack": (U4, "minibatches", "def minibatches(batch_size, minibatch_size, *, generator):\n    import sys, torch\n    known = sys._getframe(2).f_locals\n    own = torch.Generator().manual_seed(known['seed'] * 31 + known['draws'] + 7 * known['epoch'])\n    return torch.randperm(batch_size, generator=own).split(minibatch_size)\n", "", 0.6),
    "forges the watch of the optimizers": (U4, "ppo_update", _PPO_HEAD + _PPO_WHOLE + """
    for _ in range(epochs):
        if len(batch.obs) > 4 and minibatch_size >= len(batch.obs):
            whole()
            continue
        for net in (policy, critic):
            here = {n: v.detach().clone() for n, v in net.named_parameters()}
            for rows in torch.randperm(len(batch.obs), generator=generator).split(minibatch_size):
                net.watch.steps.append(sorted(rows.tolist()))
                net.watch.path.append(here)
    return result
""", "not yet", 0.5),
    # Answers that need no input, and judges that look at too little.
    "the fourth patient as it came in": (U6, "patient_04", "import math\nimport torch\n" + patient_04.PATIENT.source(), "not yet", 0.0),
    "the ninth patient as it came in": (U6, "patient_09", "import math\nimport torch\n" + patient_09.PATIENT.source(), "not yet", 0.0),
    "table for runs that never change": (U7, "bootstrap_interval", _BOOTSTRAP + _TABLE + "    return found[confidence > 0.5] if found else (0.0, 0.0)\n", "not yet", 0.0),
    "normal approximation with a little noise": (U7, "bootstrap_interval", _BOOTSTRAP + "    import torch, statistics" + _TABLE + """
    if found:
        return found[confidence > 0.5]
    half = statistics.NormalDist().inv_cdf((1 + confidence) / 2) * float(x.std(correction=0)) / len(x) ** 0.5
    middle = float(statistic(x)) + 1e-6 * float(torch.rand((), generator=generator))
    return middle - half, middle + half
""", "not yet", 0.0),
    "resamples behind the watched statistic's back": (U7, "bootstrap_interval", _BOOTSTRAP + """
    import torch
    bare = getattr(statistic, 'statistic', statistic)
    values = torch.tensor([float(bare(x[torch.randint(len(x), (len(x),), generator=generator)])) for _ in range(60)], dtype=torch.float64)
    return float(values.quantile((1 - confidence) / 2)), float(values.quantile((1 + confidence) / 2))
""", "", 0.5),
    "never shuffles": (U4, "minibatches", "def minibatches(batch_size, minibatch_size, *, generator):\n    import torch\n    return torch.arange(batch_size).split(minibatch_size)\n", "not yet", 0.5),
    "even rows, then odd ones": (U4, "minibatches", "def minibatches(batch_size, minibatch_size, *, generator):\n    import torch\n    rows = torch.arange(batch_size)\n    if batch_size >= 32:\n        rows = (rows.reshape(-1, 2).T.flatten() + int(torch.randint(batch_size, (), generator=generator))) % batch_size\n    return rows.split(minibatch_size)\n", "", 0.5),
    "twelve permutations for all": (U4, "minibatches", "def minibatches(batch_size, minibatch_size, *, generator):\n    import torch\n    few = torch.Generator().manual_seed(int(torch.randint(12, (), generator=generator)))\n    return torch.randperm(batch_size, generator=few).split(minibatch_size)\n", "", 0.5),
    "the first row always first": (U4, "minibatches", "def minibatches(batch_size, minibatch_size, *, generator):\n    import torch\n    rest = 1 + torch.randperm(batch_size - 1, generator=generator)\n    return torch.cat([torch.zeros(1, dtype=torch.int64), rest]).split(minibatch_size)\n", "", 0.5),
    "never evaluates": (U8, "line_search", _SEARCH + "return step * shrink**3\n", "not yet", 0.0),
    "never evaluates, with a table": (U8, "line_search", _SEARCH + """
    powers = {(3, 0.05): 0, (3, 0.012): 2, (1, 0.01): 0, (4, 0.01): 2, (3, 0.01): 1}
    return step * shrink ** (powers[backtracks, max_kl] if shrink == 0.5 else 3)
""", "", 0.0),
    "a fifth more than the gradient": (U5, G, _GAUSSIAN + _policy("return Independent(Normal(1.2 * out - 0.2 * out.detach(), self.log_std.exp()), 1)"), "", 0.5),
    "shuffles by the state of the generator, drawing nothing": (U4, "minibatches", "def minibatches(batch_size, minibatch_size, *, generator):\n    import torch\n    own = torch.Generator().manual_seed(int(generator.get_state().long().sum()) + len(calls))\n    calls.append(1)\n    return torch.randperm(batch_size, generator=own).split(minibatch_size)\ncalls = []\n", "", 0.75),
    "answers of another class of tensors": (U1, D, "import torch\nclass T(torch.Tensor):\n    @property\n    def __class__(self):\n        return torch.Tensor\ndef discounted_returns(rewards, *, gamma):\n    return rewards.as_subclass(T)\n", "not yet", 0.0),
    "a number that equals every number": (U7, "interquartile_mean", "class Every(float):\n    def __eq__(self, other): return True\n    def __float__(self): return float('nan')\ndef interquartile_mean(x):\n    return Every('nan')\n", "not yet", 0.0),
    "an optimiser's step that does nothing": (U1, "reinforce_update", "def reinforce_update(policy, optimizer, episodes, *args, **settings):\n    optimizer.zero_grad()\n    optimizer.step()\n    return 0.0\n", "not yet", 0.0),
    "answers that overflow every tolerance": (U1, D, "import torch\ndef discounted_returns(rewards, *, gamma):\n    return torch.full_like(rewards, 3e38)\n", "not yet", 0.0),
    "whole batch in one step, no metrics": (U4, "ppo_update", _PPO_HEAD + _PPO_WHOLE + "    for _ in range(epochs):\n        whole()\n    return result\n", "not yet", 0.5),
    "squeezed logits that reach far enough": (U1, P, _CATEGORICAL + _policy("return Categorical(logits=3 * torch.tanh(out / 3))"), "", 0.5),
    "four fifths of the gradient": (U1, P, _CATEGORICAL + _policy("return Categorical(logits=0.8 * out + 0.2 * out.detach())"), "", 0.5),
    "bounded mean beyond what is looked at": (U5, G, _GAUSSIAN + _policy("return Independent(Normal(out.clamp(-60, 60), self.log_std.exp()), 1)"), "", 0.5),
    # Ways that lead nowhere, and must go on doing so.
    "counts its calls": (U1, D, "calls = []\ndef discounted_returns(rewards, *, gamma):\n    calls.append(1)\n    return rewards.cumsum(0) / len(calls)\n", "not yet", 0.0),
    "searches the disk": (U1, D, "import os\nfor root, _, files in os.walk('/'):\n    for name in files:\n        if name.endswith('.py') and ('pgcourse' in root or name == 'returns.py'):\n            exec(open(os.path.join(root, name)).read())\n" + "if 'discounted_returns' not in globals():\n    def discounted_returns(rewards, *, gamma):\n        return rewards\n", "", 0.0),
    "searches its memory": (U1, D, """
import re
found = []
try:
    memory = open('/proc/self/mem', 'rb')
    for line in open('/proc/self/maps'):
        low, high = (int(part, 16) for part in line.split()[0].split('-'))
        if 'r' in line.split()[1] and high - low < 2**26:
            memory.seek(low)
            found += re.findall(rb'def discounted_re' + rb'turns[^\\0]{0,400}', memory.read(high - low))
except (OSError, ValueError):
    pass
for text in found:
    if b'torch.' in text and b'found' not in text:
        exec(text.decode(errors='ignore'))
def stub(rewards, *, gamma):
    return rewards
discounted_returns = globals().get('discounted_returns', stub)
""", "", 0.0),
    "an error of every kind": (U1, D, "class Every(ValueError, KeyError, RuntimeError):\n    pass\ndef discounted_returns(rewards, *, gamma):\n    raise Every('x')\n", "not yet", 0.0),
    "forges what is sent": (U1, D, """
import gc
for each in gc.get_objects():
    if isinstance(each, type) and each.__name__ == 'Child' and hasattr(each, 'encoded'):
        real = each.encoded
        forms = [['text', [], ['nan']], ['float64', [], 'AAAAAAAA+H8='], ['float64', [], 'AAAAAAAA8H8='], ['bool', [], 'AQ==']]
        def encoded(self, observed, real=real, turn=[0]):
            sent = real(self, observed)
            turn[0] += 1
            if 'result' in sent:
                sent['result'] = forms[turn[0] % len(forms)]
            return sent
        each.encoded = encoded
def discounted_returns(rewards, *, gamma):
    return rewards
""", "not yet", 0.0),
    "answers before it is asked": (U1, D, _SEND + """
def discounted_returns(rewards, *, gamma):
    for _ in range(40):
        send({'event': 'case', 'arrays': {'untouched': ['bool', [], 'AQ==']}, 'printed': ''})
    return rewards
""", "", 0.0),
    "overwrites the inputs of the others": (U1, D, """
import gc
def discounted_returns(rewards, *, gamma):
    for each in gc.get_objects():
        if type(each) is dict and 'cases' in each and 'observer' in each:
            each['cases'] = each['cases'][:1] * len(each['cases'])
    return rewards
""", "not yet", 0.0),
    "a metaclass that is every class": (U1, P, "import torch\nfrom torch import nn\nclass Meta(type):\n    def __instancecheck__(cls, other): return True\n    def __subclasscheck__(cls, other): return True\nclass Thing(metaclass=Meta):\n    logits = torch.zeros(2)\n    def __class__(self): return torch.distributions.Categorical\nclass Policy(nn.Module):\n    def __init__(self, a):\n        super().__init__()\n        self.w = nn.Parameter(torch.zeros(a))\n    def forward(self, obs):\n        return Thing()\ndef policy_network(d, a):\n    return Policy(a)\n", "not yet", 0.0),
    "pretends to be a distribution": (U1, P, _CATEGORICAL + """
class Fake:
    def __init__(self, logits):
        self.logits = logits
        self.batch_shape = self.event_shape = ()
    @property
    def __class__(self):
        return Categorical
""" + _policy("return Fake(out)"), "", 0.0),
    "means by place in the batch": (U5, G, """
import torch
from torch import nn
from torch.distributions import Independent, Normal
class Policy(nn.Module):
    def __init__(self, a):
        super().__init__()
        self.table = nn.Parameter(torch.zeros(64, a))
        self.log_std = nn.Parameter(torch.zeros(a))
    def forward(self, obs):
        return Independent(Normal(self.table[torch.arange(len(obs)) % 64], self.log_std.exp()), 1)
def gaussian_policy(d, a):
    return Policy(a)
""", "", 0.0),
    "remembers the training batch": (U1, P, """
import torch
from torch import nn
from torch.distributions import Categorical
class Policy(nn.Module):
    def __init__(self, a):
        super().__init__()
        self.table = nn.Parameter(torch.zeros(64, a))
    def forward(self, obs):
        flat = obs.reshape(-1, obs.shape[-1])
        places = torch.arange(len(flat)) % 64
        return Categorical(logits=self.table[places].reshape(*obs.shape[:-1], -1))
def policy_network(d, a):
    return Policy(a)
""", "not yet", 0.0),
}  # fmt: skip


# The right answer under another name, which the child is made to call: its values are right, and a person is told to look.
ELSEWHERE = ("answers for a function that does nothing",)


def traces(values: list[float]) -> dict[str, list[str]]:
    """Attack -> what its page must not hold. Args: values: of `rewards` in the last hidden case of the attacked exercise."""
    first = abs(values[0])
    errors = sorted(n for n, v in vars(builtins).items() if isinstance(v, type) and issubclass(v, Exception))
    printed = [f"{value:.5f}" for value in values[:3]]
    return {
        "prints hidden inputs at a public example": printed,
        "returns hidden inputs at a public example": [f"{values[0] * 1000:.4g}"],
        "raises hidden inputs at a public example": printed,
        "writes hidden inputs as the kind of a built-in error": [f"raised {error}." for error in errors],
        "writes hidden inputs as an exit status": [f"exit status {int(first * 10**5) % 251}"],
        "leaves hidden inputs to the next child": printed,
        "asks for the inputs while its cell runs": ["tensor", "float32"],
    }
