// Opens reports in headless Chromium and uses them as a reader would. `tests/browser.rs` runs it:
//   node check.js CHROMIUM SCREENSHOTS REPORT...
// It ends with 1 and a line for each thing that is wrong.
import { mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [executablePath, screenshots, ...reports] = process.argv.slice(2);
const ARGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
const wrong = [];
let checks = 0;

function check(is, what) {
  checks += 1;
  if (!is) wrong.push(what);
}

/** Opens a report; whatever it says on the console or asks the network for is wrong. */
async function open(browser, report, options) {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, ...options });
  const page = await context.newPage();
  const address = pathToFileURL(report).href;
  page.on("console", (message) => check(false, `${report}: the console says: ${message.text()}`));
  page.on("pageerror", (error) => check(false, `${report}: ${error.stack}`));
  page.on("request", (request) => {
    const isOwn = request.url() === address || request.url().startsWith("blob:");
    check(isOwn, `${report}: asks for ${request.url()}`);
  });
  await page.goto(address);
  return page;
}

/** Charts are made when they are about to be seen. */
async function seeAll(page) {
  for (const figure of await page.$$("figure")) {
    await figure.scrollIntoViewIfNeeded();
    await figure.waitForSelector(".tools", { state: "attached" });
  }
  await page.evaluate(() => scrollTo(0, 0));
}

/** The share of a chart's canvas that something is drawn on, and its colours. */
const drawn = (figure) =>
  figure.$eval("canvas", (canvas) => {
    // Reading the chart's own canvas twice makes Chromium warn.
    const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
    const context = copy.getContext("2d", { willReadFrequently: true });
    context.drawImage(canvas, 0, 0);
    const { data } = context.getImageData(0, 0, copy.width, copy.height);
    const colors = new Set();
    let painted = 0;
    for (let i = 0; i < data.length; i += 4) {
      if (data[i + 3] === 0) continue;
      painted += 1;
      colors.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
    }
    return { share: painted / (data.length / 4), colors: colors.size };
  });

async function chartsDraw(page, report) {
  // A vSwitch that nobody uses has no layer, and keeps its picture.
  const charts = await page.evaluate(() =>
    Object.entries(JSON.parse(document.getElementById("data").textContent).charts)
      .filter(([, chart]) => chart.series.length > 0)
      .map(([name]) => name));
  check(charts.length > 0, `${report}: there is no chart`);
  for (const name of charts) {
    const figure = await page.$(`figure[data-name="${name}"].live`);
    check(figure, `${report}: ${name} is no chart`);
    if (!figure) continue;
    const { share, colors } = await drawn(figure);
    check(share > 0.01 && colors > 3, `${report}: ${name} is blank: ${share}, ${colors} colours`);
    check(!(await figure.$eval(".static", (picture) => picture.checkVisibility())), `${report}: ${name} is there twice`);
  }
}

/** The values under the pointer are those of the data. */
async function hoverWorks(page, report) {
  const figure = await page.$(".lead figure");
  const over = await figure.$(".u-over");
  await over.scrollIntoViewIfNeeded();
  const { x, y, width, height } = await over.boundingBox();
  const told = [];
  for (const place of [0.25, 0.9]) {
    await page.mouse.move(x + width * place, y + height / 2);
    check(await figure.$eval(".tip", (tip) => tip.checkVisibility()), `${report}: nothing is shown under the pointer`);
    told.push(await figure.$eval(".tip", (tip) => tip.innerText));
    check(!/undefined|NaN/.test(told.at(-1)), `${report}: ${told.at(-1)}`);
  }
  check(told[0] !== told[1], `${report}: the same is shown at two places: ${told[0]}`);
  const { name, value } = await figure.evaluate((figure) => {
    const chart = JSON.parse(document.getElementById("data").textContent).charts[figure.dataset.name];
    const row = Number(figure.querySelector(".plot").getAttribute("aria-valuenow"));
    return { name: chart.series[0].name, value: chart.series[0].values[row] };
  });
  const text = new Intl.NumberFormat("en-US", { maximumFractionDigits: value >= 9.95 ? 0 : 1 }).format(value);
  const [, after] = told[1].split(name);
  check(after?.trim().startsWith(text), `${report}: ${name} is ${text}, but ${told[1]} is shown`);
  await page.mouse.move(0, 0);
  check(!(await figure.$eval(".tip", (tip) => tip.checkVisibility())), `${report}: the values stay when the pointer is gone`);
}

async function zoomWorks(page, report) {
  const figure = await page.$(".lead figure");
  const reset = await figure.$(".tools button");
  check(await reset.isDisabled(), `${report}: it is zoomed from the beginning`);
  const { x, y, width, height } = await (await figure.$(".u-over")).boundingBox();
  const before = await drawn(figure);
  await page.mouse.move(x + width * 0.4, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width * 0.6, y + height / 2, { steps: 4 });
  await page.mouse.up();
  await page.waitForTimeout(50);
  check(await reset.isEnabled(), `${report}: dragging does not zoom`);
  const zoomed = await figure.screenshot();
  await reset.click();
  await page.waitForTimeout(50);
  check(await reset.isDisabled(), `${report}: the whole time does not come back`);
  check(!zoomed.equals(await figure.screenshot()), `${report}: zooming changes nothing`);
  const after = await drawn(figure);
  check(Math.abs(before.share - after.share) < 0.01, `${report}: the whole time is not what it was`);
}

