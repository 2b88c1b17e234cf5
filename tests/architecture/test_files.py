from __future__ import annotations

from tests.architecture.source import ROOT, files, name

# Taken apart, or this file would be the one that names them.
FOLDERS_OF_A_MACHINE = [f"/{folder}/".encode() for folder in ("work", "farm")]


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    found = [name(path) for path in files() if any(folder in path.read_bytes() for folder in FOLDERS_OF_A_MACHINE)]
    assert found == []


def test_the_walk_sees_the_project() -> None:
    seen = {name(path) for path in files()}
    assert {"pyproject.toml", "README.md", "src/portside/__init__.py", "tests/architecture/test_files.py"} <= seen
    assert not any(path.parts[0] in {".git", ".venv"} for path in (one.relative_to(ROOT) for one in files()))
