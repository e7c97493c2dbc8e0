"""A sixth round: honest notebooks that lost points of right answers, and memory that the address limit does not mean to give.

Each notebook here runs without an error from top to bottom where a learner has the libraries, and each of its checks says "right".
"""
# ruff: noqa: E501 - some notebooks are long lines

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from pgcourse.grading.grader import grade
from pgcourse.grading.settings import Settings
from tests.grading.classroom import SEED, fill, grade_id, hand_in, make_release, notebook, solutions
from tests.grading.quarantine.attacks_of_harm import NOTHING, RAW, D
from tests.grading.quarantine.test_harm_round_four import trial

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")]
NAME = "01_reinforce"
STANDARDIZE = "def standardize(x):\n    return (x - x.mean()) / (x.std(correction=0) + EPS)\n"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_release(tmp_path_factory.mktemp("six") / "release", 1)


def points(base: Path, release: Path, *own: tuple[str, str], **changes: Any) -> tuple[float, str]:
    """Args: own: ("^id", a cell above the answer), ("id", below), ("=id", the answer's own cell), ("$", at the end)."""
    filled = fill(notebook(release, NAME), solutions(release, NAME))
    cells = filled["cells"]
    for number, (place, source) in enumerate(own):
        found = [n for n, cell in enumerate(cells) if place.strip("^=") in (grade_id(cell), cell["id"])]
        if place.startswith("="):
            cells[found[0]]["source"] = source
            continue
        cell = {"cell_type": "code", "id": f"own{number}", "metadata": {}, "outputs": [], "source": source}
        cells.insert(len(cells) if place == "$" else found[0] + (not place.startswith("^")), cell)
    hand_in(base / "in", "anna", NAME, filled)
    result = grade(Settings(base / "in", release, base / "out", hidden_seed=SEED, **{"timeout": 3.0} | changes))
    return result.students[0].score, (base / "out/students/anna.json").read_text(encoding="utf-8").partition('"notes"')[
        2
    ][:600]


# 1. An ablation in one cell: set something, train or draw, set it back. What is refused in between, a stand-in or the
# course's own finale, ends itself alone: else the answer would stay as it was only meant to be for a moment.
SET_BACK = {
    "the course's own finale": "finale.reinforce(policy_network=policy_network, reinforce_update=reinforce_update)",
    "a plot": "import matplotlib.pyplot as plt\nplt.plot([1, 2, 3])\nplt.show()",
}


@pytest.mark.parametrize("kind", SET_BACK)
def test_an_ablation_that_sets_back_what_it_changed_costs_nothing(tmp_path: Path, release: Path, kind: str) -> None:
    cell = f"keep = standardize\nstandardize = lambda x: x\n{SET_BACK[kind]}\nstandardize = keep\n"
    score, told = points(tmp_path, release, ("$", cell))
    assert score == 11.0, told


def test_a_method_of_torch_that_is_set_back_behind_a_plot_costs_nothing(tmp_path: Path, release: Path) -> None:
    cell = "import matplotlib.pyplot as plt\nold = torch.Tensor.std\ntorch.Tensor.std = lambda self, *_, **__: torch.tensor(1.0)\n"
    cell += "plt.plot(standardize(torch.randn(3)))\ntorch.Tensor.std = old\n"
    score, told = points(tmp_path, release, ("$", cell))
    assert score == 11.0, told


# 2. A cell of settings and helpers whose first lines use what is not there while grading: what stands below is defined.
SETTINGS = {
    "the style of plots": "import matplotlib.pyplot as plt\nplt.rcParams['figure.figsize'] = (8, 4)\nplt.style.use('ggplot')",
    "seaborn": "import seaborn as sns\nsns.set_theme()",
    "the version of a library": "import gymnasium as gym\nprint(gym.__version__)",
    "an environment of its own": "import gymnasium as gym\nclass Corridor(gym.Env):\n    size = 5",
    "a compiled helper": "from numba import njit\n@njit\ndef fast(x):\n    return x",
    "IPython's display": "from IPython.display import HTML, display\ndisplay(HTML('<b>Settings</b>'))",
    "an import within with": "import warnings\nwith warnings.catch_warnings():\n    warnings.simplefilter('ignore')\n    import seaborn",
    "torch's own writer": "from torch.utils.tensorboard import SummaryWriter",
    "room on the disk": "import shutil\nprint(shutil.disk_usage('.').free)",
    "another program": "import subprocess\nprint(subprocess.run(['ls'], capture_output=True).stdout)",
}


@pytest.mark.parametrize("kind", SETTINGS)
def test_what_stands_below_a_line_that_grading_refuses_is_defined(tmp_path: Path, release: Path, kind: str) -> None:
    score, told = points(
        tmp_path, release, ("^standardize", f"{SETTINGS[kind]}\nEPS = 1e-8\n"), ("=standardize", STANDARDIZE)
    )
    assert score == 11.0, told


