"""Round eight: distributions that leave their spread out, networks set by what they see first, and innocent cells.

`CELLS` and `RIGHT` as `test_rounds_of_attacks.py` says.
"""
# ruff: noqa: E501

from tests.grading.quarantine.attacks_round_four_networks import _gaussian, _policy

_OWN = """class Own(Independent):
        def __init__(self, mean, std):
            super().__init__(Normal(mean, std), 1)
        BODY
    def given(self, mean, std):
        return self.Own(mean, std.expand_as(mean))"""
_CONSTANT = "0.5 * torch.log(torch.tensor(2 * torch.pi))"
_DENSITIES = {
    "a density without the spread": f"def log_prob(self, x):\n            return (-0.5 * (x - self.mean) ** 2 - {_CONSTANT}).sum(-1)",
    "a density without the logarithm of the spread": f"def log_prob(self, x):\n            return (-0.5 * ((x - self.mean) / self.stddev) ** 2 - {_CONSTANT}).sum(-1)",
    "a density with the spread for its square": f"def log_prob(self, x):\n            return (-0.5 * (x - self.mean) ** 2 / self.stddev - self.stddev.log() - {_CONSTANT}).sum(-1)",
    "an entropy without the spread": f"def entropy(self):\n            return torch.full(self.batch_shape, float(0.5 + {_CONSTANT}) * self.mean.shape[-1])",
    "samples without the spread": "def sample(self, shape=torch.Size()):\n            return self.mean.detach() + torch.randn(*shape, *self.mean.shape)",
}
_FIRST = """def inputs(self, obs):
        if not hasattr(self, "shift"):
            self.shift, self.scale = obs.mean(0), obs.std(0) + 1e-8
        return (obs - self.shift) / self.scale"""
_LARGEST = """def inputs(self, obs):
        if not hasattr(self, "largest"):
            self.largest = obs.abs().max()
        return obs / self.largest"""
P, G = ("01_reinforce", "policy_network"), ("05_continuous_pendulum", "gaussian_policy")

CELLS = {
    name: (*G, _gaussian(_OWN.replace("BODY", body)), "not that of its own mean and spread", 0.0)
    for name, body in _DENSITIES.items()
} | {
    "set by the first batch": (*P, _policy(_FIRST), "something that is no parameter decides", 0.5),
    "set by the first batch, of a Gaussian": (*G, _gaussian(_FIRST), "something that is no parameter decides", 0.5),
    "set by the largest number first seen": (*P, _policy(_LARGEST), "something that is no parameter decides", 0.5),
}

_STANDARDIZE = "def standardize(x):\n    return (x - x.mean()) / (x.std(correction=0) + EPS)"
_ABOVE = {
    "a figure and its axes": "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot([1, 2, 3])\nplt.show()",
    "a figure in pieces": "import matplotlib.pyplot as plt\nfig = plt.figure(figsize=(3, 2))\nfig.suptitle('x')\nfor axis in fig.axes:\n    axis.grid()",
    "an environment": "import gymnasium as gym\nenv = gym.make('CartPole-v1')\nobs, _ = env.reset(seed=0)\nprint(env.action_space.n)",
    "a table": "import pandas as pd\ndf = pd.DataFrame({'a': [1]})\ndf.head()",
    "a command's output": "import subprocess\nout = subprocess.run(['ls'], capture_output=True)\nprint(out.stdout)",
    "a library that may be there": "import importlib.util\nHAVE = importlib.util.find_spec('seaborn') is not None\nif HAVE:\n    print('x')",
    "help": "import torch\nhelp(torch.Tensor.std)",
    "versions": "from importlib.metadata import version\nprint(version('gymnasium'), version('pgcourse'))",
    "a look at the notebook's settings": "if 'IPKernelApp' in get_ipython().config:\n    print('in a notebook')",
    "a shell's answer": "gpu_info = !nvidia-smi\ngpu_info = '\\n'.join(gpu_info)\nfiles = !ls\nprint(len(files))",
    "a download": "import urllib.request\nurllib.request.urlretrieve('http://localhost:9/x', 'x')",
    "a file of another day": "import json\nresults = json.load(open('results.json'))\nprint(results['mean'])",
}  # fmt: skip
RIGHT = {
    f"{name}, above": ("01_reinforce", "standardize", _STANDARDIZE, (f"{cell}\nEPS = 1e-8",), ())
    for name, cell in _ABOVE.items()
}
RIGHT |= {
    f"{name}, in its own cell": ("01_reinforce", "standardize", f"{cell}\nEPS = 1e-8\n{_STANDARDIZE}", (), ())
    for name, cell in _ABOVE.items()
}
