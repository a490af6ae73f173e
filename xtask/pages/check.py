"""Opens pages of bench-cli in a browser: check.py BROWSER SHOTS NAME=PAGE...

Takes screenshots of each page at two widths, light and dark, and prints what was seen as JSON: requests that leave the page, errors of
its script, content that is wider than the window, and pictures that do not load. The sliders of pages whose names begin with `report` are
moved, and for each of their positions the counts, the command and the points on curves that the page shows are printed. The page called
`report` is also sorted, filtered and looked at closely.
"""

import json
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

WIDTHS = [1280, 480]
SCHEMES = ["light", "dark"]

# Positions of the sliders: the number of a level and the place in the list of least areas.
POSITIONS = [(64, 0), (40, 0), (90, 25), (70, 40), (120, 0)]


def open_page(browser, path, seen, **options):
    context = browser.new_context(**options)
    # Long, for a machine with other work.
    context.set_default_timeout(300_000)
    page = context.new_page()
    # What a page holds itself is no request that leaves it.
    inside = ("file:", "data:", "blob:")
    page.on("request", lambda request: request.url.startswith(inside) or seen["requests"].append(request.url))
    page.on("pageerror", lambda error: seen["errors"].append(f"{path}: {error}"))
    page.on("console", lambda message: message.type == "error" and seen["errors"].append(f"{path}: {message.text}"))
    page.goto(Path(path).resolve().as_uri())
    if options.get("java_script_enabled", True) and page.locator(".workplace").count():
        page.wait_for_selector(".workplace[data-ready]")
    return page


# Pictures are not to show where they were made.
STRIP = """(folder) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replaceAll(folder + '/', '');
}"""


# The parts of pages that the guide shows: from which element on, and how many pixels.
SHOWN = {
    "report": ("section:has(.sliders)", 1400),
    "batch": ("section:has(.sliders)", 1150),
    "training": ("body", 1250),
    "watch-live": ("body", 1650),
}


def show(page, name, shots):
    selector, height = SHOWN[name]
    top = page.evaluate("(selector) => document.querySelector(selector).getBoundingClientRect().top", selector)
    clip = {"x": 0, "y": top, "width": 1280, "height": height}
    page.screenshot(path=shots / f"{name}-shown.png", full_page=True, clip=clip)


def look(browser, name, path, shots, seen):
    for width in WIDTHS:
        for scheme in SCHEMES:
            page = open_page(browser, path, seen, viewport={"width": width, "height": 900}, color_scheme=scheme)
            for folder in Path(path).resolve().parents[:2]:
                page.evaluate(STRIP, str(folder))
            where = f"{name} at {width} px, {scheme}"
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                seen["wide"].append(where)
            broken = "Array.from(document.images).filter((image) => image.complete && image.naturalWidth === 0).length"
            if page.evaluate(broken):
                seen["broken"].append(where)
            page.screenshot(path=shots / f"{name}-{width}-{scheme}.png")
            # Far below the window, images are not drawn until one scrolls there.
            page.add_style_tag(content=".exhibit { content-visibility: visible !important; }")
            page.screenshot(path=shots / f"{name}-{width}-{scheme}-whole.png", full_page=True)
            if name in SHOWN and (width, scheme) == (1280, "light"):
                show(page, name, shots)
            page.context.close()


def move(page, selector, value):
    page.locator(selector).first.evaluate(
        "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }", str(value)
    )
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


# The points on curves, in the units of their axes.
POINTS = """() => Object.fromEntries(Array.from(document.querySelectorAll('[data-curve]'), (figure) => {
  const svg = figure.querySelector('svg'), mark = svg.querySelector('circle.moved');
  if (!mark || mark.getAttribute('visibility') === 'hidden') return [figure.dataset.curve, null];
  const [left, top, right, bottom] = svg.dataset.area.split(' ').map(Number);
  const [x, y] = [svg.dataset.x, svg.dataset.y].map((ends) => ends.split(' ').map(Number));
  const at = (share, [first, last]) => first + share * (last - first);
  return [figure.dataset.curve, [
    at((mark.getAttribute('cx') - left) / (right - left), x),
    at((bottom - mark.getAttribute('cy')) / (bottom - top), y),
    x[1],
  ]];
}))"""


def moved(page, positions):
    seen = []
    for level, area in positions:
        move(page, "input.threshold", level)
        move(page, "input.area", area)
        texts = page.evaluate(
            "Object.fromEntries(Array.from(document.querySelectorAll('[data-count]'), (cell) => [cell.dataset.count, cell.textContent]))"
        )
        command = page.locator(".command code").first.inner_text()
        seen.append({"level": level, "area": area, "command": command, "counts": texts, "points": page.evaluate(POINTS)})
    page.locator("button.reset").first.click()
    return seen


def work(browser, path, shots, seen):
    page = open_page(browser, path, seen, viewport={"width": 1280, "height": 900}, color_scheme="light")
    choices = {}
    for outcome in ["missed", "alarm", "success", "quiet"]:
        page.locator("select.outcome").first.select_option(outcome)
        choices[outcome] = page.evaluate("document.querySelectorAll('figure.exhibit:not([hidden])').length")
    page.locator("select.outcome").first.select_option("")
    page.locator("select.order").first.select_option("down")
    scores = page.evaluate("Array.from(document.querySelectorAll('figure.exhibit'), (figure) => Number(figure.dataset.score))")
    views = viewed(page, shots)
    return {"choices": choices, "sorted": scores == sorted(scores, reverse=True), "views": views}


def viewed(page, shots):
    """The layers that each view of the closer look shows."""
    page.locator("figure.exhibit .strip").first.click()
    shown = {}
    for view in ["image", "reconstruction", "wipe", "map", "mask"]:
        page.locator(f"dialog input[value={view}]").check()
        layers = "Array.from(document.querySelectorAll('.sheet > :not([hidden])'), (layer) => layer.className)"
        shown[view] = [layer for layer in page.evaluate(layers) if layer != "outline"]
        page.screenshot(path=shots / f"closer-{view}.png")
    before = page.locator("output.zoom").inner_text()
    page.locator("dialog [data-do=in]").click()
    shown["zoomed"] = page.locator("output.zoom").inner_text() != before
    page.locator("dialog [data-do=close]").click()
    return shown


def without_script(browser, path, seen):
    page = open_page(browser, path, seen, viewport={"width": 1280, "height": 900}, java_script_enabled=False)
    visible = lambda selector: sum(element.is_visible() for element in page.locator(selector).all())
    return {
        "pictures": visible("figure.exhibit img"),
        "sliders": visible(".sliders input"),
        "counts": visible("[data-count]"),
        "charts": visible("figure.chart svg"),
    }


def main():
    executable, shots = sys.argv[1], Path(sys.argv[2])
    pages = dict(pair.split("=", 1) for pair in sys.argv[3:])
    seen = {"requests": [], "errors": [], "wide": [], "broken": [], "positions": {}}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        for name, path in pages.items():
            look(browser, name, path, shots, seen)
            if name.startswith("report"):
                page = open_page(browser, path, seen, viewport={"width": 1280, "height": 900}, color_scheme="light")
                seen["positions"][name] = moved(page, POSITIONS if name == "report" else POSITIONS[:2])
                page.context.close()
        if "report" in pages:
            seen["work"] = work(browser, pages["report"], shots, seen)
            seen["without_script"] = without_script(browser, pages["report"], seen)
        seen["browser"] = browser.version
        browser.close()
    print(json.dumps(seen))


main()
