"""Test the playground of the website in headless Chromium.

python -m tests.browser [--pyodide FOLDER] [--screenshots FOLDER]

Builds the playground, serves it with a static server, and uses it with Selenium, without access to other hosts. Needs
`pip install selenium`, Chromium with its driver, and npm (or the folder of the npm package `pyodide`).
"""

from __future__ import annotations

import argparse
import base64
import json
import shutil
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from docs.playground import build, download
from funcsched.playground.answer import answer

COSINE = "warmup_cosine(warmup_steps=1000, total_steps=10000, end=0.1)"
WSD = "warmup_stable_decay(warmup_steps=1000, stable_steps=7000, decay_steps=2000)"
JOIN = "join([ramp(0, 1, steps=100), ramp(1, 0, steps=400, shape=sqrt)], [100])"
PRIVATE = ("127.0.0.1", "")  # hosts that may be reached; "" is that of data: addresses
SECONDS = 60  # until a condition must hold
# The keys of the WebDriver standard.
CONTROL, BACKSPACE, TAB, END, HOME, RIGHT = "\ue009", "\ue003", "\ue004", "\ue010", "\ue011", "\ue014"


class Page:
    """A browser with the playground."""

    def __init__(self, address: str, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        from selenium import webdriver  # imported here, because pytest imports every module for its doctests

        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or ""
        for argument in (
            "--headless=new",
            "--hide-scrollbars",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
        ):
            options.add_argument(argument)
        options.add_argument("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        service = webdriver.ChromeService(shutil.which("chromedriver"))
        self.driver: Any = webdriver.Chrome(options=options, service=service)
        self.driver.set_script_timeout(SECONDS)
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        self.address = address

    def open(self, *expressions: str, **settings: str) -> None:
        query = urlencode([*(("e", text) for text in expressions), *settings.items()])
        self.driver.get("about:blank")  # a new hash alone would not load the page again
        self.driver.get(f"{self.address}#{query}")
        self.until(lambda: self.script("return document.documentElement.dataset.ready"))

    def script(self, text: str, *arguments: Any) -> Any:
        return self.driver.execute_script(text, *arguments)

    def find(self, selector: str) -> Any:
        return self.driver.find_element("css selector", selector)

    def all(self, selector: str) -> list[Any]:
        return list(self.driver.find_elements("css selector", selector))

    def text(self, selector: str) -> str:
        return str(self.script("return document.querySelector(arguments[0]).textContent", selector))

    def value(self, selector: str) -> str:
        return str(self.script("return document.querySelector(arguments[0]).value", selector))

    def replace(self, selector: str, text: str) -> None:
        """Type a text instead of the present one."""
        field = self.find(selector)
        field.send_keys(CONTROL, "a")
        field.send_keys(text)

    def wait_for_details(self) -> None:
        """Wait until findings and code belong to the plot."""
        self.until(lambda: self.find("#details").get_attribute("aria-busy") == "false")

    def until(self, condition: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            if result := condition():
                return result
            time.sleep(0.05)
        raise AssertionError(f"this did not become true: {condition.__code__.co_consts}; page:\n{self.text('main')}")

    def ask(self, request: dict[str, Any]) -> Any:
        """The answer of the library in the browser."""
        script = "const [request, done] = arguments; import('./engine.js').then(({ask}) => ask(request)).then(done)"
        return self.driver.execute_async_script(script, request)

    def inspect(self, step: int) -> list[str]:
        """Move the pointer to a step, and return the lines of the tooltip."""
        x = self.script(
            """
            const labels = [...document.querySelectorAll("#chart .labels text")];
            const ticks = labels.filter((label) => label.matches("[text-anchor=middle]:not(.title)"));
            const [first, last] = [ticks[0], ticks.at(-1)];
            const step = (label) => Number(label.textContent.replace("k", "000"));
            const x = (label) => Number(label.getAttribute("x"));
            return x(first) + ((arguments[0] - step(first)) / (step(last) - step(first))) * (x(last) - x(first));
            """,
            step,
        )
        script = """
            const chart = document.getElementById("chart");
            const clientX = chart.getBoundingClientRect().left + arguments[0];
            chart.dispatchEvent(new PointerEvent("pointermove", { clientX }));
            return [...document.getElementById("tooltip").children].map((line) => line.textContent);
            """
        return list(self.script(script, x))

    def boundaries(self) -> list[list[str]]:
        rows = "[...document.querySelectorAll('#boundaries tbody tr')]"
        return list(self.script(f"return {rows}.map((row) => [...row.cells].map((cell) => cell.textContent))"))

    def hash(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.driver.current_url).fragment)

    def screenshot(self, path: Path) -> None:
        image = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "format": "png"})
        path.write_bytes(base64.b64decode(image["data"]))