def test_a_plot_above_the_answer_in_its_own_cell_costs_nothing(tmp_path: Path, release: Path) -> None:
    above = "import matplotlib.pyplot as plt\nplt.hist(torch.randn(100).numpy())\nEPS = 1e-8\n"
    score, told = points(tmp_path, release, ("=standardize", above + STANDARDIZE))
    assert score == 11.0, told


# 3. torch has imported tqdm; its other modules are not on the child's disk.
@pytest.mark.parametrize("line", ["from tqdm.auto import tqdm", "from tqdm.notebook import tqdm, trange"])
def test_an_import_of_tqdm_at_the_first_level_lets_the_cell_go_on(tmp_path: Path, release: Path, line: str) -> None:
    pytest.importorskip("tqdm")
    score, told = points(tmp_path, release, ("^standardize", f"{line}\nEPS = 1e-8\n"), ("=standardize", STANDARDIZE))
    assert score == 11.0, told


# 4. As many threads as the learner's (or the grader's) machine has processors: `os.cpu_count()` is 48 or 64 there.
@pytest.mark.parametrize("threads", ["64", "os.cpu_count()"])
def test_as_many_threads_as_there_are_processors_end_no_answer(tmp_path: Path, release: Path, threads: str) -> None:
    own = (
        f"import os\nos.cpu_count = lambda: 64  # as on such a machine\ntorch.set_num_threads({threads})\nEPS = 1e-8\n"
    )
    score, told = points(tmp_path, release, ("^standardize", own), ("=standardize", STANDARDIZE))
    assert score == 11.0, told


# 5. Annotations and questions about types name a library, and use nothing of it.
def test_an_annotation_with_brackets_costs_nothing(tmp_path: Path, release: Path) -> None:
    answer = "from jaxtyping import Float\nfrom torch import Tensor\nEPS = 1e-8\n"
    answer += STANDARDIZE.replace("(x):", '(x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:')
    score, told = points(tmp_path, release, ("=standardize", answer))
    assert score == 11.0, told


def test_a_helper_that_asks_whether_it_got_a_series_costs_nothing(tmp_path: Path, release: Path) -> None:
    helper = "import pandas as pd\nEPS = 1e-8\ndef plain(x):\n    return torch.tensor(x.values) if isinstance(x, pd.Series) else x\n"
    answer = "def standardize(x):\n    x = plain(x)\n    return (x - x.mean()) / (x.std(correction=0) + EPS)\n"
    score, told = points(tmp_path, release, ("^standardize", helper), ("=standardize", answer))
    assert score == 11.0, told


# 6. What answers may use, and the walls refuse.
def test_torch_compile_gives_what_it_was_given(tmp_path: Path, release: Path) -> None:
    score, told = points(
        tmp_path, release, ("=standardize", "EPS = 1e-8\n@torch.compile\n" + STANDARDIZE), timeout=10.0
    )
    assert score == 11.0, told


@pytest.mark.parametrize("line", ["count = mp.Value('i', 0)", "numbers = mp.Array('d', 3)"])
def test_multiprocessing_shares_through_files(tmp_path: Path, release: Path, line: str) -> None:
    own = f"import multiprocessing as mp\n{line}\nEPS = 1e-8\n"
    score, told = points(tmp_path, release, ("^standardize", own), ("=standardize", STANDARDIZE))
    assert score == 11.0, told


# 7. Libraries that are mapped and not needed: unmapped, they make room for memory of its own below RLIMIT_AS.
MEMORY, DISKS = 256, 128
UNMAPS = rf"""{RAW}
L.mmap.restype = ctypes.c_void_p
if True:  # one statement: between two, the child asks torch for its default dtype
    for line in open("/proc/self/maps").readlines():
        span, perms, _, _, _, *path = line.split()
        start, end = (int(part, 16) for part in span.split("-"))
        name = path[0] if path else ""
        if any(part in name for part in ("scipy", "openblas", "gfortran", "libcu", "libnv", "triton", "ssl", "crypto")):
            L.munmap(ctypes.c_void_p(start), ctypes.c_size_t(end - start))
        elif "libtorch" in name and "w" not in perms:
            L.munmap(ctypes.c_void_p(start), ctypes.c_size_t(end - start))
    held = 0
    while held < 1500:
        at = L.mmap(None, ctypes.c_size_t(2**23), 3, FLAGS, -1, 0)
        if at in (None, 2**64 - 1):
            break
        ctypes.memset(at, 1, 2**23)
        held += 8
    said = json.dumps(dict(event="end", error=["ValueError", f"holds {{held}} MB", ""])).encode()
    os.write(3, struct.pack(">I", len(said)) + said)
    os._exit(0)
{NOTHING}"""


@pytest.mark.parametrize("flags", ["0x22", "0x122"], ids=["data", "what grows down, as a stack does"])
def test_a_notebook_that_unmaps_libraries_holds_no_more_memory(tmp_path: Path, flags: str) -> None:
    notes = trial(tmp_path, {"eve": UNMAPS.replace("FLAGS", flags)}, D, memory=MEMORY, timeout=10.0)["eve"]
    held = re.search(r"holds (\d+) MB", notes)
    assert held and int(held[1]) <= MEMORY + DISKS, notes
