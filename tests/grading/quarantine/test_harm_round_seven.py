"""A seventh round: what the answers of a child make the grader hold, and networks that observers bring along."""
# ruff: noqa: E501 - some cells are long lines

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")]
# `left` of every answer is added up, for as long as the grader asks, and NumPy gives each word the room of the longest.
NET = "policy_network"
LEFT = """
import sys
import torch
from torch import nn
from torch.distributions import Categorical

frame = sys._getframe()
while not hasattr(frame.f_locals.get("self"), "encoded"):
    frame = frame.f_back
kind = type(frame.f_locals["self"])
old, count = kind.encoded, [0]

def encoded(self, observed):
    said = old(self, observed)
    if self.now is not None and "question" in self.now and "error" not in said:
        count[0] += 1
        words = ["x" * LONG] if count[0] == 1 else [f"{count[0]} {n}" for n in range(MANY)]
        said["left"] = ["text", [len(words)], words]
    return said

kind.encoded = encoded

class Policy(nn.Module):
    def __init__(self, obs_dim, num_actions):
        super().__init__()
        self.layer = nn.Linear(obs_dim, num_actions)

    def forward(self, obs):
        return Categorical(logits=1e-5 * self.layer(obs))

def policy_network(obs_dim, num_actions):
    return Policy(obs_dim, num_actions)
"""
GRADES = """
import json, resource, sys
from pathlib import Path
from pgcourse.grading.grader import grade
from pgcourse.grading.settings import Settings
from tests.grading.classroom import SEED, fill, hand_in, make_release, notebook, solutions
base, given = Path(sys.argv[1]), json.load(sys.stdin)
release = make_release(base / "release", 1)
name = "01_reinforce"
def run(where, cells):
    hand_in(base / where, "eve", name, fill(notebook(release, name), cells))
    grade(Settings(base / where, release, base / f"{where} out", hidden_seed=SEED, timeout=10.0))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = run("honest", {"policy_network": solutions(release, name)["policy_network"]})
after = run("eve", given)
told = json.loads((base / "eve out/students/eve.json").read_text())
print(json.dumps([before, after, told["notes"], told["exercises"]["policy_network"]["message"][:300], told["exercises"]["policy_network"]["status"]]))
"""


def graded_apart(base: Path, cell: str, **more: str) -> list[Any]:
    done = subprocess.run(
        [sys.executable, "-c", GRADES, str(base)],
        input=json.dumps({NET: cell, **more}),
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_what_answers_say_is_left_costs_the_grader_no_memory(tmp_path: Path) -> None:
    before, after, *told = graded_apart(tmp_path, LEFT.replace("LONG", "2000").replace("MANY", "300"))
    assert after - before < 300, (before, after, told)


def test_words_that_are_left_do_not_make_the_grader_fail(tmp_path: Path) -> None:
    *_, notes, message, status = graded_apart(tmp_path, LEFT.replace("LONG", "10").replace("MANY", "10"))
    assert "The grader itself failed" not in str(notes), (notes, message, status)


# A later forward pass may give outputs of another shape than the first: [1, K] in place of [B, A], K up to 1000 B. The log-odds
# of all actions against all others are then K x K numbers.
WIDE = (
    LEFT.partition("old, count")[0]
    + """
import base64
old, late = kind.encoded, []

def encoded(self, observed):
    said, question = old(self, observed), (self.now or {}).get("question")
    if late and question == "forward" and "error" not in said:
        said["0/logits"] = ["float32", [1, WIDTH], base64.b64encode(bytes(4 * WIDTH)).decode()]
    if question == "foreign":
        late.append(True)
    return said

kind.encoded = encoded

class Policy(nn.Module):
    def __init__(self, obs_dim, num_actions):
        super().__init__()
        self.layer = nn.Linear(obs_dim, num_actions)
        nn.init.normal_(self.layer.weight, std=0.01)
        nn.init.zeros_(self.layer.bias)

    def forward(self, obs):
        return Categorical(logits=self.layer(obs))

def policy_network(obs_dim, num_actions):
    return Policy(obs_dim, num_actions)
"""
)


def test_outputs_of_another_shape_cost_the_grader_no_memory(tmp_path: Path) -> None:
    before, after, *told = graded_apart(tmp_path, WIDE.replace("WIDTH", "12000"))
    assert after - before < 300, (before, after, told)


def test_outputs_of_no_columns_and_many_rows_cost_the_grader_no_memory(tmp_path: Path) -> None:
    empty = WIDE.replace("[1, WIDTH], base64.b64encode(bytes(4 * WIDTH)).decode()]", '[2**28, 0], ""]')
    before, after, *told = graded_apart(tmp_path, empty)
    assert after - before < 300, (before, after, told)


# The observers of another exercise of the same notebook bring a right answer along: `LinearPolicy`, which torch lists.
BORROWED = """
import torch
from torch import nn

def policy_network(obs_dim, num_actions):
    kind = next(each for each in nn.Module.__subclasses__() if each.__name__ == "LinearPolicy")
    return kind(torch.zeros(num_actions, obs_dim), torch.zeros(num_actions))
"""


def test_no_network_of_the_observers_is_an_answer(tmp_path: Path) -> None:
    _, _, _, message, status = graded_apart(tmp_path, BORROWED)
    assert status != "correct", message


HANDED = """
import torch
KINDS = []

def reinforce_update(policy, optimizer, episodes, *, gamma):
    KINDS.append(type(policy))
    return 0.0
"""
TAKES = """
def policy_network(obs_dim, num_actions):
    return KINDS[0](torch.zeros(num_actions, obs_dim), torch.zeros(num_actions))
"""


def test_a_network_that_another_exercise_is_handed_is_no_answer(tmp_path: Path) -> None:
    """Without a look at the interpreter: the public examples of that one run before the hidden inputs of this one."""
    _, _, _, message, status = graded_apart(tmp_path, TAKES, reinforce_update=HANDED)
    assert status != "correct", message