def test_values_equal_those_of_python(page: Page) -> None:
    page.open()
    settings = {"peak": "3e-4", "run": "20000", "unit": "tokens", "log_steps": True}
    for expression in (COSINE, WSD, JOIN, "cosine_restarts(2500, level_factor=0.7)", "1 * noam(512, 400)", "gpt-3"):
        request = {"kind": "curves", "expressions": [expression], **settings}
        here, there = json.loads(json.dumps(answer(request))), page.ask(request)
        (mine,), (theirs,) = here.pop("curves"), there.pop("curves")
        points, other_points = mine.pop("points"), theirs.pop("points")
        assert here == there, expression
        assert mine == theirs, expression
        assert [step for step, _ in points] == [step for step, _ in other_points], expression
        # Two mathematical libraries: the last bits may differ.
        worst = max(abs(a - b) / max(abs(a), 1e-30) for (_, a), (_, b) in zip(points, other_points, strict=True))
        assert worst < 1e-15, (expression, worst)


def test_the_page_shows_the_right_values(page: Page) -> None:
    page.open(COSINE, peak="1")
    assert page.boundaries() == [["1,000", "1"], ["10,000", "0.1"]]
    assert page.inspect(5500) == ["step 5,500", "0.55"]  # half of the decay from 1 to 0.1
    page.open(WSD, peak="0.5")  # 0.5 until step 8000, then down to 0 at step 10,000
    assert page.boundaries() == [["1,000", "0.5"], ["8,000", "0.5"], ["10,000", "0"]]
    page.open(JOIN, peak="2")
    assert page.boundaries() == [["100", "2"], ["500", "0"]]
    page.open("gpt-3", unit="tokens", tokens_per_step="1000000")  # 375 M and 260 B tokens, 6e-5 and a tenth of it
    assert page.boundaries() == [["375", "375M", "6e-5"], ["260,000", "260B", "6e-6"]]


def test_the_first_view_does_not_wait_for_python(page: Page) -> None:
    page.address = page.address.replace("playground", "without_python/playground")
    page.open()
    assert page.boundaries() == [["1,000", "3e-4"], ["10,000", "3e-5"]]
    page.until(lambda: "fs.warmup_cosine" in page.text("#code"))
    page.replace("#peak", "1e-3")
    page.until(lambda: "Python is not on this site" in page.text("#status"))
    assert all("/pyodide/" in entry["message"] for entry in page.driver.get_log("browser"))


def test_two_schedules_are_compared(page: Page) -> None:
    page.open(COSINE, peak="1")
    page.find("#add").click()
    page.until(lambda: len(page.all("#legend li")) == 2)
    assert len(page.all("#chart path.curve")) == 2
    page.replace("#schedule-1-text", "warmup_constant(1000)")
    # While the expression is typed, the legend shows its beginning as invalid.
    page.until(lambda: page.text("#legend li:nth-child(2)").strip().endswith("warmup_constant(1000)"))
    assert page.inspect(5500)[2] == "1"
    page.find("article:nth-child(1) .remove").click()
    page.until(lambda: len(page.all("#legend li")) == 1)
    assert page.hash()["e"] == ["warmup_constant(1000)"]


def test_an_expression_has_its_own_peak(page: Page) -> None:
    page.open("gpt-3")
    assert page.find("#peak").get_property("disabled") and page.value("#peak") == "6e-5"
    assert "its own peak" in page.find("#peak").get_attribute("title")
    page.replace("#schedule-0-text", "0.0005 * warmup_linear(10, 100)")
    page.until(lambda: page.boundaries() == [["10", "5e-4"], ["100", "0"]])
    assert page.value("#schedule-0-name") == "warmup_linear"
    page.replace("#schedule-0-end", "0.5")
    page.until(lambda: page.boundaries()[1] == ["100", "2.5e-4"])
    page.replace("#schedule-0-text", "warmup_linear(10, 100)")
    page.until(lambda: page.boundaries()[0] == ["10", "3e-4"])
    assert not page.find("#peak").get_property("disabled") and page.value("#peak") == "3e-4"
    page.find("#schedule-0-name").send_keys("noam")
    page.until(lambda: page.value("#schedule-0-text").startswith("1.0 * noam("))
    page.wait_for_details()
    assert "lr=1.0" in page.text("#code") and "Warning" not in page.text("#findings")


