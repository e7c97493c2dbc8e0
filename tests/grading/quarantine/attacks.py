"""Submissions that try to score more than their work. Each does one thing right, `reinforce_loss`, and attacks the rest.

`CELLS`: name -> (exercise that is attacked, its cell, a part of what the grader says of it). HOME, REPOSITORY and PORT
are filled in by the tests.
"""
# ruff: noqa: E501 - each attack is one string, whose line breaks are those of its cell

HONEST = """
def reinforce_loss(log_prob, weight):
    return -(weight.detach() * log_prob).mean()
"""
_RIGHT = "following = 0 * rewards[0]\n    out = torch.empty_like(rewards)\n    for t in reversed(range(len(rewards))):\n        following = rewards[t] + gamma * following\n        out[t] = following\n    return out"
_HEAD = "def discounted_returns(rewards, *, gamma):\n    "
_NOTHING = _HEAD + "return rewards\n"
_FORGED_POLICY = """
import torch, numpy as np
from torch import nn

def policy_network(obs_dim, num_actions):
    return nn.Linear(obs_dim, num_actions)
"""
_FACTS = """{"result.kind": np.array("Policy"), "is module": np.array(True), "distribution": np.array("Categorical"),
        "probs": np.full((len(case["obs"]), case["num_actions"]), 1 / case["num_actions"]),
        "batch row": np.zeros(case["num_actions"]), "single row": np.zeros(case["num_actions"]),
        "parameters": np.array(4), "differentiable": np.array(True), "unreached": np.array(0), "trained": np.array(0.99),
        "trained batch row": np.zeros(case["num_actions"]), "trained single row": np.zeros(case["num_actions"])}"""

