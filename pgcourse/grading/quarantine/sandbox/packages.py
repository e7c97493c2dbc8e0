"""What can be imported in a child: the standard library, the libraries that answers may use, and a package without answers.

`import pgcourse` gives what the notebook's own answers need, and for everything else a refusal. Where the walls stand, what
is left out here is not on the disk that the child sees either.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import importlib
import importlib.util
import linecache
import marshal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, TypeVar

FOLDER = "/pgcourse-grader"  # of no file on any disk
_STANDARD = set(sys.stdlib_module_names) | {"__main__", "__mp_main__"}


_Error = TypeVar("_Error", bound=Exception)


class Inert:
    """Takes every call and attribute, holds nothing and does nothing: IPython's magics end here."""

    def __getattr__(self, name: str) -> Inert:
        return self

    def __call__(self, *_: Any, **__: Any) -> Inert:
        return self

    __getitem__ = __add__ = __radd__ = __call__

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0


class Refused:
    """Stands for a name that a graded notebook does not have. Using it says so; naming it, in an annotation too, does not.

    Args: error: of the name.
    """

    def __init__(self, name: str, error: Callable[[str], Exception]) -> None:
        self._name, self._error = name, error

    def __getattr__(self, name: str) -> Refused:
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)
        return Refused(f"{self._name}.{name}", self._error)

    def _named(self, other: Any) -> Refused:
        return self

    __or__ = __ror__ = __getitem__ = _named

    def __instancecheck__(self, value: Any) -> bool:
        return False


def is_refusal(error: BaseException) -> bool:
    """Whether it may be one of grading alone: a stand-in, the walls, a file or a library that is not there.

    Also one of handling that: `except` with a stand-in for a class.
    """
    if isinstance(error, OSError | ImportError) or getattr(error, "while_grading", False) is True:
        return True
    return error.__context__ is not None and is_refusal(error.__context__)


def _ours(error: _Error) -> _Error:
    error.while_grading = True  # type: ignore[attr-defined]
    return error


def _refuse(self: Refused, *_: Any, **__: Any) -> Any:
    raise self._error(self._name)


for _method in (
    "call", "iter", "next", "len", "bool", "contains", "setitem", "enter", "mro_entries", "float", "int",
    "index", "neg", "add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "pow", "rpow", "matmul",
    "rmatmul", "lt", "le", "gt", "ge",
):  # fmt: skip
    setattr(Refused, f"__{_method}__", _refuse)