def test_a_link_reproduces_the_view(page: Page) -> None:
    page.open(COSINE)
    page.find("#add").click()
    page.until(lambda: page.all("#schedule-1-text"))
    page.replace("#schedule-1-text", JOIN)
    page.replace("#peak", "5e-4")
    page.replace("#run", "12000")
    page.find("[name=log_rates]").click()
    page.find("#unit").send_keys("tokens")
    page.until(lambda: page.hash().get("unit") == ["tokens"] and page.hash().get("log_rates") == ["1"])
    page.wait_for_details()
    expected = {"e": [COSINE, JOIN], "selected": ["2"], "peak": ["5e-4"], "run": ["12000"]}
    assert page.hash() == {**expected, "unit": ["tokens"], "log_rates": ["1"]}
    views = []
    for _ in range(2):
        views.append([page.text("#chart"), page.text("#code"), page.text("#findings"), page.text("#legend")])
        page.driver.refresh()
        page.until(lambda: page.script("return document.documentElement.dataset.ready"))
        page.wait_for_details()
    assert "lr=0.0005" in views[0][1]
    for first, second in zip(*views, strict=True):
        assert first == second, (first, second)


def test_the_keyboard_suffices(page: Page) -> None:
    page.open(COSINE)
    assert page.find("#schedule-0-warmup_steps").get_attribute("value") == "1000"
    slider = page.find("[aria-label='warmup_steps, slider']")
    slider.send_keys(RIGHT)
    page.until(lambda: page.value("#schedule-0-text").startswith("warmup_cosine(warmup_steps=1050,"))
    page.until(lambda: page.boundaries()[0] == ["1,050", "3e-4"])
    page.replace("#schedule-0-end", "0.25")
    page.until(lambda: page.boundaries()[1] == ["10,000", "7.5e-5"])
    page.find("#schedule-0-name").send_keys("warmup_linear")
    page.until(lambda: page.value("#schedule-0-text").startswith("warmup_linear("))
    page.wait_for_details()
    assert "fs.warmup_linear" in page.text("#code")
    tab = page.find("#tab-pytorch")
    tab.send_keys(RIGHT)
    assert page.driver.switch_to.active_element.get_attribute("id") == "tab-jax"
    assert "to_optax(schedule, peak_value=0.0003)" in page.text("#code")
    page.driver.switch_to.active_element.send_keys(END)
    assert "funcsched plot 'warmup_linear" in page.text("#code")
    page.driver.switch_to.active_element.send_keys(RIGHT)
    assert page.find("#tab-pytorch").get_attribute("aria-selected") == "true"
    chart = page.find("#chart")
    chart.send_keys(END)
    assert chart.get_attribute("aria-valuetext") == "step 11,000: 0"
    chart.send_keys(HOME, RIGHT)
    assert int(chart.get_attribute("aria-valuenow")) in range(1, 30)
    # Every element that can have the focus has a name and a visible outline.
    page.script("document.activeElement.blur()")
    for _ in range(60):
        page.driver.switch_to.active_element.send_keys(TAB)
        name, outline, tag = page.script(
            "const node = document.activeElement; const label = node.labels?.[0]?.textContent;"
            "return [label || node.ariaLabel || node.textContent || node.getAttribute('aria-labelledby'),"
            " getComputedStyle(node).outlineStyle, node.tagName]"
        )
        if tag == "BODY":
            break
        assert name.strip(), tag
        assert outline != "none", name


def test_invalid_input_keeps_the_last_curve(page: Page) -> None:
    page.open(COSINE)
    curve = page.find("#chart path.curve").get_attribute("d")
    page.replace("#schedule-0-text", "warmup_cosin(1000, 10000)")
    page.until(lambda: "did you mean 'warmup_cosine'?" in page.text("#schedule-0-error"))
    assert page.text(".excerpt") == "warmup_cosin(1000, 10000)\n^"
    assert page.find("#schedule-0-text").get_attribute("aria-invalid") == "true"
    assert page.find("#chart path.curve").get_attribute("d") == curve
    page.replace("#schedule-0-text", "warmup_cosine(1000, 2000")
    page.until(lambda: page.text(".excerpt").startswith("warmup_cosine(1000, 2000\n"))
    page.replace("#schedule-0-text", COSINE)
    page.until(lambda: not page.text("#schedule-0-error"))
    page.replace("#peak", "fast")
    page.until(lambda: page.text("#peak-error").startswith("must be a number above 0"))
    assert page.find("#chart path.curve").get_attribute("d") == curve
    page.replace("#peak", "3e-4")
    page.until(lambda: not page.text("#peak-error"))
    page.replace("#schedule-0-warmup_steps", "20000")
    page.until(lambda: "must be at most `total_steps` (10000)" in page.text("#schedule-0-error"))
    # The last valid one. Fast typing is not requested letter by letter.
    assert page.boundaries()[0][0] in ("1,000", "2", "20", "200", "2,000")
    page.replace("#schedule-0-warmup_steps", "3000")
    page.until(lambda: page.boundaries()[0] == ["3,000", "3e-4"] and not page.text("#schedule-0-error"))
    page.replace("#schedule-0-warmup_steps", BACKSPACE + TAB)  # an empty field changes nothing
    page.until(lambda: page.value("#schedule-0-warmup_steps") == "3000")


