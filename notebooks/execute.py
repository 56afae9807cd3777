"""Executes the notebooks into output/notebooks; with --write, makes each .ipynb from its .py too."""

import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent


def cells(notebook):
    return [(cell.cell_type, cell.source) for cell in notebook.cells]


def main():
    write = sys.argv[1:] == ["--write"]
    target = ROOT / "output/notebooks"
    target.mkdir(parents=True, exist_ok=True)
    for text in sorted(ROOT.glob("notebooks/*.py")):
        if text == Path(__file__).resolve():
            continue
        notebook, pair = jupytext.read(text), text.with_suffix(".ipynb")
        if not write and cells(nbformat.read(pair, as_version=4)) != cells(notebook):
            sys.exit(f"{pair.name} does not say what {text.name} says: notebooks/execute.py --write")
        print(text.name, flush=True)
        # Cell IDs are random unless somebody says otherwise.
        for number, cell in enumerate(notebook.cells):
            cell.id = f"cell-{number}"
        NotebookClient(notebook, timeout=120, resources={"metadata": {"path": ROOT}}, record_timing=False).execute()
        nbformat.write(notebook, pair if write else target / pair.name)


if __name__ == "__main__":
    main()
