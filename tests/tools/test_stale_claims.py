"""Claims and the code that they come from: a change makes them stale, and only equal numbers make them current again."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from pgcourse import InvalidInput
from tools.claims import __main__ as command
from tools.claims import code, confirm
from tools.claims.code import code_behind, reasons
from tools.claims.confirm import Version, compared
from tools.claims.runs import BATCHED, ONE_BY_ONE

VERSIONS = command.machine()["versions"]
FILE = {
    "description": "what",
    "versions": VERSIONS,
    "machine": {},
    "seeds": [100, 101],
    "configs": {"a": {"gamma": 0.9}},
    "values": {"a/end": {"unit": "return", "statistics": ["count"], "per_seed": [1.5, 2.5]}},
    "curves": {
        "a": {
            "x": [10, 20, 30],
            "mean": [1, 2, 3],
            "low": [0, 0, 0],
            "high": [9, 9, 9],
            "n": 2,
            "per_seed": [[1, 2, 3], [4, 5, 6]],
        },
        "a/entropy": {"x": [1, 2], "mean": [1, 2], "low": [0, 0], "high": [9, 9], "n": 2, "first": [0.5, 0.25]},
    },
    "prefixes": {"a": [7, 8, 9]},
    "search": {"rate": {"seeds": [90, 91], "late": [3.0, 4.0]}},
    "figures": {},
}
# What one seed gives: bands are of that seed alone, and a curve may end elsewhere than with all seeds.
FIRST_SEED: dict[str, Any] = {
    "description": "what",
    "seeds": [100],
    "configs": {"a": {"gamma": 0.9}},
    "values": {"a/end": {"unit": "return", "statistics": ["count"], "per_seed": [1.5]}},
    "curves": {
        "a": {"x": [20, 30, 40], "mean": [2, 3, 4], "low": [2, 3, 4], "high": [2, 3, 4], "n": 1, "per_seed": [[2, 3, 4]]},
        "a/entropy": {"x": [1, 2], "mean": [0, 0], "low": [0, 0], "high": [0, 0], "n": 1, "first": [0.5, 0.25]},
    },
    "prefixes": {"a": [7, 8, 9]},
    "search": {"rate": {"seeds": [90], "late": [3.0]}},
}  # fmt: skip


def test_the_first_seed_agrees_with_a_file_of_many() -> None:
    found = compared(FILE, FIRST_SEED)
    assert found.differences == [] and found.numbers > 10


def changed(*path: Any, to: Any) -> dict[str, Any]:
    content = copy.deepcopy(FIRST_SEED)
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return content


@pytest.mark.parametrize(
    ("again", "where"),
    [
        (changed("values", "a/end", "per_seed", 0, to=1.5001), "values/a/end/per_seed: [1.5] is now [1.5001]"),
        (changed("curves", "a", "per_seed", 0, 1, to=3.1), "curves/a/per_seed"),
        (changed("curves", "a/entropy", "first", 1, to=0.3), "curves/a/entropy/first"),
        (changed("prefixes", "a", 2, to=10), "prefixes/a"),
        (changed("prefixes", "a", to=[7, 8]), "prefixes/a"),
        (changed("configs", "a", "gamma", to=0.8), "configs"),
        (changed("configs", "a", to={"gamma": 0.9, "activation": "relu"}), "configs"),
        (changed("search", "rate", "late", 0, to=3.5), "search/rate/late"),
        (changed("values", "b/end", to=FIRST_SEED["values"]["a/end"]), "values/b/end is new"),
        (changed("values", to={}), "values/a/end is gone"),
    ],
)
def test_any_number_that_moved_is_found_and_named(again: dict[str, Any], where: str) -> None:
    (difference,) = compared(FILE, again).differences
    assert difference.startswith(where)


def test_a_setting_that_is_younger_than_the_file_is_no_difference_where_it_has_its_default() -> None:
    again = changed("configs", "a", to={"gamma": 0.9, "activation": "tanh", "lr_schedule": "linear"})
    assert compared(FILE, again).differences == []


@pytest.fixture
def claims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of one claims file, of the study `hacking`, that comes from today's code."""
    content = FILE | {"code": code_behind("hacking"), "command": "python -m tools.claims hacking"}
    (tmp_path / "hacking.json").write_text(command.as_text(content))
    monkeypatch.setattr(code, "CLAIMS", tmp_path)
    monkeypatch.setattr(command, "CLAIMS", tmp_path)
    return tmp_path


