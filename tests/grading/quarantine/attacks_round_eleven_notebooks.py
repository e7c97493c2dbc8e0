"""Round eleven, harm and honest notebooks: stand-ins that take the place of answers, what follows from them, odd results.

`CELLS` and `RIGHT` as `test_rounds_of_attacks.py` says.
"""
# ruff: noqa: E501

S = ("01_reinforce", "standardize")
_ZERO = "\ndef standardize(x):\n    return x * 0\n"
_OK = "def standardize(x):\n    return (x - x.mean()) / (x.std(correction=0) + 1e-8)\n"
_EPS = "def standardize(x):\n    return (x - x.mean()) / (x.std(correction=0) + EPS)\n"
_KL = "def approx_kl(log_prob, old_log_prob):\n    r = log_prob.detach() - old_log_prob.detach()\n    return (torch.expm1(r) - r).mean()\n"
_CLIP = "def clip_fraction(log_prob, old_log_prob, *, clip_coef):\n    r = (log_prob.detach() - old_log_prob.detach()).exp()\n    return ((r - 1).abs() > clip_coef).float().mean()\n"
_EV = "def explained_variance(values, returns):\n    v = returns.var(correction=0)\n    return 1 - (returns - values).var(correction=0) / v if v > 0 else torch.tensor(float('nan'), dtype=values.dtype)\n"
_VALUE_LOSS = "def value_loss(values, returns):\n    if values.shape != returns.shape:\n        raise ValueError('shapes')\n    return 0.5 * ((values - returns.detach()) ** 2).mean()\n"
_POLICY = """
class Policy(nn.Module):
    def __init__(self, obs_dim, num_actions):
        super().__init__()
        self.body, self.head = nn.Linear(obs_dim, 64), nn.Linear(64, num_actions)
        nn.init.orthogonal_(self.head.weight, gain=0.01)
        nn.init.zeros_(self.head.bias)
    def forward(self, obs):
        return torch.distributions.Categorical(logits=self.head(torch.tanh(self.body(obs))))

def policy_network(obs_dim, num_actions):
    return Policy(obs_dim, num_actions)
"""
_RUNS = "from pgcourse import MODULE\nfrom pgcourse.study.seeds import run_seeds\nruns = run_seeds({'a': MODULE.CARTPOLE}, seeds=(417, 418, 419))\nrun = runs['a'][0]\n"