async function layersCanBeHidden(page, report) {
  const figure = await page.$(".lead figure");
  const [first] = await figure.$$(".legend button");
  const pressed = () => first.getAttribute("aria-pressed");
  const before = await figure.screenshot();
  await first.click();
  check((await pressed()) === "false", `${report}: a layer cannot be hidden`);
  check(!before.equals(await figure.screenshot()), `${report}: hiding a layer changes nothing`);
  await first.focus();
  await page.keyboard.press("Enter");
  check((await pressed()) === "true", `${report}: the keyboard does not bring a layer back`);
}

async function keyboardWorks(page, report) {
  const plot = await page.$(".lead .plot");
  const read = () => plot.getAttribute("aria-valuetext");
  await plot.focus();
  await page.keyboard.press("Home");
  const first = await read();
  await page.keyboard.press("ArrowRight");
  const second = await read();
  check(first && second && first !== second, `${report}: arrow keys read nothing: ${first}, ${second}`);
  await page.keyboard.press("+");
  const reset = await page.$(".lead .tools button");
  check(await reset.isEnabled(), `${report}: + does not zoom`);
  await page.keyboard.press("Escape");
  check(await reset.isDisabled(), `${report}: Escape does not show the whole time`);
}

async function downloadsWork(page, report) {
  const figure = await page.$(".lead figure");
  const rows = await figure.evaluate((figure) => JSON.parse(document.getElementById("data").textContent).charts[figure.dataset.name].at.length);
  const get = async (label) => {
    const [download] = await Promise.all([page.waitForEvent("download"), (await figure.$(`.tools button:text("${label}")`)).click()]);
    return { name: download.suggestedFilename(), text: await readFile(await download.path(), "utf8") };
  };
  const csv = await get("CSV");
  const lines = csv.text.trimEnd().split("\n");
  check(csv.name.endsWith(".csv") && lines[0].startsWith("time_s,"), `${report}: no CSV but ${csv.name}: ${lines[0]}`);
  check(lines.length === rows + 1, `${report}: the CSV has ${lines.length} lines, the chart ${rows} rows`);
  const svg = await get("SVG");
  check(svg.name.endsWith(".svg") && svg.text.includes("http://www.w3.org/2000/svg"), `${report}: no SVG but ${svg.name}`);
}

/** Everything that a keyboard or a screen reader stops at has a name, and headings skip no level. */
async function isAccessible(page, report) {
  const nameless = await page.$$eval("button, a, [role=img], [role=slider], nav", (all) =>
    all.filter((one) => !(one.getAttribute("aria-label") || one.textContent.trim())).map((one) => one.outerHTML.slice(0, 80)));
  check(nameless.length === 0, `${report}: without a name: ${nameless}`);
  const levels = await page.$$eval("h1, h2, h3, h4", (all) => all.map((heading) => Number(heading.tagName[1])));
  check(levels[0] === 1 && levels.every((level, i) => i === 0 || level <= levels[i - 1] + 1), `${report}: headings ${levels}`);
  const broken = await page.$$eval("nav a", (all) => all.map((link) => link.hash).filter((hash) => !document.querySelector(hash)));
  check(broken.length === 0, `${report}: the contents lead nowhere: ${broken}`);
}

/** What matters is on the first screen: the verdict, the picture, three numbers, what to try. */
async function firstScreen(page, report) {
  for (const part of [".verdict", ".lead .plot", ".overview .figures", ".advice h2"]) {
    const box = await (await page.$(part))?.boundingBox();
    check(box && box.y + Math.min(box.height, 200) < 900, `${report}: ${part} is not on the first screen`);
  }
}

async function withoutScripts(browser, report) {
  const page = await open(browser, report, { javaScriptEnabled: false });
  const hidden = await page.locator("figure .static svg").evaluateAll((all) => all.filter((svg) => svg.getBoundingClientRect().height < 50).length);
  check(hidden === 0, `${report}: without scripts ${hidden} pictures are missing`);
  check((await page.locator(".chart").count()) === 0, `${report}: charts without scripts`);
  await page.context().close();
}

async function onPaper(page, report) {
  await page.emulateMedia({ media: "print" });
  const [pictures, charts] = await page.evaluate(() =>
    [".static", ".chart"].map((part) => Array.from(document.querySelectorAll(part)).filter((one) => one.checkVisibility()).length));
  check(pictures > 0 && charts === 0, `${report}: on paper there are ${pictures} pictures and ${charts} charts`);
  await page.emulateMedia({ media: "screen" });
}

async function look(browser, report) {
  const name = basename(dirname(report));
  for (const width of [1400, 400]) {
    for (const colorScheme of ["light", "dark"]) {
      const page = await open(browser, report, { viewport: { width, height: 900 }, colorScheme });
      await seeAll(page);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      check(wide <= width, `${report}: ${wide} pixels wide on a screen of ${width}`);
      await page.screenshot({ path: join(screenshots, `${name}-${width}-${colorScheme}.png`), fullPage: true });
      await page.context().close();
    }
  }
}

mkdirSync(screenshots, { recursive: true });
const browser = await chromium.launch({ executablePath, args: ARGS });
for (const report of reports) {
  const page = await open(browser, report, { acceptDownloads: true });
  await firstScreen(page, report);
  await seeAll(page);
  await chartsDraw(page, report);
  await hoverWorks(page, report);
  await zoomWorks(page, report);
  await layersCanBeHidden(page, report);
  await keyboardWorks(page, report);
  await downloadsWork(page, report);
  await isAccessible(page, report);
  await onPaper(page, report);
  await page.context().close();
  await withoutScripts(browser, report);
  await look(browser, report);
}
await browser.close();
console.log([`${checks} checks, ${wrong.length} wrong`, ...wrong].join("\n"));
process.exitCode = wrong.length > 0 ? 1 : 0;
