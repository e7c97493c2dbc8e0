"""How the pages of the published site are made from notebooks, documents and docstrings; no page is built here."""

import base64
import io
import re
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from PIL import Image

from tools.site.changes import ATOM, atom_feed
from tools.site.docstrings import to_restructured_text
from tools.site.documents import REFERENCE, menu, readme_page, unit_map, without_diagrams
from tools.site.notebooks import lesson_page, read, run_it, shown, with_picture_files
from tools.site.preview import SIZE, preview
from tools.site.units import Unit, read_units

UNIT = Unit("03", "Actor-critic, A2C and GAE", "trade bias for variance", 60, 35, 90, name="03_a2c_gae")


def picture(kind: str, size: tuple[int, int] = (400, 300)) -> str:
    """A picture of noise as a data URI, so that it does not shrink to nothing."""
    content = io.BytesIO()
    Image.effect_noise(size, 80).convert("RGB").save(content, kind)
    return f"data:image/{kind.lower()};base64," + base64.b64encode(content.getvalue()).decode()


class TestUnits:
    def test_every_notebook_is_a_row_of_the_readme_with_its_minutes(self, repository: Path) -> None:
        units = read_units(repository)
        assert [unit.name for unit in units] == sorted(path.stem for path in (repository / "notebooks").glob("*.ipynb"))
        assert all(unit.core > 0 and unit.further > 0 and unit.exercises > 0 and unit.able_to for unit in units)
        assert units[1].label == "01 REINFORCE"

    def test_a_notebook_without_a_row_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "notebooks").mkdir()
        (tmp_path / "notebooks" / "09_new.ipynb").write_text("{}")
        (tmp_path / "README.md").write_text("# A course\n")
        with pytest.raises(SystemExit, match="no row for 09_new"):
            read_units(tmp_path)

    def test_a_row_without_a_notebook_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "notebooks").mkdir()
        (tmp_path / "README.md").write_text("| 09 New | do more | 60 | 5 | 40 |\n")
        with pytest.raises(SystemExit, match="names unit 09"):
            read_units(tmp_path)


class TestNotebooks:
    def test_the_source_of_a_question_is_gone_and_other_folded_source_can_be_shown(self) -> None:
        def tags(source: str, *, hidden: bool = True) -> list[str]:
            cell = nbformat.v4.new_code_cell(source)
            if hidden:
                cell.metadata["jupyter"] = {"source_hidden": True}
            return list(shown(cell, lambda *_: None).metadata["tags"])

        assert tags('questions.quiz("a", "?", ["b"], answer=0)') == ["remove-input"]
        assert tags("fig, ax = new_figure()") == ["hide-input"]
        assert tags("loss.backward()", hidden=False) == []

    @pytest.mark.parametrize("kind", ["PNG", "GIF", "JPEG"])
    def test_a_large_picture_becomes_a_file_with_its_size(self, kind: str) -> None:
        files: dict[str, bytes] = {}
        text = with_picture_files(f'<figure><img src="{picture(kind)}" alt="noise"></figure>', files.__setitem__)
        ((name, content),) = files.items()
        assert Image.open(io.BytesIO(content)).size == (400, 300)
        assert f'src="../_static/outputs/{name}" alt="noise"' in text
        assert 'loading="lazy" width="400" height="300"' in text and "base64" not in text

    def test_the_same_picture_twice_is_one_file(self) -> None:
        files: dict[str, bytes] = {}
        with_picture_files(f'<img src="{picture("PNG")}">' * 2, files.__setitem__)
        first = with_picture_files(f'<img src="{picture("PNG", (5, 5))}" alt="small">', files.__setitem__)
        assert len(files) == 1
        assert "base64" in first, "a small picture stays in the page"

    def test_a_lesson_keeps_every_cell_and_leads_to_its_exercises(self, repository: Path) -> None:
        notebook = read(repository / "notebooks" / "03_a2c_gae.ipynb")
        before = [cell.source for cell in notebook.cells]
        page = lesson_page(notebook, UNIT, actions="<p>run it</p>", store=lambda *_: None)
        after = [cell.source for cell in page.cells]
        assert after[1:-1] == before[1:]
        title, _, text = before[0].partition("\n")
        assert after[0] == f"{title}\n\n<p>run it</p>\n\n{text.strip()}"
        assert "../exercises/03_a2c_gae" in after[-1]

    def test_without_an_address_there_is_no_button_that_needs_one(self) -> None:
        assert re.findall(r'href="([^"]+)"', run_it("notebooks/03_a2c_gae.ipynb", "")) == ["../start.html"]
        links = re.findall(r'href="([^"]+)"', run_it("notebooks/03_a2c_gae.ipynb", "https://github.com/someone/course"))
        assert links[1:] == [
            "https://mybinder.org/v2/gh/someone/course/HEAD?urlpath=lab/tree/notebooks/03_a2c_gae.ipynb",
            "https://colab.research.google.com/github/someone/course/blob/main/notebooks/03_a2c_gae.ipynb",
        ]