# name: (notebook, exercise, cell, part of what the grader says, most of the points)
CELLS = {
    "an error that is its own context": (
        *S,
        "class E(Exception):\n    @property\n    def __context__(self):\n        return E()\nraise E('x')" + _ZERO,
        "not yet",
        0.0,
    ),
    "a chain of 200,000 contexts": (
        *S,
        "e = None\nfor i in range(200000):\n    n = ValueError(i); n.__context__ = e; e = n\ndef f():\n    raise e\nf()"
        + _ZERO,
        "not yet",
        0.0,
    ),
    "90,000 statements behind a refused one": (*S, "import pandas as pd\npd.x()\n" + "q\n" * 90000 + _ZERO, "", 0.1),
    "a main module without names": (
        *S,
        "import sys\nm = sys.modules['__main__']\nclass M(type(m)):\n    __dict__ = property(lambda s: {})\nm.__class__ = M"
        + _ZERO,
        "not attempted",
        0.0,
    ),
    "an error that calls itself a refusal": (
        *S,
        "class R(Exception):\n    while_grading = True\nraise R('a' * 10**7)" + _ZERO,
        "not yet",
        0.0,
    ),
    "entries named like words": (
        *S,
        "def standardize(x):\n    return {'.kind': x, '/error.bases': torch.zeros(0, 3), 'shape': x, ' ': 1e308 * 10, '': -2**999}",
        "not yet",
        0.0,
    ),
    "a result of 4 TB that takes no room": (
        *S,
        "def standardize(x):\n    return torch.zeros(1, dtype=x.dtype).expand(2**40)",
        "not yet",
        0.0,
    ),
    "nested and sparse tensors": (
        *S,
        "def standardize(x):\n    return (x.to_sparse(), torch.nested.nested_tensor([x.flatten()]), torch.zeros(1).expand(10**9))",
        "not yet",
        0.0,
    ),
    "a tuple 50,000 deep": (
        *S,
        "def standardize(x):\n    r = x\n    for _ in range(50000):\n        r = (r,)\n    return r",
        "not yet",
        0.0,
    ),
    "four million digits as a message": (
        *S,
        "import os\ndef standardize(x):\n    d = b'9' * 4000000\n    os.write(3, len(d).to_bytes(4, 'big') + d)\n    return x * 0",
        "sent the grader something that is no result",
        0.0,
    ),
    "all the memory of one heap": (
        *S,
        "import gc\ngc.unfreeze(); gc.collect()\nblock = bytearray(900 * 2**20)" + _ZERO,
        "not yet",
        0.1,
    ),
    "large pages asked for again": (
        *S,
        "import ctypes, mmap\nctypes.CDLL(None).prctl(41, 0, 0, 0, 0)\nm = mmap.mmap(-1, 2**28, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)\nm.madvise(14)"
        + _ZERO,
        "not yet",
        0.1,
    ),
}
# name: (notebook, exercise, cell, own cells above, own cells below)
RIGHT = {
    "a metric of a run under the exercise's name": ("03_a2c_gae", "explained_variance", _EV, (), (_RUNS.replace("MODULE", "a2c") + "explained_variance = run.metrics['losses/explained_variance']\nprint(explained_variance[-10:].mean())",)),
    "a column of pandas under the exercise's name": ("04_ppo", "approx_kl", _KL, (), ("import pandas as pd\ndf = pd.read_csv('runs.csv')\napprox_kl = df['approx_kl']\napprox_kl.plot()",)),
    "two metrics unpacked under the exercises' names": ("04_ppo", "clip_fraction", _CLIP, (), (_RUNS.replace("MODULE", "ppo") + "kl, clip_fraction = run.metrics['losses/approx_kl'], run.metrics['losses/clip_fraction']",)),
    "the course's own function of that name, below": ("02_baselines", "value_loss", _VALUE_LOSS, (), ("from pgcourse.losses import value_loss\nprint(value_loss)",)),
    "a network under the name of its maker": ("01_reinforce", "policy_network", _POLICY, (), ("policy_network = policy_network(4, 2)\nprint(policy_network)",)),
    "a helper's name for the course's function, below": (*S, "def normalize(x):\n    return (x - x.mean()) / (x.std(correction=0) + 1e-8)\ndef standardize(x):\n    return normalize(x)", (), ("from pgcourse.returns import normalize\nprint(normalize(torch.randn(5)))",)),
    "a setting read from a table, below": (*S, f"EPS = 1e-8\n{_EPS}", (), ("import pandas as pd\nconf = pd.read_json('c.json')\nEPS = conf['eps']",)),
    "a config by replace above a setting": (*S, _EPS, ("from dataclasses import replace\nfrom pgcourse import reinforce\nCONFIG = replace(reinforce.CARTPOLE, num_episodes=150)\nEPS = 1e-8",), ()),
    "a config by replace above the answer": (*S, f"from dataclasses import replace\nfrom pgcourse import reinforce\nconfig = replace(reinforce.CARTPOLE, gamma=0.9)\n{_OK}", (), ()),
    "whole division of settings above": (*S, _EPS, ("from pgcourse import ppo\nUPDATES = ppo.CARTPOLE.total_timesteps // ppo.CARTPOLE.num_steps\nEPS = 1e-8",), ()),
    "a setting printed with two digits above": (*S, _EPS, ("from pgcourse import reinforce\nprint(f'gamma = {reinforce.CARTPOLE.gamma:.2f}')\nEPS = 1e-8",), ()),
    "a layer as wide as a space above": (*S, _EPS, ("import gymnasium as gym\nfrom torch import nn\nlayer = nn.Linear(gym.N, 2)\nEPS = 1e-8",), ()),
    "means of runs by comprehension": ("03_a2c_gae", "explained_variance", _EV, (), (_RUNS.replace("MODULE", "a2c") + "explained_variance = {k: [r.metrics['x'].mean() for r in g] for k, g in runs.items()}",)),
    "versions and a palette above": (*S, _EPS, ("import seaborn as sns, matplotlib\nprint(matplotlib.__version__)\nassert matplotlib.__version__ >= '3'\ncolors = sns.color_palette()[0]\nEPS = 1e-8",), ()),
    "pools of threads and processes below": (*S, _OK, (), ("from concurrent.futures import ThreadPoolExecutor\nimport multiprocessing as mp\nwith ThreadPoolExecutor(8) as pool:\n    out = list(pool.map(standardize, [torch.randn(5)] * 8))\nwith mp.Pool(2) as pool:\n    print(pool.map(abs, [1]))",)),
}  # fmt: skip
