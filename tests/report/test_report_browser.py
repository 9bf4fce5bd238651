"""The page in a real browser: Debian's Chromium, driven by playwright (`make browser`)."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from fake_run import write_run

from modaloom.report import write_report

CHROMIUM = shutil.which("chromium")
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
SCREENS = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 900}}
CONTRAST = 4.5
"""WCAG 2.2, 1.4.3: the least for text of body size."""

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed; `make browser`")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium; `make browser`")

every_screen = pytest.mark.parametrize("screen", SCREENS)
every_scheme = pytest.mark.parametrize("scheme", ["light", "dark"])

TEXTS = """() => {
  const canvas = Object.assign(document.createElement('canvas'), {width: 1, height: 1});
  const pen = canvas.getContext('2d', {willReadFrequently: true});
  const rgba = colour => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data];
  };
  const paper = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if (rgba(colour)[3] > 0) return rgba(colour);
    }
    return [255, 255, 255, 255];
  };
  const fills = element => {
    const chip = element.closest('.chip');
    if (!chip) return [paper(element)];
    return ['--good', '--poor', '--panel'].map(n => rgba(getComputedStyle(chip).getPropertyValue(n).trim()));
  };
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
    if (!text || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const ink = rgba(element.closest('svg') ? style.fill : style.color);
    found.push({text, ink, papers: fills(element)});
  }
  return found;
}"""
"""Every visible piece of text with its colour and what may lie under it, as [red, green, blue, alpha]."""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the report of a made-up run lies."""
    return write_report(write_run(tmp_path_factory.mktemp("browser") / "my run")).as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


def opened(browser: Any, page: str, screen: str, scheme: str = "light") -> Any:
    tab = browser.new_page(viewport=SCREENS[screen], color_scheme=scheme)
    tab.goto(page)
    return tab


def luminance(colour: list[int]) -> float:
    """WCAG's relative luminance of 8-bit sRGB."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (c / 255 for c in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: list[int], other: list[int]) -> float:
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast([0, 0, 0], [255, 255, 255]) == pytest.approx(21)
    assert contrast([118, 118, 118], [255, 255, 255]) == pytest.approx(4.54, abs=0.01)


@every_screen
def test_nothing_is_asked_of_the_network_and_nothing_complains(browser: Any, page: str, screen: str) -> None:
    asked: list[str] = []
    said: list[str] = []
    tab = browser.new_page(viewport=SCREENS[screen])
    tab.route("**/*", lambda route: (asked.append(route.request.url), route.continue_()))
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.goto(page)
    tab.wait_for_load_state("networkidle")
    assert [url for url in asked if not url.startswith("data:")] == [page]
    assert said == []
    tab.evaluate("document.body.append(Object.assign(new Image(), {src: 'https://127.0.0.1:9/a.png'}))")
    tab.wait_for_timeout(50)
    assert "Content Security Policy" in said[0]  # the policy is alive, and this test hears of it
    tab.close()


@every_screen
def test_only_tables_and_strips_scroll_sideways(browser: Any, page: str, screen: str) -> None:
    tab = opened(browser, page, screen)
    tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert tab.evaluate("document.documentElement.scrollWidth") == SCREENS[screen]["width"]
    outside = """width => [...document.querySelectorAll('body *')].filter(e => {
      const box = e.getBoundingClientRect();
      return box.width && box.right > width + 1 && !e.closest('.scroll, .samples, pre');
    }).map(e => e.outerHTML.slice(0, 80))"""
    assert tab.evaluate(outside, SCREENS[screen]["width"]) == []
    tab.close()


@every_screen
@every_scheme
def test_all_text_has_contrast(browser: Any, page: str, screen: str, scheme: str) -> None:
    tab = opened(browser, page, screen, scheme)
    tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    texts = tab.evaluate(TEXTS)
    tab.close()
    assert len(texts) > 100
    for text in texts:
        for paper in text["papers"]:
            assert text["ink"][3] == paper[3] == 255
            assert contrast(text["ink"], paper) >= CONTRAST, (text, paper)


def test_the_schemes_differ(browser: Any, page: str) -> None:
    papers = []
    for scheme in ("light", "dark"):
        tab = opened(browser, page, "phone", scheme)
        papers.append(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
        tab.close()
    light, dark = (luminance([int(v) for v in paper[4:-1].split(",")]) for paper in papers)
    assert light > 0.8
    assert dark < 0.05


def test_pictures_decode_and_are_seen(browser: Any, page: str) -> None:
    tab = opened(browser, page, "desktop")
    pictures = tab.evaluate(
        "[...document.images].map(i => [i.naturalWidth, i.getBoundingClientRect().width, i.complete])"
    )
    assert len(pictures) == 6
    assert all(natural == 16 and shown > 30 and complete for natural, shown, complete in pictures)
    sheet = """async () => {
      const tile = document.querySelector('.look'), picture = new Image();
      picture.src = getComputedStyle(tile).backgroundImage.slice(5, -2);
      await picture.decode();
      return [picture.naturalWidth, tile.getBoundingClientRect().width];
    }"""
    assert tab.evaluate(sheet) == [256, 48]
    tab.close()


def test_folds_open_and_links_lead_to_their_sections(browser: Any, page: str) -> None:
    tab = opened(browser, page, "phone")
    fold = tab.query_selector("details:not([open])")
    inside = fold.query_selector(":scope > :not(summary)")
    assert not inside.is_visible()
    fold.query_selector("summary").click()
    assert inside.is_visible()
    links = tab.locator("nav a")
    for i in range(links.count()):
        target = links.nth(i).get_attribute("href")
        assert tab.locator(f"section{target}").count() == 1
    links.last.click()
    tab.wait_for_timeout(800)
    assert tab.evaluate("scrollY") > 1000
    tab.close()


def test_a_strip_of_samples_can_be_scrolled_on_a_phone(browser: Any, page: str) -> None:
    tab = opened(browser, page, "phone")
    clone = "() => {const s = document.querySelector('.samples'); for (let i = 0; i < 9; i++) "
    tab.evaluate(clone + "s.append(s.firstElementChild.cloneNode(true))}")
    strip = tab.locator(".samples").first
    assert strip.evaluate("s => s.scrollWidth > 2 * s.clientWidth")
    assert strip.evaluate("s => new Set([...s.children].map(c => c.getBoundingClientRect().top)).size") == 1
    assert tab.evaluate("document.documentElement.scrollWidth") == SCREENS["phone"]["width"]
    tab.close()
