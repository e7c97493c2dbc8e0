"""The floors of the package, who imports whom, and their picture in CONTRIBUTING.md: `python -m tools.house` draws it anew."""

import ast
from collections.abc import Iterator
from pathlib import Path

# The first part of a module's name below `pgcourse` -> floor. `__init__` is the package's own face: it gathers the public
# names of the floors up to 5.
FLOORS: dict[str, int] = {
    "errors": 1, "config": 1, "storage": 1, "registration": 1, "course_files": 1, "spaces": 1,
    "returns": 1, "losses": 1, "diagnostics": 1, "statistics": 1, "natural_gradient": 1,
    "networks": 2, "normalization": 2, "optim": 2, "envs": 2,
    "rollout": 3, "evaluation": 3, "render": 3, "setup": 3,
    "training": 4, "runs": 4, "episodes": 4, "checkpoint": 4, "tensorboard": 4,
    "algorithms": 5,
    "language": 5,
    "study": 6,
    "checks": 7, "workfolder": 7,
    "show": 8, "grading": 8, "__init__": 8,
    "doctor": 9,
    "cli": 10,
    "__main__": 11,
}  # fmt: skip
BEGIN, END = "<!-- drawn by tools/house.py -->", "<!-- end of the picture -->"


def module_names(package: Path) -> dict[str, Path]:
    """Dotted names below the package -> file; `__init__` for the package's own file."""
    names = {}
    for file in sorted(package.rglob("*.py")):
        parts = list(file.relative_to(package).with_suffix("").parts)
        if parts[-1] == "__init__" and len(parts) > 1:
            parts.pop()
        names[".".join(parts)] = file
    return names


def imported(file: Path, package: Path, known: set[str]) -> Iterator[tuple[int, str]]:
    """(line, module of the package) for every import in the file, inside functions too."""
    here = list(file.relative_to(package).parent.parts)
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        bases: list[tuple[list[str], list[str]]] = []  # (module below the package, names taken from it)
        if isinstance(node, ast.Import):
            bases = [
                (alias.name.split(".")[1:], []) for alias in node.names if alias.name.split(".")[0] == package.name
            ]
        elif isinstance(node, ast.ImportFrom):
            module = node.module.split(".") if node.module else []
            names = [alias.name for alias in node.names]
            if node.level:
                start = here[: len(here) - (node.level - 1)]
                assert node.level - 1 <= len(here), f"{file}:{node.lineno} reaches above the package"
                bases = [(start + module, names)]
            elif module[:1] == [package.name]:
                bases = [(module[1:], names)]
        for base, names in bases:
            for name in names or [""]:
                longest = [*base, name] if name and ".".join([*base, name]) in known else base
                yield node.lineno, ".".join(longest) or "__init__"


def violations(package: Path, floors: dict[str, int]) -> list[str]:
    """The imports from a floor above, or from another folder of the same floor, and the modules without a floor."""
    known = module_names(package)
    rooms = {file.parent.name for file in known.values() if file.parent.parent == package}  # folders
    found = []
    for name, file in known.items():
        top = name.split(".")[0]
        if top not in floors:
            found.append(f"{name} has no floor: place {top!r} in FLOORS of tools/house.py")
            continue
        for line, target in imported(file, package, set(known)):
            below = target.split(".")[0]
            if below == top:
                continue
            if below not in floors:
                found.append(f"{name}:{line} imports {target}, which has no floor: place it in FLOORS")
            elif floors[below] > floors[top] or (floors[below] == floors[top] and {top, below} & rooms):
                found.append(f"{name}:{line} (floor {floors[top]}) imports {target} (floor {floors[below]})")
    return found


def circles(package: Path) -> list[str]:
    """The modules that cannot be put in an order in which each comes after all that it imports."""
    known = module_names(package)
    needs = {
        name: {target for _, target in imported(file, package, set(known))} - {name} for name, file in known.items()
    }
    while ready := [name for name, targets in needs.items() if not targets & needs.keys()]:
        for name in ready:
            del needs[name]
    # What imports a circle is left over as well: keep those that somebody in the rest imports.
    return sorted(name for name in needs if any(name in targets for targets in needs.values()))


def rooms_used(package: Path) -> dict[str, set[str]]:
    """Room (a folder, or a file at the package's top) -> the rooms that its files import."""
    known = module_names(package)
    used: dict[str, set[str]] = {name.split(".")[0]: set() for name in known}
    for name, file in known.items():
        room = name.split(".")[0]
        used[room] |= {target.split(".")[0] for _, target in imported(file, package, set(known))} - {room}
    return used


def picture(package: Path) -> str:
    """A Mermaid diagram of the rooms on their floors. An arrow that follows from others, over a third room, is left out."""
    used = rooms_used(package)

    def reached(room: str) -> set[str]:
        return set().union(*({other} | reached(other) for other in used[room]))

    def text(room: str) -> str:
        return f"{room}/" if (package / room).is_dir() else f"{room}.py"

    lines = ["```mermaid", "flowchart TD"]
    for floor in sorted(set(FLOORS.values()), reverse=True):
        lines.append(f'  subgraph floor{floor}["{floor}"]')
        lines += [f'    {room.strip("_")}["{text(room)}"]' for room in sorted(used) if FLOORS.get(room) == floor]
        lines.append("  end")
    for room in sorted(used, key=lambda room: (-FLOORS.get(room, 0), room)):
        direct = used[room] - set().union(*map(reached, used[room]))
        lines += [f"  {room.strip('_')} --> {other.strip('_')}" for other in sorted(direct)]
    return "\n".join([*lines, "```"])


def drawn_in(text: str, package: Path) -> str:
    """The text with a current picture between its markers."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n\n{picture(package)}\n\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    root = Path(__file__).resolve().parent.parent
    page = root / "CONTRIBUTING.md"
    page.write_text(drawn_in(page.read_text(encoding="utf-8"), root / "pgcourse"), encoding="utf-8")
