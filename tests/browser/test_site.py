"""The published site as a reader meets it: what a page weighs, where its links lead, and that everybody can use it."""

import contextlib
import functools
import gzip
import http.server
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlparse

import pytest

pytestmark = pytest.mark.slow
pytest.importorskip("myst_nb", reason="needs the packages of the site: `make site` installs them")

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "build" / "site"
LESSONS = sorted(f"notebooks/{path.stem}.html" for path in (ROOT / "notebooks").glob("*.ipynb"))
LANDING, LESSON, EXERCISES, REFERENCE = "index.html", LESSONS[1], "exercises/01_reinforce.html", "api/returns.html"
KINDS = [LANDING, LESSON, EXERCISES, REFERENCE]
SHOWN = sorted({*KINDS, *LESSONS, "docs/symbols.html", "docs/teaching.html", "start.html", "speed.html"})
PHONE, LAPTOP, WIDE = (390, 844), (1024, 700), (1440, 900)
MOST_BYTES = 1_500_000  # of a lesson without its films, as they are sent
MOST_SECONDS = 2.0  # until a lesson can be read
TEXT = (".html", ".css", ".js", ".svg", ".xml")


class Handler(http.server.SimpleHTTPRequestHandler):
    """Send text compressed, as the hosts of static sites do."""

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if path.suffix in TEXT and path.is_file():
            self._send_compressed(path)
        else:
            super().do_GET()

    def _send_compressed(self, path: Path) -> None:
        content = gzip.compress(path.read_bytes(), mtime=0)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the page was left before it was there
            self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Build the site, and serve it on this machine alone."""
    if shutil.which("node") is None or not (ROOT / "node_modules" / "katex").exists():
        pytest.skip("needs Node.js and `npm ci`: `make site` does both")
    done = subprocess.run([sys.executable, "-m", "tools.site"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(SITE)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


class Visit:
    """A page in a window of its own, with every request that it makes and everything that it complains of."""

    def __init__(self, chromium: Any, address: str, path: str, size: tuple[int, int], theme: str = "light") -> None:
        self.context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=theme, reduced_motion="reduce"
        )
        self.page = self.context.new_page()
        self.requests: list[Any] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        self.page.goto(address + path, wait_until="load")
        self.page.evaluate("document.querySelectorAll('img[loading=lazy]').forEach(image => (image.loading = 'eager'))")
        self.page.wait_for_function("() => [...document.images].every(image => image.complete)")

    def __enter__(self) -> "Visit":
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()


class Page(HTMLParser):
    """The places that a page has, and the addresses that it names, with what for."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[tuple[str, str]] = []
        self.nameless: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        self.anchors |= {value for key in ("id", "name") if (value := values.get(key))}
        self.links += [(tag, value) for key in ("href", "src", "poster") if (value := values.get(key))]
        if tag == "img" and not (values.get("alt") or values.get("role") == "presentation"):
            self.nameless.append((values.get("src") or "")[:80])


@pytest.fixture(scope="module")
def pages(address: str) -> dict[str, Page]:
    """Path below the site -> the page."""
    return {path.relative_to(SITE).as_posix(): Page(path) for path in sorted(SITE.rglob("*.html"))}


def test_every_kind_of_page_is_there(pages: dict[str, Page]) -> None:
    exercises = [f"exercises/{Path(name).name}" for name in LESSONS]
    expected = [
        *KINDS,
        *LESSONS,
        *exercises,
        "docs/symbols.html",
        "docs/teaching.html",
        "CHANGELOG.html",
        "search.html",
    ]
    assert [name for name in expected if name not in pages] == []
    assert (SITE / "changes.xml").exists()


def test_every_link_inside_the_site_leads_somewhere(pages: dict[str, Page]) -> None:
    broken = []
    for name, page in pages.items():
        for _, link in page.links:
            target, place = urldefrag(urljoin(f"https://here/{name}", link))
            url = urlparse(target)
            if url.netloc != "here" or url.scheme not in ("http", "https"):
                continue
            path = unquote(url.path).lstrip("/") or "index.html"
            if not (SITE / path).is_file() or (place and path in pages and unquote(place) not in pages[path].anchors):
                broken.append(f"{name}: {link}")
    assert broken == []


def test_nothing_that_a_page_loads_lies_on_another_host(pages: dict[str, Page]) -> None:
    loaded = [(name, link) for name, page in pages.items() for tag, link in page.links if tag != "a"]
    preview = "_static/preview.png"
    off = [pair for pair in loaded if urlparse(pair[1]).scheme in ("http", "https") and not pair[1].endswith(preview)]
    assert off == []
    for path in SITE.rglob("*.css"):
        assert "url(http" not in path.read_text(encoding="utf-8").replace("'", "").replace('"', ""), path


