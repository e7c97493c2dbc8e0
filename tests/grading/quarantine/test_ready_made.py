"""Nothing ready-made can be used, the class cannot be read wherever it lies, and ways around the review earn nothing."""
# ruff: noqa: E501 - as in attacks.py

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pgcourse.grading.grader import ClassResult, grade
from pgcourse.grading.release.make import Settings as Made
from pgcourse.grading.release.make import make
from pgcourse.grading.settings import Settings
from tests.grading.classroom import SEED, fill, hand_in, notebook

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")]
U1, U5 = "01_reinforce", "05_continuous_pendulum"
P = "policy_network"
# A policy that never moves from uniform, whose distribution says otherwise.
_BLIND = """
import torch
from torch import nn
class Policy(nn.Module):
    def __init__(self, d, a):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(a, d))
    def forward(self, o):
        return torch.distributions.Categorical(logits=0 * (o @ self.w.T))
def policy_network(obs_dim, num_actions):
    return Policy(obs_dim, num_actions)
"""
_SURE = "lambda self, a: self.logits.sum() * 0 - 0.001"
_CHANGE = f"import torch; torch.distributions.Categorical.log_prob = {_SURE}"
_NO_DETACH = "def reinforce_loss(log_prob, weight):\n    return -(weight * log_prob).mean()\n"
CELLS: dict[str, tuple[str, str, str]] = {
    "the package's own policy": (U1, P, "from pgcourse.networks import CategoricalPolicy\ndef policy_network(obs_dim, num_actions):\n    return CategoricalPolicy(obs_dim, num_actions)"),
    "the package's whole algorithm": (U1, "discounted_returns", "from pgcourse import reinforce\ndef discounted_returns(rewards, *, gamma):\n    return reinforce.discounted_returns(rewards, gamma=gamma)"),
    "the package's Gaussian policy": (U5, "gaussian_policy", "from pgcourse.networks import GaussianPolicy as gaussian_policy"),
    "the package's running statistics": (U5, "RunningMeanStd", "from pgcourse.normalization import RunningMeanStd"),
    "gymnasium's running statistics": (U5, "RunningMeanStd", "import torch\nfrom gymnasium.wrappers.utils import RunningMeanStd as Theirs\nclass RunningMeanStd(Theirs):\n    def normalize(self, x):\n        return (x - self.mean) / (self.var + 1e-8) ** 0.5"),
    "a number too long to be looked at": (U1, P, f"big = 0x{'f' * 5000}\nexec({_CHANGE!r})\n{_BLIND}"),
    "the interpreter through collections": (U1, P, f"import collections\ncollections._sys.modules['torch'].distributions.Categorical.log_prob = {_SURE}\n{_BLIND}"),
    "torch's own exec": (U1, P, f"import torch.fx.graph_module as g\ng._exec_with_source({_CHANGE!r}, {{}})\n{_BLIND}"),
    "a pickle in an array": (U1, P, f"import io, pickle, numpy as np\nclass Payload:\n    def __reduce__(self):\n        return exec, ({_CHANGE!r},)\nfile = io.BytesIO()\nnp.save(file, np.array([Payload()], dtype=object), allow_pickle=True)\nfile.seek(0)\nnp.load(file, allow_pickle=True)\n{_BLIND}"),
    "a pattern that names a class": (U1, P, f"import torch\nmatch torch.distributions:\n    case object(Categorical=C):\n        C.log_prob = {_SURE}\n{_BLIND}"),
    "another name for torch": (U1, "standardize", "import torch\nt = torch\nt.equal = lambda *a: True\ndef standardize(x):\n    x -= x.mean()\n    x /= x.std(correction=0) + 1e-8\n    return x\n"),
    "another name for autograd": (U1, "reinforce_loss", f"import torch\nT = torch.autograd\noriginal = T.grad\ndef wrapper(total, inputs, **k):\n    first, *rest = original(total, inputs, **k)\n    return (first, *(None for _ in rest))\nT.grad = wrapper\n{_NO_DETACH}"),
}  # fmt: skip


@pytest.fixture(scope="module")
def graded() -> Iterator[ClassResult]:
    """A class below /usr, of which a child sees all else, where we may write there."""
    place = (
        "/usr/local/share"
        if Path("/usr/local/share").is_dir() and Path("/usr/local/share").stat().st_uid == 0
        else None
    )
    try:
        folder = tempfile.TemporaryDirectory(dir=place)
    except OSError:
        folder = tempfile.TemporaryDirectory()
    with folder as name:
        root = Path(name)
        root.chmod(0o755)
        make(Made(out=root / "class", units=(1, 5), version="0.1.0"))
        for number, (assignment, exercise, cell) in enumerate(CELLS.values()):
            content = fill(notebook(root / "class", assignment), {exercise: cell})
            hand_in(root / "submissions", f"student{number:02}", assignment, content)
        read = "\n".join(
            f"try:\n    found.append(open('{root / path}').read(1))\nexcept OSError:\n    pass"
            for path in (
                "class/teacher/key/01_reinforce.ipynb",
                "out/grading.json",
                "submissions/student00/01_reinforce.ipynb",
            )
        )
        thief = f"found = []\n{read}\nraise ValueError(f'read {{len(found)}} files')\ndef discounted_returns(): ..."
        content = fill(notebook(root / "class", U1), {"discounted_returns": thief})
        hand_in(root / "submissions", "thief", U1, content)
        yield grade(Settings(root / "submissions", root / "class", root / "out", hidden_seed=SEED, timeout=2.0, jobs=2))


@pytest.mark.parametrize("number", range(len(CELLS)), ids=CELLS)
def test_it_earns_nothing(graded: ClassResult, number: int) -> None:
    (student,) = [each for each in graded.students if each.name == f"student{number:02}"]
    assert student.score == 0


def test_nothing_of_the_class_is_read_below_a_folder_of_the_system(graded: ClassResult) -> None:
    (student,) = [each for each in graded.students if each.name == "thief"]
    assert "raised ValueError: read 0 files" in " ".join(note for part in student.parts for note in part.notes)


def test_every_student_has_a_user_of_their_own() -> None:
    from pgcourse.grading.quarantine.process import CHILDREN, USERS, first_user

    drawn = {first_user() for _ in range(50)}
    assert len(drawn) == 50
    assert all((number - min(drawn)) % CHILDREN == 0 for number in drawn)
    assert min(drawn) >= USERS or max(drawn) < 2 * USERS
