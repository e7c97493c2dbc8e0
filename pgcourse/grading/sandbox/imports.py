"""What `import pgcourse` gives in a child: what the notebook itself imports, and for everything else a refusal."""

from __future__ import annotations

import importlib
import linecache
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

FOLDER = "/pgcourse-grader"  # of no file on any disk


class Refused:
    """Stands for a name of the package that a graded notebook does not have. Calling it says so."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Refused:
        if name.startswith("__"):
            raise AttributeError(name)
        return Refused(f"{self._name}.{name}")

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError(f"{self._name} is not there while grading: write it yourself, or use torch and NumPy")


class Packages:
    """Finds and loads every module of `pgcourse`: those in `sources`, and empty ones whose names are `Refused`."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.sources = sources

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        """As `importlib.abc.MetaPathFinder` has it."""
        if name.partition(".")[0] != "pgcourse":
            return None
        package = name not in self.sources or any(other.startswith(f"{name}.") for other in self.sources)
        return ModuleSpec(name, self, is_package=package)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """The default module."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the source, if there is one; what it lacks is refused."""
        name = module.__name__
        module.__file__ = f"{FOLDER}/{name.replace('.', '/')}.py"
        source = self.sources.get(name, "")
        remember(module.__file__, source)
        exec(compile(source, module.__file__, "exec"), vars(module))
        vars(module).setdefault("__getattr__", self._missing(name))

    def _missing(self, module: str) -> Any:
        def __getattr__(name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            inner = f"{module}.{name}"
            return importlib.import_module(inner) if inner in self.sources else Refused(inner)

        return __getattr__


def remember(filename: str, source: str) -> None:
    """Let tracebacks and `inspect` show the lines of a file that is on no disk."""
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)


def install(sources: Mapping[str, str]) -> None:
    """Forget the package as far as it is loaded, and load it from `sources` from now on."""
    forget()
    sys.meta_path.insert(0, Packages(sources))


def forget(prefix: str = "pgcourse") -> None:
    """Drop the modules whose names begin so; who holds on to one keeps it."""
    for name in [name for name in sys.modules if name == prefix or name.startswith((prefix + ".", prefix + "_"))]:
        del sys.modules[name]
