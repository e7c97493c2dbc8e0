"""What in a submission's code a person may want to look at: it reaches for the interpreter where an answer needs mathematics.

A hint for the teacher, and no wall: it changes no mark. What earns points is compared outside of the student's process; what
a process says of itself alone (that an input stayed as it was, that no gradient flows, of which kind a result is) can be forged
by code that knows what is asked, and such code mostly looks like this.
"""

import ast
import sys
from collections import Counter
from collections.abc import Iterator

from pgcourse.grading.quarantine.reader.python import parsed, tree

# Of the standard library and torch, what answers are made of. Modules that look at or change the interpreter are not.
_PLAIN = {
    "__future__", "abc", "array", "bisect", "cmath", "collections", "copy", "dataclasses", "decimal", "einops", "enum",
    "fractions", "functools", "heapq", "itertools", "math", "numbers", "numpy", "operator", "pgcourse", "random", "scipy",
    "statistics", "string", "time", "torch", "typing", "warnings", "matplotlib", "pandas", "gymnasium", "tqdm",
}  # fmt: skip
_NOT_OF_TORCH = ("torch.testing", "torch.overrides", "torch.utils._", "torch._", "numpy.testing", "numpy.ctypeslib")
_CALLS = {
    "exec", "eval", "compile", "__import__", "globals", "locals", "vars", "setattr", "delattr", "open", "input",
    "breakpoint", "memoryview", "dir",
}  # fmt: skip
# Modules that torch and others hold as attributes (`torch.sys`), and functions that change or make classes by name.
_REACHED = set(sys.stdlib_module_names) - _PLAIN - {
    "chunk", "cmd", "code", "profile", "queue", "select", "signal", "site", "stat", "test", "this", "token", "trace",
}  # fmt: skip
_BY_NAME = {
    "attrgetter", "methodcaller", "update_wrapper", "wraps", "get_type_hints", "make_dataclass", "ABCMeta", "EnumMeta",
    "EnumType", "evaluate_forward_ref", "ForwardRef", "register_module_forward_hook", "cpp_extension", "Formatter",
}  # fmt: skip
_FRAMES = ("f_back", "f_locals", "f_globals", "f_builtins", "gi_frame", "tb_frame", "cr_frame", "tb_next")
_HARMLESS = {
    "__init__", "__name__", "__class__", "__doc__", "__len__", "__call__", "__iter__", "__next__", "__getitem__",
}  # fmt: skip
_BASES = {
    "ValueError", "TypeError", "RuntimeError", "Exception", "nn.Module", "torch.nn.Module", "Module", "object", "NamedTuple",
    "Protocol", "ABC", "Generic",
}  # fmt: skip
_TAKEN = {base.partition(".")[0] for base in _BASES} | {"np"}  # names that stand for what they usually are
# Methods that answers define; others are called by libraries, which trust what these say or return.
_DEFINED = _HARMLESS - {"__class__"} | {
    "__getattr__", "__post_init__", "__repr__", "__str__", "__eq__", "__enter__", "__exit__",
}  # fmt: skip
_OF_TENSORS = {"data", "grad", "requires_grad", "weight", "bias"}  # what a step or a start may change, whosever it is


def review(source: str) -> list[tuple[int, str]]:
    """(line, what it does) for each thing that a person should look at; empty for code that only computes."""
    try:
        read = tree(source)
    except (SyntaxError, ValueError):  # nothing of it runs
        return []
    except (RecursionError, MemoryError):  # Python itself may still be able to run it
        return [(0, "is nested too deeply to be looked at")]
    try:
        return sorted(set(_remarks(read)))
    except (RecursionError, MemoryError):
        return [(0, "is nested too deeply to be looked at")]
    except ValueError:  # a number of more digits than Python writes out; the code runs all the same
        return [(0, "holds a number that is too long to be looked at")]


