"""Round twelve, on networks: classes of ours under other names, second networks that are none, and logits that are off.

`CELLS` as `test_rounds_of_attacks.py` says.
"""
# ruff: noqa: E501

from tests.grading.quarantine.attacks_round_eleven_networks import POLICY, G, P, gaussian, network

_OURS = """
import gc, torch
from torch import nn
Linear = next(kind for kind in nn.Module.__subclasses__() if kind.__name__ == "LinearPolicy")
MORE
def policy_network(d, a):
    made = Linear(torch.randn(a, d) / 100, torch.zeros(a))
    CHANGED
    return made
"""
_TAKEN = """
class Policy(nn.Module):
    forward, watch, hidden = Linear.forward, None, None
    def __init__(self, weight, bias):
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)
Linear = Policy
"""
_EMPTIED = """
for each in gc.get_objects():
    if type(each) is list and each and each[0] is Linear:
        each.clear()
"""
_WORN = "made.__class__ = type('Policy', (nn.Module,), {'forward': Linear.forward, 'watch': None})"


def _ours(more: str = "", changed: str = "pass") -> str:
    return _OURS.replace("MORE", more).replace("CHANGED", changed)


# No network, or one of other shapes, at the second call.
_OTHER_SHAPES = network(
    "self.size = 64 + next(count)\nself.w = torch.randn(d, self.size)\nself.last = small(nn.Linear(self.size, a))",
    "return self.last((obs @ self.w).tanh())",
)
_OTHER_PAD = network(
    "self.pad = nn.Parameter(torch.zeros(1 + next(count)))\nself.w, self.last = torch.randn(d, 64), small(nn.Linear(64, a))",
    "return self.last((obs @ self.w).tanh()) + 0 * self.pad.sum()",
)
_FROZEN = network(
    "self.w, self.last = torch.randn(d, 64), small(nn.Linear(64, a))", "return self.last((obs @ self.w).tanh())"
)
_EVEN = "first = policy_network\ndef policy_network(d, a):\n    return first(d, a) if next(count) % 2 == 0 else 3\n"
_ONCE = "first = policy_network\nkept = set()\ndef policy_network(d, a):\n    if d in kept:\n        return None\n    kept.add(d)\n    return first(d, a)\n"
_ONCE_OF_TWO, _FOUR = (
    f"first = gaussian_policy\ndef gaussian_policy(d, a):\n    return first(d, a) if next(count) {times} else None\n"
    for times in ("% 2 == 0", "% 5 < 4")
)
_GROWN = network(
    "h = 8 if next(count) % 2 == 0 else 3000\nself.net = nn.Sequential(nn.Linear(d, h), nn.Tanh(), nn.Linear(h, h), small(nn.Linear(h, a)))",
    "return self.net(obs)",
)
_LISTING = network(
    more="def named_parameters(self, *_, **__):\n    yield 'a', self.net[2].weight\ndef parameters(self, recurse=True):\n    return iter([self.net[2].weight])"
)
_PADDED = network(computed="return nn.functional.pad(self.net(obs), (0, 990), value=-1e4)")

# Whatever is judged to within some digits of the largest logit would be judged to none.
_LOUD = """
class Loud(Categorical):
    @property
    def logits(self):
        return self.__dict__["raw"] + 1e4
    @logits.setter
    def logits(self, value):
        self.__dict__["raw"] = value
    def log_prob(self, value):
        return Categorical(logits=self.__dict__["raw"]).log_prob(value)
    def entropy(self):
        return Categorical(logits=self.__dict__["raw"]).entropy()
    @property
    def probs(self):
        return self.__dict__["raw"].softmax(-1)
"""
_LAYERS = "self.one, self.two, self.last = nn.Linear(d, 64), nn.Linear(64, 64), small(nn.Linear(64, a))"
_BRANCH = network(_LAYERS, "x = self.one(obs).tanh()\nreturn self.last(x + self.two(x.detach()).tanh())")
_CUT = network(
    _LAYERS,
    "x = self.one(obs).tanh()\nx = x.detach() + 1e-6 * (x - x.detach())\nreturn self.last(self.two(x).tanh())",
)
_LOUD_POLICY = _LOUD + POLICY.replace("Categorical(", "Loud(")

_MODULE, _DIFFER, _LARGE = (
    "expected a torch.nn.Module",
    "Two of your networks with the same parameters differ",
    "is too large",
)
CELLS = {
    "a class of ours": (*P, _ours(), _MODULE, 0.0),
    "a class of ours whose forward is taken": (*P, _ours(_TAKEN), _MODULE, 0.0),
    "an object of ours in another class": (*P, _ours(changed=_WORN), _MODULE, 0.0),
    "an emptied list of our classes": (*P, _ours(_EMPTIED), _MODULE, 0.0),
    "plain tensors in networks of other shapes": (*P, _OTHER_SHAPES + POLICY, _DIFFER, 0.0),
    "plain tensors in networks of other shapes, of a Gaussian": (*G, gaussian(_OTHER_SHAPES), _DIFFER, 0.0),
    "plain tensors beside a vector of another length": (*P, _OTHER_PAD + POLICY, _DIFFER, 0.0),
    "plain tensors beside a vector of another length, of a Gaussian": (*G, gaussian(_OTHER_PAD), _DIFFER, 0.0),
    "plain tensors, and a number at the second call": (*P, _FROZEN + POLICY + _EVEN, "returned an int", 0.0),
    "nothing at the second call": (*P, network() + POLICY + _ONCE, "returned a NoneType", 0.0),
    "nothing at the second call, of a Gaussian": (*G, gaussian(network()) + _ONCE_OF_TWO, "returned a NoneType", 0.0),
    "nothing at the fifth call, of a Gaussian": (*G, gaussian(network()) + _FOUR, "returned a NoneType", 0.0),
    "a larger network at the second call": (*P, _GROWN + POLICY, _LARGE, 0.0),
    "parameters that list one of four": (*P, _LISTING + POLICY, "none of its parameters", 0.0),
    "a thousand actions, nearly all impossible": (*P, _PADDED + POLICY, "not yet", 0.0),
    "logits ten thousand too high": (*P, _BRANCH + _LOUD_POLICY, "not yet", 0.0),
    "logits ten thousand too high, and a trunk all but frozen": (*P, _CUT + _LOUD_POLICY, "not yet", 0.0),
}