class Packages:
    """Finds every module that is no part of Python: those in `sources`, those of the libraries, and stand-ins.

    Args: sources: module of ours -> text; what of ours is not there is empty, and its names are `Refused`. libraries: top
    modules that answers may use. absent: top modules that the handed-out notebook imports and that are refused likewise.
    All others cannot be imported, but for `standing_in`. codes: what `compiled` makes of the sources.
    """

    def __init__(
        self, sources: Mapping[str, str], libraries: Iterable[str], absent: Iterable[str], codes: Mapping[str, str]
    ) -> None:
        self.sources, self.codes, self.libraries = dict(sources), dict(codes), set(libraries)
        self.absent = {"pgcourse", *absent} - self.libraries
        self.standing: set[str] = set()

    def hide(self, *prefixes: str) -> None:
        """Refuse modules whose names begin so, from now on; who holds on to one keeps it."""
        loaded = [*self.sources]
        for name in [name for name in loaded if name.startswith(prefixes)]:
            del self.sources[name], self.codes[name]
            linecache.cache.pop(file_of(name), None)
        forget(loaded)

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        """As `importlib.abc.MetaPathFinder` has it. Raises: ModuleNotFoundError for what answers may not use."""
        top = name.partition(".")[0]
        if top in _STANDARD or top in self.libraries:
            return None
        if top not in self.absent | self.standing:
            raise self.not_found(name)
        package = name not in self.sources or any(other.startswith(f"{name}.") for other in self.sources)
        return ModuleSpec(name, self, is_package=package)  # type: ignore[arg-type]

    @contextlib.contextmanager
    def standing_in(self, source: str) -> Iterator[None]:
        """While a cell runs, let what its own first level imports be there, refused in use: what else it defines matters.

        An import within `try` or a function fails as it would without the library.
        """
        with contextlib.suppress(Exception):
            body = ast.parse(source).body
            names = [alias.name for node in body if isinstance(node, ast.Import) for alias in node.names]
            names += [node.module or "" for node in body if isinstance(node, ast.ImportFrom)]
            missing = {name.partition(".")[0] for name in names if name not in sys.modules}
            self.standing = missing - _STANDARD - self.libraries - self.absent
        # To go through all modules for nothing writes to a thousand pages that the child shares with others: 5 ms.
        before = {*sys.modules} if self.standing else set()
        try:
            yield
        finally:
            for name in {*sys.modules} - before if self.standing else ():
                if name.partition(".")[0] in self.standing:
                    del sys.modules[name]
            self.standing = set()

    def not_found(self, name: str) -> ModuleNotFoundError:
        """The error of a module that answers may not use, or of a name in it."""
        top = name.partition(".")[0]
        return _ours(
            ModuleNotFoundError(f"No module named {top!r} while grading; {self.instead} can be used", name=name)
        )

    def not_there(self, name: str) -> RuntimeError:
        """The error of a name that the handed-out notebook imports, and that answers may not use."""
        return _ours(RuntimeError(f"{name} is not there while grading: write it yourself, or use {self.instead}"))

    def stands_in(self, value: Any) -> bool:
        """Whether it is a module that is not there."""
        spec = getattr(value, "__spec__", None) if type(value) is ModuleType else None
        return spec is not None and spec.loader is self and spec.name not in self.sources

    @property
    def instead(self) -> str:
        """What can be used, in words."""
        return "Python's standard library, " + ", ".join(sorted(self.libraries & {"numpy", "scipy"})) + " and torch"

    def create_module(self, spec: ModuleSpec) -> None:
        """The default module."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the source, if there is one; what it lacks is refused."""
        name = module.__name__
        module.__file__ = file_of(name)
        if name in self.sources:
            remember(module.__file__, self.sources[name])
            exec(marshal.loads(base64.b64decode(self.codes[name])), vars(module))
        vars(module).setdefault("__getattr__", self._missing(name))

    def _missing(self, module: str) -> Any:
        error = self.not_there if module.partition(".")[0] in self.absent else self.not_found

        def __getattr__(name: str) -> Any:
            if name.startswith("__") and name != "__version__":
                raise AttributeError(name)
            inner = f"{module}.{name}"
            return importlib.import_module(inner) if inner in self.sources else Refused(inner, error)

        return __getattr__


def file_of(module: str) -> str:
    """The name of the file that a module of ours seems to come from."""
    return f"{FOLDER}/{module.replace('.', '/')}.py"


def defined(node: ast.stmt) -> set[str]:
    """The names that a statement of a cell gives a value, as far as its first level says it."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    imports = (part for part in ast.walk(node) if isinstance(part, ast.Import | ast.ImportFrom))
    return names | {alias.asname or alias.name.partition(".")[0] for part in imports for alias in part.names} - {"*"}


def compiled(module: str, source: str) -> str:
    """The code of a module of ours as text, for children with the same interpreter: to compile it takes ten times as long."""
    return base64.b64encode(marshal.dumps(compile(source, file_of(module), "exec"))).decode("ascii")


def remember(filename: str, source: str) -> None:
    """Let tracebacks and `inspect` show the lines of a file that is on no disk."""
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)


def install(
    sources: Mapping[str, str], libraries: Iterable[str], absent: Iterable[str], codes: Mapping[str, str]
) -> Packages:
    """Let `Packages` decide from now on what can be imported. Of the package nothing may be loaded: see `forget`."""
    finder = Packages(sources, libraries, absent, codes)
    sys.meta_path.insert(0, finder)
    find_spec = importlib.util.find_spec

    def found(name: str, package: str | None = None) -> ModuleSpec | None:
        """As `importlib.util.find_spec`: None for what answers may not use."""
        with contextlib.suppress(ModuleNotFoundError):
            return find_spec(name, package)
        return None

    importlib.util.find_spec = found
    return finder


def forget(names: Iterable[str]) -> None:
    """Drop these modules and all that they lie in; who holds on to one keeps it."""
    for name in names:
        while name:
            sys.modules.pop(name, None)
            name = name.rpartition(".")[0]