def test_every_schedule_can_be_chosen(page: Page) -> None:
    page.open()
    for name in [option.get_attribute("value") for option in page.all("#schedule-0-name optgroup option")]:
        page.script(
            "const menu = document.getElementById('schedule-0-name'); menu.value = arguments[0];"
            "menu.dispatchEvent(new Event('change'))",
            name,
        )
        page.until(lambda name=name: page.text("#legend").removeprefix("1.0 * ").startswith(name))
        assert not page.text("#schedule-0-error"), name


def test_nothing_scrolls_sideways_on_a_phone(page: Page) -> None:
    page.open(COSINE, JOIN, "warmup_cosin(1000, 10000, end=0.1, start=0.01, warmup_offset=1, cycles=0.5)")
    assert page.script("return [innerWidth, document.documentElement.scrollWidth]") == [390, 390]
    page.open("deepseek-v3", unit="tokens", log_steps="1", log_rates="1")
    assert page.script("return [innerWidth, document.documentElement.scrollWidth]") == [390, 390]
    page.script("window.scrollTo(0, 900)")
    assert page.script("return document.getElementById('figure').getBoundingClientRect().top") == 0  # stays visible


def test_dark_mode(page: Page) -> None:
    page.open(COSINE)
    back, text = page.script(
        "const style = getComputedStyle(document.body);"
        "return [style.backgroundColor, style.color].map(color => Number(color.match(/\\d+/)[0]))"
    )
    assert back < 40 and text > 200


def require_offline_and_no_errors(page: Page) -> None:
    """No request to another host, and no message in the console."""
    messages = (json.loads(entry["message"])["message"] for entry in page.driver.get_log("performance"))
    requests = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert requests
    assert {urlsplit(url).hostname or "" for url in requests} <= set(PRIVATE), requests
    assert page.driver.get_log("browser") == []


PHONE = {"width": 390, "height": 844}
TESTS: dict[Callable[[Page], None], dict[str, Any]] = {
    test_values_equal_those_of_python: {},
    test_the_page_shows_the_right_values: {},
    test_the_first_view_does_not_wait_for_python: {},
    test_two_schedules_are_compared: {},
    test_an_expression_has_its_own_peak: {},
    test_a_link_reproduces_the_view: {},
    test_the_keyboard_suffices: {},
    test_invalid_input_keeps_the_last_curve: {},
    test_every_schedule_can_be_chosen: {},
    test_nothing_scrolls_sideways_on_a_phone: PHONE,
    test_dark_mode: {"dark": True},
}


def run(test: Callable[[Page], None], address: str, options: dict[str, Any]) -> bool:
    start = time.monotonic()
    page = Page(address, **options)
    try:
        test(page)
        require_offline_and_no_errors(page)
    except Exception:
        traceback.print_exc()
        return False
    finally:
        page.driver.quit()
    print(f"passed: {test.__name__} ({time.monotonic() - start:.1f} s)", flush=True)
    return True


def take_screenshots(address: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for width, height in ((1280, 900), (390, 844)):
        for dark in (False, True):
            page = Page(address, width, height, dark)
            page.open(COSINE, WSD, "warmup_linear(1000; 10000)", peak="3e-4")
            page.wait_for_details()
            page.inspect(4000)
            page.screenshot(folder / f"{width}-{'dark' if dark else 'light'}.png")
            page.driver.quit()


@contextmanager
def served(site: Path) -> Iterator[str]:
    """The address of a folder on a local server."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site))
    server.handle_error = lambda *arguments: None  # type: ignore[method-assign]  # the browser ends connections
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def main() -> int:
    parser = argparse.ArgumentParser(description="Test the playground in headless Chromium.")
    parser.add_argument("--pyodide", metavar="FOLDER", type=Path, help="the npm package (default: npm downloads it)")
    parser.add_argument("--screenshots", metavar="FOLDER", type=Path, help="also write screenshots to this folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        build(site, options.pyodide or download(Path(folder)))
        build(site / "without_python")

        with served(site) as root:
            address = f"{root}playground/"
            passed = [run(test, address, arguments) for test, arguments in TESTS.items()]
            if options.screenshots:
                take_screenshots(address, options.screenshots)
    print(f"{sum(passed)} of {len(passed)} passed")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    raise SystemExit(main())