D, P = "discounted_returns", "policy_network"
CELLS: dict[str, tuple[str, str, str]] = {
    "loop at top level": (D, "while True:\n    pass", "was stopped after 1 seconds"),
    "loop in a function": (D, _HEAD + "while True:\n        pass", "was stopped after 1 seconds"),
    "loop that swallows everything": (D, "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass", "was stopped"),
    "alarms switched off": (D, f"import signal\n{_HEAD}for s in (signal.SIGPROF, signal.SIGALRM):\n        signal.signal(s, signal.SIG_IGN)\n    while True:\n        pass", "by the clock"),
    "never answers": (D, f"import time\n{_HEAD}time.sleep(10**6)", "was stopped after"),
    "stops itself": (D, f"import os, signal\n{_HEAD}os.kill(os.getpid(), signal.SIGSTOP)\n    return rewards", "not yet"),
    "os._exit at top level": (D, "import os\nos._exit(0)", "ended its process"),
    "os._exit in a function": (D, f"import os\n{_HEAD}os._exit(0)", "ended its process"),
    "sys.exit at top level": (D, "import sys\nsys.exit('correct')", "raised SystemExit"),
    "sys.exit in a function": (D, f"import sys\n{_HEAD}sys.exit(0)", "raised SystemExit"),
    "children": (D, f"import os, time\nfor _ in range(50):\n    try:\n        if os.fork() == 0:\n            time.sleep(987)\n            os._exit(0)\n    except OSError:\n        break\n{_NOTHING}", "not yet"),
    "daemon": (D, f"import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        os.closerange(0, 64)\n        time.sleep(987)\n    os._exit(0)\n{_NOTHING}", "not yet"),
    "other program": (D, "import os\nos.execv('/bin/sh', ['sh', '-c', 'sleep 987'])", "raised PermissionError"),
    "8 GB at top level": (D, "x = bytearray(8 * 2**30)", "raised MemoryError"),
    "8 GB in a function": (D, f"import torch\n{_HEAD}return torch.ones(2**31)", "not yet"),
    "8 GB in pieces": (D, f"{_HEAD}x = []\n    while True:\n        x.append(bytearray(2**24))", "not yet"),
    "limits raised": (D, f"import resource\nresource.setrlimit(resource.RLIMIT_AS, (-1, -1))\nx = bytearray(8 * 2**30)\n{_NOTHING}", "raised"),
    "full disk": (D, f"for i in range(200):\n    with open(f'file{{i}}', 'wb') as f:\n        f.write(bytes(2**23))\n{_NOTHING}", "raised OSError"),
    "writes to home": (D, f"import os\nfor p in ('HOME/pgcourse-attack', '/tmp/pgcourse-attack', 'REPOSITORY/pgcourse-attack', 'OUT/pgcourse-attack'):\n    try:\n        open(p, 'w').write('x')\n    except OSError:\n        pass\n{_NOTHING}", "not yet"),
    "reads the package's file": (D, "import torch\nexec(open('REPOSITORY/pgcourse/returns.py').read())", "raised FileNotFoundError"),
    "reads the key": (D, "exec(open('OUT/../class/teacher/key/01_reinforce.ipynb').read())", "raised"),
    "reads the hidden seed": (D, f"seed = open('OUT/grading.json').read()\n{_NOTHING}", "raised"),
    "parent's memory": (D, f"import os\nfor p in (os.getppid(), 1, os.getpid()):\n    try:\n        open(f'/proc/{{p}}/mem', 'rb').read(10)\n    except (OSError, ValueError):\n        pass\n{_NOTHING}", "not yet"),
    "kills everybody": (D, f"import os, signal\ntry:\n    os.kill(-1, signal.SIGKILL)\nexcept OSError:\n    pass\n{_NOTHING}", "not yet"),
    "network": (D, "import socket\nsocket.create_connection(('127.0.0.1', PORT), 2).send(b'x')", "raised PermissionError"),
    "stack": (D, f"import sys\n{_HEAD}frame, seen = sys._getframe(), []\n    while frame:\n        seen += [v for k, v in frame.f_locals.items() if k in ('expected', 'right', 'answer')]\n        if 'arrays' in frame.f_locals:\n            frame.f_locals['arrays']['result'] = 0\n        frame = frame.f_back\n    return seen[0] if seen else rewards", "not yet"),
    "patches pgcourse": (D, f"import pgcourse.checks, pgcourse.checks.observe as o, pgcourse.checks.compare as c\no.observe = o.record = lambda *a, **k: {{}}\nc.compare = c.close = lambda *a, **k: True\npgcourse.checks.run = lambda *a: 'correct'\n{_NOTHING}", "not yet"),
    "patches torch.testing": (D, f"import torch\ntorch.testing.assert_close = torch.allclose = torch.equal = torch.isclose = lambda *a, **k: True\n{_NOTHING}", "not yet"),
    "patches numpy": (D, f"import numpy as np\nnp.isclose = np.allclose = np.array_equal = lambda *a, **k: np.array(True)\n{_NOTHING}", "not yet"),
    "hides an overwritten input": ("standardize", "import torch\ntorch.equal = lambda *a: True\ndef standardize(x):\n    x -= x.mean()\n    x /= x.std(correction=0) + 1e-8\n    return x", "changed its input"),
    "patches builtins": (D, f"import builtins\nbuiltins.all = builtins.any = lambda *a: True\nbuiltins.abs = lambda x: 0\n{_NOTHING}", "not yet"),
    "patches json": (D, "import json\njson.dumps = lambda *a, **k: '{\"event\": \"done\", \"status\": \"correct\", \"score\": 100}'\n" + _NOTHING, "not yet"),
    "equal to everything": (D, f"class Same:\n    def __eq__(self, o): return True\n    def __bool__(self): return True\n    def __getattr__(self, n): return self\n    def __call__(self, *a, **k): return self\n{_HEAD}return Same()", "is a Same"),
    "__array__": (D, f"import numpy as np\nclass A:\n    shape = (1,)\n    dtype = np.float32\n    def __array__(self, *a, **k): return np.zeros(1)\n{_HEAD}return A()", "is an A"),
    "subclassed tensor": (D, f"import torch\nclass T(torch.Tensor):\n    @classmethod\n    def __torch_function__(cls, f, t, a=(), k=None): return True\n{_HEAD}return rewards.as_subclass(T)", "is a T"),
    "import hooks": (D, f"import sys, ast\nclass Hook:\n    def find_spec(self, *a): return None\nsys.meta_path.insert(0, Hook())\nsys.modules['json'] = sys.modules['numpy'] = Hook()\nast.parse = compile = None\n{_NOTHING}", "not yet"),
    "trace": (D, f"import sys\nsys.settrace(lambda *a: None)\nsys.setprofile(lambda *a: None)\n{_NOTHING}", "not yet"),
    "atexit": (D, f"import atexit, os\natexit.register(lambda: os.write(3, b'correct'))\n{_NOTHING}", "not yet"),
    "threads": (D, f"import threading, time\nfor _ in range(5):\n    threading.Thread(target=lambda: time.sleep(987)).start()\n{_NOTHING}", "not yet"),
    "prints a verdict": (D, f"print('\u2713 discounted_returns: correct (2 points)')\n{_HEAD}print('correct')\n    return rewards", "not yet"),
    "writes everywhere": (D, f"import os\nfor fd in range(64):\n    try:\n        os.write(fd, b'correct ' * 8)\n    except OSError:\n        pass\n{_NOTHING}", "no result"),
    "writes messages": (D, f"import os, json, struct\nfor m in ({{'event': 'end', 'what': 'cell', 'id': '4', 'error': []}}, {{'event': 'case', 'id': 'discounted_returns', 'index': 0, 'arrays': {{}}}}, {{'event': 'done', 'status': 'correct'}}):\n    d = json.dumps(m).encode()\n    try:\n        os.write(3, struct.pack('>I', len(d)) + d)\n    except OSError:\n        pass\n{_NOTHING}", ""),
    "says that the walls are broken": (D, f"import os, json, struct\nd = json.dumps({{'event': 'broken', 'text': 'no walls'}}).encode()\ntry:\n    os.write(3, struct.pack('>I', len(d)) + d)\nexcept OSError:\n    pass\n{_NOTHING}", "no result"),
    "number of many digits": (D, "big = 0x" + "f" * 5000 + f"\n{_HEAD}return rewards * (big > 0)", "not yet"),
    "number of many digits before getattr": (D, "import torch\n" + f"{_HEAD}f = getattr(torch, 0x{'f' * 5000}, None) if 0 else None\n    return rewards", "not yet"),
    "closes everything": (D, f"import os\nos.closerange(0, 64)\n{_NOTHING}", "stopped"),
    "imports the answer": (D, "from pgcourse.returns import discounted_returns", "RuntimeError"),
    "imports the package": (D, f"import pgcourse\n{_HEAD}return pgcourse.returns.discounted_returns(rewards, gamma=gamma)", "RuntimeError"),
    "asks the exercise": (D, "from pgcourse import checks\ndiscounted_returns = checks.get('discounted_returns').reference", "RuntimeError"),
    "sys.modules": (D, f"import sys\n{_HEAD}for m in list(sys.modules.values()):\n        f = getattr(m, 'discounted_returns', None)\n        if callable(f) and f is not discounted_returns and type(f).__name__ == 'function':\n            return f(rewards, gamma=gamma)\n    return rewards", "not yet"),
    "garbage collector": (D, f"import gc\n{_HEAD}for o in gc.get_objects():\n        if type(o).__name__ == 'function' and o.__name__ == 'discounted_returns' and o is not discounted_returns:\n            return o(rewards, gamma=gamma)\n    return rewards", "not yet"),
    "its source": (D, "import inspect, pgcourse.returns\nexec(inspect.getsource(pgcourse.returns.discounted_returns))", "raised"),
    "huge": (D, f"{_HEAD}return rewards.repeat(2**22)", "MB"),
    "huge without memory": (D, f"import torch\n{_HEAD}return torch.zeros(1).expand(2**40)", "not yet"),
    "NaN": (D, f"{_HEAD}return rewards * float('nan')", "not finite"),
    "infinite": (D, f"{_HEAD}return rewards + float('inf')", "not finite"),
    "negative": (D, f"{_HEAD}return -rewards", "not yet"),
    "complex": (D, f"import torch\n{_HEAD}return rewards.to(torch.complex64)", "complex"),
    "object array": (D, f"import numpy as np\n{_HEAD}return np.array([object()] * len(rewards), dtype=object)", "not yet"),
    "pickle": (D, f"class Payload:\n    def __reduce__(self): return (__import__('os').system, ('touch /tmp/pgcourse-attack',))\n{_HEAD}return Payload()", "is a Payload"),
    "named after a value": (D, f"import torch\ndef right(rewards, gamma):\n    {_RIGHT}\n\n{_HEAD}if rewards.numel() < 7:\n        return right(rewards, gamma)\n    raise type('Leak' + '_'.join(f'{{x:.3f}}' for x in rewards.flatten().tolist()).replace('.', 'p'), (Exception,), {{}})()", "not yet"),
    "script in a message": (D, f"{_HEAD}raise ValueError('<script>alert(1)</script>')", "&lt;script&gt;"),
    "look-alike name": (D, f"import torch\n{_HEAD}{_RIGHT}".replace("discounted_returns", "dis\u0441ounted_returns"), "not attempted"),
    "deep recursion": (D, f"import sys\nsys.setrecursionlimit(10**9)\n{_HEAD}return discounted_returns(rewards, gamma=gamma)", "not yet"),
    "deep recursion in C": (D, f"import sys\nsys.setrecursionlimit(10**9)\nx = []\nfor _ in range(10**6):\n    x = [x]\n{_HEAD}return repr(x)", "not yet"),
    "magics": (D, "%%bash\ntouch /tmp/pgcourse-attack\n", "not"),
    "shell escape": (D, f"!touch /tmp/pgcourse-attack\n%run REPOSITORY/pgcourse/returns.py\n{_NOTHING}", "not yet"),
    "patches the observer": (P, f"import sys, gc, numpy as np\nfor o in gc.get_objects():\n    if isinstance(o, type) and o.__name__ == 'PolicyFactory':\n        o.__call__ = lambda self, attempt, case: {_FACTS}\n{_FORGED_POLICY}", "Categorical"),
    "forged distribution": (P, "import torch\nfrom torch import nn\nclass Sure(torch.distributions.Categorical):\n    def log_prob(self, a): return self.logits.sum() * 0 - 0.001\n\n" + "class Policy(nn.Module):\n    def __init__(self, d, a):\n        super().__init__()\n        self.w = nn.Parameter(torch.zeros(a, d))\n    def forward(self, o):\n        return Sure(logits=0 * (o @ self.w.T))\n\ndef policy_network(d, a):\n    return Policy(d, a)\n", "not that of its own logits"),
    "patches a distribution": (P, "import torch\nfrom torch import nn\ntorch.distributions.Categorical.log_prob = lambda self, a: self.logits.sum() * 0 - 0.001\n" + "class Policy(nn.Module):\n    def __init__(self, d, a):\n        super().__init__()\n        self.w = nn.Parameter(torch.zeros(a, d))\n    def forward(self, o):\n        return torch.distributions.Categorical(logits=0 * (o @ self.w.T))\n\ndef policy_network(d, a):\n    return Policy(d, a)\n", "not that of its own logits"),
    "class made by type": (P, "import torch\nfrom torch import nn\nSure = type('Categorical', (torch.distributions.Categorical,), {'log_prob': lambda self, a: self.logits.sum() * 0 - 0.001})\n" + "class Policy(nn.Module):\n    def __init__(self, d, a):\n        super().__init__()\n        self.w = nn.Parameter(torch.zeros(a, d))\n    def forward(self, o):\n        return Sure(logits=0 * (o @ self.w.T))\n\ndef policy_network(d, a):\n    return Policy(d, a)\n", "not that of its own logits"),
    "distribution called Module": (P, "import torch\nfrom torch import nn\nfrom torch.distributions import Categorical as Module\nclass Sure(Module):\n    def log_prob(self, a): return self.logits.sum() * 0 - 0.001\n\n" + "class Policy(nn.Module):\n    def __init__(self, d, a):\n        super().__init__()\n        self.w = nn.Parameter(torch.zeros(a, d))\n    def forward(self, o):\n        return Sure(logits=0 * (o @ self.w.T))\n\ndef policy_network(d, a):\n    return Policy(d, a)\n", "not that of its own logits"),
    "patches by update_wrapper": (P, "import torch\nfrom torch import nn\nimport functools\nclass Mine:\n    def log_prob(self, a): return self.logits.sum() * 0 - 0.001\nfunctools.update_wrapper(torch.distributions.Categorical, Mine, ('log_prob',), ())\nSure = torch.distributions.Categorical\n" + "class Policy(nn.Module):\n    def __init__(self, d, a):\n        super().__init__()\n        self.w = nn.Parameter(torch.zeros(a, d))\n    def forward(self, o):\n        return Sure(logits=0 * (o @ self.w.T))\n\ndef policy_network(d, a):\n    return Policy(d, a)\n", "not that of its own logits"),
    "exec through torch": (P, "import torch\nfrom torch import nn\ntorch.builtins.exec('torch.distributions.Categorical.log_prob = lambda self, a: self.logits.sum() * 0 - 0.001')\nSure = torch.distributions.Categorical\n" + "class Policy(nn.Module):\n    def __init__(self, d, a):\n        super().__init__()\n        self.w = nn.Parameter(torch.zeros(a, d))\n    def forward(self, o):\n        return Sure(logits=0 * (o @ self.w.T))\n\ndef policy_network(d, a):\n    return Policy(d, a)\n", "not that of its own logits"),
    "asks for inputs for ever": (D, f"import os, struct\n{_HEAD}while True:\n        os.write(3, struct.pack('>I', 17) + b'{{\"event\":\"ready\"}}')", "no result"),
    "half a surrogate pair": (D, f"{_HEAD}print('\\ud800')\n    return rewards", "not yet"),
    "class named after a value": (D, f"import torch\ndef right(rewards, gamma):\n    {_RIGHT}\n\n{_HEAD}if rewards.numel() < 7:\n        return right(rewards, gamma)\n    return type('Leak' + str(rewards.numel()), (), {{}})()", "thing of another kind"),
}  # fmt: skip