def test_every_picture_has_words_in_its_place(pages: dict[str, Page]) -> None:
    assert {name: page.nameless for name, page in pages.items() if page.nameless} == {}


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_is_light_quick_and_asks_no_other_host(chromium: Any, address: str, lesson: str) -> None:
    with Visit(chromium, address, lesson, WIDE) as visit:
        sent = {
            request.url: request.sizes()["responseBodySize"]
            for request in visit.requests
            if request.url.startswith("http")
        }
        assert [url for url in sent if not url.startswith(address)] == []
        assert visit.errors == []
        films = sum(size for url, size in sent.items() if url.endswith(".gif"))
        weight = sum(sent.values()) - films
        opened = _seconds_to_open(visit)
        heaviest = sorted(sent.items(), key=lambda item: -item[1])[:4]
        print(
            f"{lesson}: {weight / 1e3:.0f} kB, films {films / 1e3:.0f} kB, open after {opened:.2f} s of the processor"
        )
        assert weight <= MOST_BYTES, heaviest
        assert opened < MOST_SECONDS


def _seconds_to_open(visit: Visit) -> float:
    """Processor time of the page's thread until it is loaded: what other programs do meanwhile does not count."""
    session = visit.context.new_cdp_session(visit.page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    visit.page.reload(wait_until="load")
    metrics = {item["name"]: item["value"] for item in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["TaskDuration"])


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("path", KINDS)
def test_axe_finds_nothing_serious(chromium: Any, address: str, path: str, size: tuple[int, int], theme: str) -> None:
    with Visit(chromium, address, path, size, theme) as visit:
        # What is folded is read too.
        visit.page.evaluate("document.querySelectorAll('details').forEach(part => (part.open = true))")
        visit.page.wait_for_timeout(300)  # until the page has answered
        visit.page.add_script_tag(path=ROOT / "node_modules" / "axe-core" / "axe.min.js")
        # A formula's drawing, thousands of parts in the colour of its text, is hidden from screen readers; its MathML is read.
        found = visit.page.evaluate("axe.run({exclude: ['.katex-html']}, {resultTypes: ['violations']})")
        serious = [
            f"{rule['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
            for rule in found["violations"]
            if rule["impact"] in ("serious", "critical")
            for node in rule["nodes"][:3]
        ]
        assert serious == [], "\n".join(serious)


@pytest.mark.parametrize("path", SHOWN)
def test_no_page_scrolls_sideways(chromium: Any, address: str, path: str) -> None:
    with Visit(chromium, address, path, PHONE) as visit:
        visit.page.evaluate("document.querySelectorAll('details').forEach(part => (part.open = true))")
        for width, height in (PHONE, LAPTOP, WIDE):
            visit.page.set_viewport_size({"width": width, "height": height})
            # A part that scrolls by itself is reached by the keyboard; the page as a whole stays.
            moved = visit.page.evaluate("() => { scrollTo({left: 500, behavior: 'instant'}); return scrollX; }")
            assert moved == 0, (width, visit.page.evaluate(BEYOND))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_theme_is_named_where_the_styles_of_the_course_look_for_it(chromium: Any, address: str, theme: str) -> None:
    with Visit(chromium, address, LESSON, WIDE, theme) as visit:
        name = "document.documentElement.dataset.theme"
        assert visit.page.evaluate(name) == theme
        visit.page.evaluate("localStorage.setItem('theme', 'dark'); location.reload()")
        visit.page.wait_for_function(f"() => {name} === 'dark'")


BEYOND = """() => {
    const beyond = part => part.getBoundingClientRect().right > innerWidth + 1;
    return [...document.querySelectorAll("article *")].filter(beyond).slice(0, 5).map(part => part.outerHTML.slice(0, 120));
}"""
FOCUS = """() => {
    const part = document.activeElement, box = part.getBoundingClientRect(), style = getComputedStyle(part);
    return {
        tag: part.tagName,
        words: (part.getAttribute("aria-label") || part.innerText || part.value || "").trim().slice(0, 60),
        href: part.getAttribute("href") || "",
        number: [...document.querySelectorAll("*")].indexOf(part),
        seen: box.width > 0 && box.height > 0 && box.top < innerHeight && box.bottom > 0,
        marked: style.outlineStyle !== "none" || style.boxShadow !== "none",
    };
}"""


def test_a_unit_can_be_walked_without_a_mouse(chromium: Any, address: str) -> None:
    """From the landing page through a lesson, its questions and all that it folds, to its exercises."""
    with Visit(chromium, address, LANDING, WIDE) as visit:
        page = visit.page
        _press_until(page, lambda focus: focus["href"].endswith(LESSON) and "article" in _around(page))
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/{LESSON}")
        page.keyboard.press("Tab")
        assert "skip" in page.evaluate(FOCUS)["words"].lower(), "the first stop leads past the menu"
        page.keyboard.press("Enter")
        page.wait_for_function("() => !document.querySelector('[data-live]:not([data-awake])')")
        # What is still of a living figure is hidden with all that it folds.
        outside = "article details:not([hidden], [hidden] *)"
        folded = page.locator(outside).count()
        walked = _walk_to_the_end(page)
        assert [stop for stop in walked if not stop["seen"]] == [], "the focus is always in view"
        assert [stop for stop in walked if not stop["marked"]] == [], "and can be seen"
        assert [stop for stop in walked if not stop["words"] and stop["tag"] not in ("PRE", "DIV")] == [], (
            "and has a name"
        )
        assert folded > 20
        assert page.locator(f"{outside}[open]").count() == folded, "Enter opens whatever is folded"
        assert any(stop["href"].endswith(EXERCISES) for stop in walked)
        assert visit.errors == []


def _around(page: Any) -> str:
    return str(page.evaluate("() => document.activeElement.closest('article') ? 'article' : 'frame'"))


def _press_until(page: Any, wanted: Any, most: int = 200) -> dict[str, Any]:
    for _ in range(most):
        page.keyboard.press("Tab")
        focus: dict[str, Any] = page.evaluate(FOCUS)
        if wanted(focus):
            return focus
    pytest.fail(f"not reached by {most} presses of Tab")


def _in_view(page: Any) -> dict[str, Any]:
    """What has the focus, when the page has scrolled to it: a busy machine takes a moment."""
    focus: dict[str, Any] = page.evaluate(FOCUS)
    for _ in range(20):
        if focus["seen"] or focus["tag"] == "BODY":
            break
        page.wait_for_timeout(50)
        focus = page.evaluate(FOCUS)
    return focus


def _walk_to_the_end(page: Any, most: int = 2000) -> list[dict[str, Any]]:
    """Every stop of Tab from here to the end of the page; what is folded is opened on the way."""
    stops: list[dict[str, Any]] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        focus = _in_view(page)
        if focus["tag"] == "BODY" or (stops and focus["number"] < stops[-1]["number"] and _around(page) == "frame"):
            return stops
        if focus["tag"] == "SUMMARY" and not page.evaluate("() => document.activeElement.parentElement.open"):
            page.keyboard.press("Enter")
        stops.append(focus)
    pytest.fail(f"the end of the page is not reached by {most} presses of Tab")


def test_the_menu_of_a_phone_opens_by_keyboard(chromium: Any, address: str) -> None:
    with Visit(chromium, address, LESSON, PHONE) as visit:
        page = visit.page
        _press_until(page, lambda focus: "navigation" in focus["words"].lower())
        page.keyboard.press("Enter")
        page.wait_for_function("() => document.getElementById('__navigation').checked")
        page.keyboard.press("Escape")
        page.wait_for_function("() => !document.getElementById('__navigation').checked")


def test_agents_act_on_the_landing_page(chromium: Any, address: str) -> None:
    with Visit(chromium, address, LANDING, WIDE) as visit:
        visit.page.wait_for_selector(".pg-live .pg-stage :is(canvas, svg)")
        assert not visit.page.locator(".pg-live .pg-still").is_visible(), "the picture gives way to the agents"
        assert visit.errors == []


@pytest.mark.parametrize("lesson", LESSONS)
def test_whatever_lives_in_a_lesson_is_awake(chromium: Any, address: str, lesson: str) -> None:
    with Visit(chromium, address, lesson, PHONE, "dark") as visit:
        asleep = """[...document.querySelectorAll("[data-live]")].filter(part => !("awake" in part.dataset)
            || !part.querySelector(".pg-still").hidden || !part.querySelector(".pg-stage").childElementCount)
            .map(part => part.dataset.live)"""
        assert visit.page.evaluate("document.querySelectorAll('[data-live]').length") >= 8
        assert visit.page.evaluate(asleep) == []
        assert visit.errors == []


def test_a_question_is_answered_and_a_slider_is_heard(chromium: Any, address: str) -> None:
    with Visit(chromium, address, "notebooks/03_a2c_gae.html", PHONE, "dark") as visit:
        question = visit.page.locator(".pg-question").first
        question.locator("input[type=radio]").first.check()
        question.get_by_role("button", name="Check").click()
        assert question.locator(".pg-verdict").inner_text().strip()
        explainer = visit.page.locator(".pg-live:has(input[type=range])").first
        value = explainer.locator("output").first
        before = value.inner_text()
        explainer.locator("input[type=range]").first.press("ArrowLeft")
        assert value.inner_text() != before
        assert visit.errors == []


def test_search_finds_a_lesson(chromium: Any, address: str) -> None:
    with Visit(chromium, address, "search.html?q=truncation", WIDE) as visit:
        visit.page.wait_for_selector("#search-results li a", timeout=20_000)
        found = visit.page.locator("#search-results li a").evaluate_all("links => links.map(link => link.href)")
        assert any("notebooks/03_a2c_gae" in link for link in found)
        assert visit.errors == []
