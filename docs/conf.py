"""`make docs`: these documents as a site. Sphinx reads the project's folder: links are those of the files."""

from docutils import nodes
from sphinx.util.docutils import SphinxDirective
from typer.main import get_command

project = html_title = "cyclegan_lib"
root_doc = "docs/index"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
include_patterns = ["README*.md", "CHANGELOG.md", "docs/**", "notebooks/**"]
exclude_patterns = [".*", "**/.*", "notebooks/benchmark/README.md"]

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = html_show_copyright = False

myst_heading_anchors = 3
nb_execution_mode = "off"  # notebooks are shown as they were committed
nb_render_markdown_format = "myst"  # tables, too
nb_ipywidgets_js = {}  # would come from the network
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # signatures and docstrings say them


class Commands(SphinxDirective):
    """`{commands}`: a section for each command, with its help."""

    def run(self) -> list[nodes.Node]:
        """The sections, in the order of the work."""
        from cyclegan_lib.cli import app

        made = []
        for name, command in get_command(app).commands.items():
            context = command.make_context(f"cyclegan {name}", [], resilient_parsing=True)
            text = nodes.literal_block(text=command.get_help(context), language="text")
            title = nodes.title(text=f"cyclegan {name}")
            made.append(nodes.section("", title, text, ids=[name], names=[name]))
        return made


def plain_references(app, what, name, obj, options, lines: list[str]) -> None:
    """Docstrings number their references from 1 each, which on one page are no footnotes."""
    lines[:] = [line.replace("]_", "]").replace(".. [", "| [") for line in lines]


def setup(app) -> None:
    """Called by Sphinx."""
    app.add_directive("commands", Commands)
    app.connect("autodoc-process-docstring", plain_references)