def _remarks(tree: ast.Module) -> Iterator[tuple[int, str]]:
    imported = {
        alias.asname or alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    own, made = {node.name for node in classes}, _made(tree)
    within = {node for each in classes for node in ast.walk(each)}
    comments = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    named = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call) and len(node.args) == 1}
    read = {node.value for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "__name__"}
    called = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Import):
            yield from ((line, f"imports {alias.name}") for alias in node.names if _strange(alias.name))
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            names = [f"{module}.{alias.name}" for alias in node.names]
            yield from ((line, f"imports {name}") for name in names if _strange(module) or _strange(name))
            last = {alias.name for alias in node.names} & (_REACHED | _BY_NAME)
            yield from ((line, f"imports {name}") for name in last if not _strange(module))
            taken = [a.asname for a in node.names if a.asname in _TAKEN and a.asname != a.name]
            yield from ((line, f"calls something else {name}") for name in taken)
        elif isinstance(node, ast.Attribute):
            name = node.attr
            special = name.startswith("__") and name.endswith("__") and name not in _HARMLESS
            if special or name in _FRAMES or name in _REACHED or name in _BY_NAME:
                yield line, f"uses .{name}"
            elif name == "__class__" and node not in read:
                yield line, "uses .__class__ for more than its name"
            if isinstance(node.ctx, ast.Load):
                continue
            whose = node.value.id if isinstance(node.value, ast.Name) else ""
            its_own = whose in made or (whose == "self" and node in within)
            if not its_own and (name not in _OF_TENSORS or _root(node) in imported | _TAKEN):
                yield line, f"changes .{name}"
        elif isinstance(node, ast.Name):
            if (isinstance(node.ctx, ast.Load) and node.id in _CALLS) or (
                node.id.startswith("__") and node.id not in ("__name__", "__class__")
            ):
                yield line, f"uses {node.id}"
            elif (node.id == "type" and node not in named) or (node.id == "getattr" and node not in called):
                yield line, f"uses {node.id} for more than its answer"
            elif isinstance(node.ctx, ast.Store) and node.id in _TAKEN | own | {"self"}:
                yield line, f"calls something else {node.id}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
            of_itself = bool(node.args) and isinstance(node.args[0], ast.Name) and node.args[0].id == "self"
            if of_itself and "__" not in ast.unparse(node):
                continue
            if len(node.args) < 2 or not isinstance(node.args[1], ast.Constant) or "__" in str(node.args[1].value):
                yield line, "uses getattr with a name made at run time"
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("__") and node.name not in _DEFINED:
            yield line, f"defines {node.name}"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in comments:
            if (text := parsed(node.value)) and any(isinstance(part, ast.Call) for part in ast.walk(text)):
                yield line, "holds code in a text"
        elif isinstance(node, ast.ClassDef):
            bases = [ast.unparse(base) for base in node.bases]
            plain = _BASES | own
            generic = ("Generic", "Protocol")
            strange = [b for b in bases if b not in plain and b.partition("[")[0] not in generic]
            if strange or node.keywords:
                yield line, "makes a class of another kind than answers need"


def _made(tree: ast.Module) -> set[str]:
    """Names that stand for classes and functions of the cell, or for objects of its classes, and for nothing else."""
    nodes = [*ast.walk(tree)]
    bound = Counter(node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load))
    for field in ("name", "arg", "asname", "rest"):
        bound.update(getattr(node, field, None) or "" for node in nodes if not isinstance(node, ast.keyword))
    definitions = [
        node for node in nodes if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.decorator_list
    ]
    made = Counter(node.name for node in definitions)
    classes = {
        node.name for node in definitions if isinstance(node, ast.ClassDef) and made[node.name] == bound[node.name]
    }
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name):
            of_class = node.value.func.id in classes
            made.update(each.id for each in node.targets if of_class and isinstance(each, ast.Name))
    return {name for name in made if made[name] == bound[name] and "*" not in bound}


def _strange(module: str) -> bool:
    if module.startswith(_NOT_OF_TORCH) or module.startswith("pgcourse.checks.observe"):
        return True
    return module.partition(".")[0] not in _PLAIN


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