class TestDocuments:
    def test_a_page_of_the_readme_has_its_sections_alone_and_no_comment(self) -> None:
        readme = "# Course\n\n## One\n\nfirst <!-- claim -->3<!-- /claim -->\n\n## Two\n\nsecond\n"
        assert readme_page(readme, "Page", ["Two", "One"]) == "# Page\n\n## Two\n\nsecond\n\n## One\n\nfirst 3\n"
        with pytest.raises(SystemExit, match="no section 'Three'"):
            readme_page(readme, "Page", ["Three"])

    def test_a_unit_has_links_to_both_notebooks_and_its_minutes(self) -> None:
        text = unit_map([UNIT])
        assert re.findall(r'href="([^"]+)"', text) == ["notebooks/03_a2c_gae.html", "exercises/03_a2c_gae.html"]
        assert "lesson 60 min" in text and "90 min" in text and "Trade bias for variance." in text

    def test_the_menu_lists_every_document_once(self) -> None:
        text = menu([UNIT], ["asked_for", "concept_test", "new_page", "symbols", "teaching"])
        found = re.findall(r"^(.+) <docs/(\w+)>$", text, flags=re.MULTILINE)
        assert found == [
            ("Symbols", "symbols"),
            ("Topics, and where they are", "asked_for"),
            ("Teaching", "teaching"),
            ("Concept test", "concept_test"),
            ("New page", "new_page"),
        ]

    def test_a_diagram_is_left_out_and_the_text_around_it_stays(self) -> None:
        assert without_diagrams("a\n```mermaid\nx --> y\n```\nb\n```python\n1\n```").endswith("\nb\n```python\n1\n```")
        assert "x --> y" not in without_diagrams("a\n```mermaid\nx --> y\n```\n")

    def test_every_module_of_the_reference_exists(self, repository: Path) -> None:
        for module in (name for group in REFERENCE for name in group.modules):
            path = repository / "pgcourse" / module.replace(".", "/")
            assert path.with_suffix(".py").exists() or (path / "__init__.py").exists(), module


class TestDocstrings:
    def test_arguments_results_and_errors_are_fields_wherever_they_begin(self) -> None:
        lines = [
            "Sum of x.",
            "",
            "Args: x: [T] or",
            "    [T, N]. Returns: a number. Raises: ValueError for an empty x.",
        ]
        assert to_restructured_text(lines) == [
            "Sum of x.", "", ":Arguments: x: [T] or [T, N].", ":Returns: a number.", ":Raises: ValueError for an empty x.", "",
        ]  # fmt: skip

    def test_signs_that_mean_something_to_sphinx_are_taken_as_they_stand(self) -> None:
        (line, _) = to_restructured_text(["`x` * y_ and |z|, `config.seed`s"])
        assert line == r"``x`` \* y\_ and \|z\|, ``config.seed``\ s"

    def test_an_equation_stays_a_block_and_a_list_a_list(self) -> None:
        lines = ["First.", "", "    a = b * c", "    d = e", "", "- one", "- two"]
        expected = ["First.", "", "::", "", "    a = b * c", "    d = e", "", "- one", "- two", ""]
        assert to_restructured_text(lines) == expected


class TestChanges:
    def test_each_version_is_an_entry_with_its_day(self) -> None:
        text = "# Changelog\n\n## 0.2.0 - unreleased\n\nmore & more\n\n## 0.1.0 - 2026-12-01\n\nfirst\n"
        feed = ElementTree.fromstring(atom_feed(text, today="2027-01-15"))
        entries = [
            {part.tag.removeprefix(f"{{{ATOM}}}"): part.text for part in entry}
            for entry in feed.findall(f"{{{ATOM}}}entry")
        ]
        assert [entry["title"] for entry in entries] == ["pgcourse 0.2.0", "pgcourse 0.1.0"]
        assert [entry["updated"] for entry in entries] == ["2027-01-15T00:00:00Z", "2026-12-01T00:00:00Z"]
        assert entries[0]["content"] == "more & more"
        assert len({entry["id"] for entry in entries}) == 2
        assert feed.findtext(f"{{{ATOM}}}updated") == "2027-01-15T00:00:00Z"

    def test_the_address_of_the_site_is_the_base_of_the_links(self) -> None:
        text = atom_feed("## 0.1.0 - 2026-12-01\n", today="2027-01-15", site="https://course.example/")
        feed = ElementTree.fromstring(text)
        assert feed.get("{http://www.w3.org/XML/1998/namespace}base") == "https://course.example/"
        assert [link.get("href") for link in feed.findall(f"{{{ATOM}}}link")] == ["changes.xml", "CHANGELOG.html"]

    def test_a_changelog_without_a_version_is_refused(self) -> None:
        with pytest.raises(SystemExit, match="no line like"):
            atom_feed("# Changelog\n", today="2027-01-15")


def test_the_preview_is_of_the_size_that_other_sites_ask_for(repository: Path) -> None:
    image = Image.open(io.BytesIO(preview(repository / "docs" / "agent.gif")))
    assert image.size == SIZE == (1200, 630)
    assert len(set(image.convert("L").resize((120, 63)).tobytes())) > 20, "it shows something"