def test_the_code_of_a_study_is_its_own_file_its_helpers_and_what_its_runs_go_through() -> None:
    files = set(code_behind("hacking"))
    assert files >= {
        "tools/claims/hacking.py", "tools/claims/pendulum.py", "tools/claims/study.py", "pgcourse/study/shaping.py",
        "pgcourse/algorithms/ppo.py", "pgcourse/returns.py", "pgcourse/losses.py", "pgcourse/diagnostics.py",
        "pgcourse/envs/pendulum.py", "pgcourse/normalization.py", "pgcourse/evaluation.py", "pgcourse/statistics.py",
    }  # fmt: skip
    others = ("pgcourse/algorithms/trpo.py", "tools/claims/dqn.py", "pgcourse/render.py", "pgcourse/storage.py")
    assert not files.intersection(others)
    assert not [file for file in files if file.startswith(("pgcourse/show", "pgcourse/checks", "pgcourse/cli"))]


def test_a_change_of_code_or_of_a_library_makes_a_file_stale_and_says_why(
    claims: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--stale", "hacking"]) == 0 and capsys.readouterr().out == ""
    content = json.loads((claims / "hacking.json").read_text())
    assert reasons("hacking", {key: content[key] for key in content if key != "code"})
    content["code"]["pgcourse/losses.py"] = "0" * 12
    content["code"]["pgcourse/gone.py"] = "0" * 12
    del content["code"]["pgcourse/optim.py"]
    content["versions"] = VERSIONS | {"torch": "1.0.0", "numpy": VERSIONS["numpy"] + "+other.hardware", "python": "3.0"}
    (claims / "hacking.json").write_text(command.as_text(content))
    assert command.main(["--stale", "hacking"]) == 1
    out = capsys.readouterr().out
    for reason in ("losses.py has changed", "optim.py is new", "gone.py is gone", "torch 1.0.0 is now"):
        assert reason in out
    assert "numpy" not in out and "python 3" not in out and out.splitlines()[-1].startswith("1 of 1 claims are stale")


def test_of_the_environments_only_a_studys_own_is_behind_it(claims: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the package registers stands nowhere in the study's imports; a file of another environment is no part of it."""
    envs = code.PACKAGE / "envs"
    assert code.files_of_environment("Pendulum-v1") == code.files_of_environment("pgcourse/Pendulum-v1")
    assert code.files_of_environment("Pendulum-v1") == {envs / "pendulum.py"}
    assert code.files_of_environment("Acrobot-v1") == set()  # Gymnasium's: its version says it
    known, stored = code.code_of_file, code.read("hacking")

    def edited(name: str) -> list[str]:
        monkeypatch.setattr(code, "code_of_file", lambda path: "x = 2" if path == envs / name else known(path))
        return reasons("hacking", stored)

    assert edited("pendulum.py") == ["pgcourse/envs/pendulum.py has changed"]
    assert edited("probes.py") == []
    monkeypatch.setattr(code, "files_behind", lambda starts: set(starts))  # as if the package imported no environment
    assert "pgcourse/envs/pendulum.py" in code_behind("hacking")


def test_a_new_environment_makes_no_other_study_stale_and_a_change_of_it_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = "pgcourse/envs/key_door.py"
    assert [name for name in command.STUDIES if own in code_behind(name)] == ["exploration"]
    stored, known = code.read("exploration"), code.code_of_file
    assert reasons("exploration", stored) == []
    monkeypatch.setattr(code, "code_of_file", lambda path: "x = 2" if path == code.ROOT / own else known(path))
    assert reasons("exploration", stored) == [f"{own} has changed"]


def test_a_file_that_a_study_has_left_is_no_reason_while_it_is_as_it_was(claims: Path) -> None:
    stored = code.read("hacking")
    left = "pgcourse/envs/probes.py"
    assert left not in stored["code"]
    stored["code"] |= code.digests({code.ROOT / left})
    assert reasons("hacking", stored) == []
    stored["code"][left] = "0" * 12
    assert reasons("hacking", stored) == [f"{left} has changed"]


def test_code_that_makes_batches_has_no_part_in_runs_made_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batched = code.PACKAGE / "study" / "batched" / "rows.py"
    known = code.files_behind
    monkeypatch.setattr(code, "files_behind", lambda starts: known(starts) | {batched})
    monkeypatch.setattr(code, "code_of_file", lambda path: "x = 1")
    assert "pgcourse/study/batched/rows.py" in code_behind("hacking", BATCHED)
    assert "pgcourse/study/batched/rows.py" not in code_behind("hacking", ONE_BY_ONE)


def confirmed(again: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(confirm, "measured", lambda *study, **options: again)
    return command.main(["--confirm", "hacking"])


def test_equal_numbers_put_todays_code_into_the_file_and_change_nothing_else(
    claims: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = json.loads((claims / "hacking.json").read_text())
    old["code"] = {"pgcourse/losses.py": "0" * 12}
    (claims / "hacking.json").write_text(command.as_text(old))
    assert confirmed(FIRST_SEED, monkeypatch) == 0
    new = json.loads((claims / "hacking.json").read_text())
    assert new["code"] == code_behind("hacking") and new["runs"] == ONE_BY_ONE
    assert new["confirmed"]["seeds"] == [100] and new["confirmed"]["equal_numbers"] > 10
    assert {key: new[key] for key in old if key != "code"} == {key: old[key] for key in old if key != "code"}


def test_a_number_that_moved_leaves_the_file_as_it_is(
    claims: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (claims / "hacking.json").read_bytes()
    assert confirmed(changed("values", "a/end", "per_seed", 0, to=2.0), monkeypatch) == 1
    assert (claims / "hacking.json").read_bytes() == before
    assert "[1.5] is now [2.0]" in capsys.readouterr().out


class History:
    """A version's files, in place of git's."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content

    def __call__(self, *arguments: str) -> bytes:
        if arguments[0] == "rev-parse":
            return b"abc\n"
        if arguments[0] == "log":
            return b"def\nold\n"
        if arguments[1].startswith("old:"):
            return json.dumps(FILE | {"values": {}}).encode()
        if arguments[1].startswith("def:"):
            return json.dumps(FILE).encode()
        return json.dumps(self.content).encode() if arguments[1].endswith(".json") else b"x = 1\n"


@pytest.mark.parametrize(
    ("before", "message"),
    [
        (FILE | {"values": {}}, "has other values in abc"),
        (FILE, "does not say in abc which code it comes from; name a version that wrote it: def"),
        (FILE | {"code": {"pgcourse/losses.py": "0" * 12}}, "stale in abc itself: pgcourse/losses.py had changed"),
    ],
)
def test_a_version_in_which_the_file_was_not_current_confirms_nothing(
    before: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirm, "git", History(before))
    with pytest.raises(InvalidInput, match=message):
        Version("main").require_current("hacking", FILE)


def test_the_version_that_measured_a_file_is_the_first_that_holds_its_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirm, "git", History(FILE))
    assert confirm.written_by("hacking", FILE) == ["def"]
    with pytest.raises(InvalidInput, match="measured after the last commit"):
        confirm.written_by("hacking", FILE | {"values": {"a": 1}})


def test_a_version_in_which_the_file_was_current_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = code.digest_of_code(confirm.code_of("x = 1  # as it was"))
    monkeypatch.setattr(confirm, "git", History(FILE | {"code": {"pgcourse/losses.py": digest}}))
    Version("main").require_current("hacking", FILE)


def test_a_version_that_git_does_not_know_is_one_line_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--confirm", "hacking", "--against", "no-such-version"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "rev-parse" in error
