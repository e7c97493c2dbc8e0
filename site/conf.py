"""Configuration of the published site; `make site` builds it. The pages are assembled by `tools/site`."""

import os
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
with open(ROOT / "pyproject.toml", "rb") as file:
    _project = tomllib.load(file)["project"]

project = "pgcourse"
author = "The pgcourse authors"
project_copyright = "the pgcourse authors, MIT licence"
version = release = _project["version"]
language = "en"

# Previews on other sites need the address of this one; `python -m tools.site` says where it comes from.
html_baseurl = os.environ.get("PGCOURSE_SITE", "")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinxext.opengraph",
    "tools.site.extension",
    "tools.site.formulas",
]
default_role = "code"
nitpick_ignore_regex = [("py:.*", ".*")]  # types of other libraries: their pages are on other hosts
exclude_patterns = ["LICENSE", "docs/private_exercises"]

# Notebooks are shown as they are committed.
nb_execution_mode = "off"
nb_merge_streams = True
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
myst_enable_extensions = ["dollarmath", "amsmath", "deflist"]
myst_heading_anchors = 4
myst_dmath_double_inline = True
suppress_warnings = ["mystnb.unknown_mime_type", "myst.header"]  # lessons skip a level of headings here and there

html_math_renderer = "katex"  # tools/site/formulas.py

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
add_module_names = False
toc_object_entries_show_parents = "hide"
viewcode_line_numbers = True
copybutton_exclude = ".linenos, .gp, .go"

_colours = {
    "color-brand-primary": "var(--pg-accent)",
    "color-brand-content": "var(--pg-accent)",
    "color-brand-visited": "var(--pg-accent)",
    "color-foreground-primary": "var(--pg-ink)",
    "color-foreground-secondary": "var(--pg-muted)",
    "color-foreground-muted": "var(--pg-muted)",
    "color-background-primary": "var(--pg-paper)",
    "color-background-secondary": "var(--pg-soft)",
    "color-background-border": "var(--pg-line)",
    "color-code-background": "var(--pg-soft)",
    "color-inline-code-background": "var(--pg-soft)",
    "color-api-name": "var(--pg-accent)",
    "color-api-pre-name": "var(--pg-muted)",
    "color-api-keyword": "var(--pg-muted)",
    "color-link-underline": "var(--pg-line)",
    "font-stack": "var(--pg-sans)",
    "font-stack--monospace": "var(--pg-mono)",
}

html_theme = "furo"
html_title = "pgcourse"
html_favicon = str(ROOT / "site" / "icon.svg")
html_logo = str(ROOT / "site" / "icon.svg")
html_static_path = [str(ROOT / "build" / "site-source" / "_static")]
html_extra_path = [str(ROOT / "build" / "site-source" / "_extra")]
templates_path = [str(ROOT / "site" / "templates")]
html_css_files = ["katex/katex.min.css", "course.css", "site.css"]
html_js_files = ["site.js"]
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "top_of_page_buttons": [],
    "navigation_with_keys": True,
    # The course's own colours, for light and dark: pgcourse/show/page/style.css.
    "light_css_variables": _colours,
    "dark_css_variables": _colours,
    "footer_icons": [],
}

ogp_site_url = html_baseurl
ogp_site_name = "pgcourse"
ogp_image = "_static/preview.png"
ogp_image_alt = "A cart that balances a pole, beside the words: policy gradients, from the first line to the last bug"
ogp_social_cards = {"enable": False}
ogp_enable_meta_description = True
