"""Which code and which versions a claims file's figures come from, and whether they are still today's."""

import hashlib
import importlib
import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gymnasium.envs.registration import registry

from pgcourse.registration import NAMESPACE, register_envs
from pgcourse.study.claims import machine
from pgcourse.study.source import PACKAGE, code_of_file, files_behind

from .runs import BATCHED, ONE_BY_ONE, ROOT

CLAIMS = ROOT / "claims"
# What hands out, names, writes or reads runs, and what the tests compute anew from a file's values.
NO_FIGURE = {
    PACKAGE / name
    for name in (
        "course_files.py", "registration.py", "runs.py", "storage.py", "study/claims.py", "study/keep.py", "study/source.py",
        "study/workers.py",
    )
}  # fmt: skip
# A patch release of Python moves no figure, and continuous integration has whatever Python it finds.
LIBRARIES = ("torch", "gymnasium", "numpy")


def read(name: str) -> dict[str, Any]:
    """The content of `claims/NAME.json` as it is now."""
    return json.loads((CLAIMS / f"{name}.json").read_text(encoding="utf-8"))


def code_behind(name: str, how: str = ONE_BY_ONE) -> dict[str, str]:
    """A study's code: path in the repository -> digest of what it does, free of layout, comments and docstrings.

    It is the study's own file, all that it imports, and what the runs of its settings go through. Args: how its runs
    were made: code that makes batches has no part in runs made one by one.
    """
    study = importlib.import_module(f"tools.claims.{name}").STUDY
    algorithms = {PACKAGE / "algorithms" / f"{config.algorithm}.py" for config in study.variants.values()}
    environments = {file for config in study.variants.values() for file in files_of_environment(config.env_id)}
    files = files_behind([ROOT / "tools" / "claims" / f"{name}.py", *algorithms, *environments]) - NO_FIGURE
    if how != BATCHED:
        files = {path for path in files if not path.is_relative_to(PACKAGE / "study" / "batched")}
    return digests(files)


def files_of_environment(env_id: str) -> set[Path]:
    """The package's files that Gymnasium makes this environment from: nothing imports them, they are found by the id."""
    register_envs()
    spec = registry.get(NAMESPACE + env_id.removeprefix(NAMESPACE)) or registry.get(env_id)
    entries = () if spec is None else (spec.entry_point, spec.vector_entry_point)
    modules = {entry.partition(":")[0] for entry in entries if isinstance(entry, str)}
    own = [module for module in modules if module.startswith(f"{PACKAGE.name}.")]
    return {Path(importlib.util.find_spec(module).origin).resolve() for module in own}


def digests(files: set[Path]) -> dict[str, str]:
    """Path in the repository -> twelve hex digits of its code, for the files that hold any."""
    codes = {path.relative_to(ROOT).as_posix(): code_of_file(path) for path in sorted(files)}
    return {
        path: hashlib.sha256(code.encode()).hexdigest()[:12] for path, code in codes.items() if code not in ("", "pass")
    }


def digest_of_code(code: str) -> str:
    """Of what `code_of` gives."""
    return hashlib.sha256(code.encode()).hexdigest()[:12]


def reasons(name: str, content: Mapping[str, Any]) -> list[str]:
    """Why the figures of a claims file may be other ones today; none where they are current."""
    if "code" not in content:
        return ["it does not say which code it comes from"]
    then, now = content["code"], code_behind(name, content.get("runs", ONE_BY_ONE))
    found = [f"{path} has changed" for path in now if path in then and now[path] != then[path]]
    found += [f"{path} is new" for path in now if path not in then]
    # A file that the study no longer goes through says nothing while it is as it was.
    before = {path: digests({ROOT / path} if (ROOT / path).is_file() else set()) for path in then if path not in now}
    found += [f"{path} has changed" for path, code in before.items() if code and code[path] != then[path]]
    found += [f"{path} is gone" for path, code in before.items() if not code]
    return found + version_changes(content["versions"])


def version_changes(then: Mapping[str, str]) -> list[str]:
    """Libraries whose version is another one today; a build for other hardware is the same version."""
    now = machine()["versions"]
    return [
        f"{library} {then[library]} is now {now[library]}"
        for library in LIBRARIES
        if then[library].partition("+")[0] != now[library].partition("+")[0]
    ]
