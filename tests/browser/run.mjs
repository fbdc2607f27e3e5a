// The page of a hub, tried in a real browser: Debian's Chromium, WebGL2 by SwiftShader.
//
//   node run.mjs CAMPANILE WEB OUT [plain|hour]
//
// CAMPANILE is the program, WEB the folder with the twin for browsers, OUT where pictures of what was seen go. With `plain`
// only the page without pictures is tried, which needs no twin; with `hour` a page stays open for MINUTES (60) while values
// change, and its memory is written down. It ends with 1 where something is not as it has to be.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [program, web, out, only] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
const data = mkdtempSync(join(tmpdir(), "campanile-browser-"));
const results = [];
const figures = {};

function must(is, what) {
  if (!is) throw new Error(what);
}

/** A demonstration on a free port; its addresses. */
async function hub() {
  const child = spawn(program, ["demo", "--headless", "--no-plugins", "--days", "1", "--port", "0", "--json", "--data", data], {
    env: { ...process.env, CAMPANILE_WEB: web },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const first = await new Promise((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (piece) => {
      text += piece;
      if (text.includes("\n")) resolve(text.split("\n")[0]);
    });
    child.on("exit", (code) => reject(new Error(`the hub ended with ${code}`)));
  });
  return { child, ...JSON.parse(first) };
}

/** Waits until the page has drawn so many pictures: a processor that draws takes its time for each, a graphics card none. */
const pictures = (page, count) =>
  page.evaluate(
    (wanted) =>
      new Promise((resolve) => {
        const first = globalThis.campanilePictures ?? 0;
        const look = () => ((globalThis.campanilePictures ?? 0) - first >= wanted ? resolve() : setTimeout(look, 15));
        look();
      }),
    count,
  );

/** Presses a key for longer than a picture takes: what comes and goes between two pictures is not held down for the twin. */
async function press(page, key) {
  await page.keyboard.down(key);
  await pictures(page, 2);
  await page.keyboard.up(key);
  await pictures(page, 2);
}

async function test(name, act) {
  const began = Date.now();
  try {
    await act();
    results.push({ name, ok: true });
    console.log(`PASS ${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s  ${name}`);
  } catch (why) {
    results.push({ name, ok: false, why: String(why) });
    console.log(`FAIL ${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s  ${name}\n     ${why}`);
  }
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until something is so; what it is then. */
async function until(what, seconds, look) {
  const end = Date.now() + seconds * 1000;
  let last;
  while (Date.now() < end) {
    last = await look();
    if (last) return last;
    await sleep(250);
  }
  throw new Error(`not within ${seconds} s: ${what}; last: ${String(last).slice(0, 300)}`);
}

const started = await hub();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"],
});
const origin = started.api;

/** A page at a size, whose faults are collected. */
async function open(path, size = { width: 960, height: 600 }, options = {}) {
  const context = await browser.newContext({ viewport: size, locale: "en-GB", acceptDownloads: true, ...options });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin });
  const page = await context.newPage();
  // A processor that draws in a graphics card's stead takes seconds for a picture.
  page.setDefaultTimeout(120_000);
  page.faults = [];
  page.on("pageerror", (why) => {
    if (!String(why).includes("Using exceptions for control flow")) page.faults.push(String(why));
  });
  page.on("console", (line) => line.type() === "error" && page.faults.push(line.text()));
  await page.goto(origin + path);
  return page;
}

/** Waits until the view has come to rest; the link to it that stands in the address bar. */
async function settled(page) {
  let last = "";
  return until("the view comes to rest", 240, async () => {
    await pictures(page, 3);
    await sleep(1200);
    const now = await page.evaluate(() => location.hash.slice(1));
    const is = now && now === last;
    last = now;
    return is && now;
  });
}

const spoken = (page) => page.locator("#spoken").textContent();
const drawn = (page) =>
  until("the campus is drawn", 240, async () => (await page.locator("#spoken").getAttribute("data-drawn")) === "yes");
const picture = (page, name) => page.screenshot({ path: join(out, `${name}.png`), timeout: 120_000 });

/** The page without pictures, once values stand in it. */
const valued = (page) =>
  page.waitForFunction(() => document.getElementById("places")?.innerText.includes("ppm"), null, { timeout: 60_000 });

async function plainPage() {
  const page = await open("/plain?lang=en&find=co2");
  await valued(page);
  await picture(page, "plain-en");
  await page.goto(`${origin}/plain?lang=zh-CN&find=co2`);
  await valued(page);
  must(/[\u4e00-\u9fff]{2}/.test(await page.locator("#places").innerText()), "it is in Chinese");
  await picture(page, "plain-zh");
  must(page.faults.length === 0, page.faults.join("\n"));
  await page.context().close();
}

/** The memory of the page's process, MB: WebAssembly's is in it. */
function residentMb() {
  const rows = execFileSync("ps", ["-eo", "rss=,args="], { encoding: "utf8", maxBuffer: 1 << 24 }).split("\n");
  const pages = rows.filter((row) => row.includes("--type=renderer") && row.includes("chromium"));
  return Math.max(...pages.map((row) => Number(row.trim().split(" ")[0]))) / 1024;
}

if (only === "hour") {
  const minutes = Number(process.env.MINUTES ?? 60);
  await test(`a page's memory over ${minutes} minutes`, async () => {
    const page = await open("/?lang=en#layer=comfort");
    await drawn(page);
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("Performance.enable");
    figures.memory = [];
    const end = Date.now() + minutes * 60_000;
    while (Date.now() < end) {
      await sleep(60_000);
      await cdp.send("HeapProfiler.collectGarbage");
      const { metrics } = await cdp.send("Performance.getMetrics");
      const heap = metrics.find((m) => m.name === "JSHeapUsedSize").value / 1e6;
      figures.memory.push([Math.round(residentMb()), Number(heap.toFixed(1))]);
      console.log(`${figures.memory.length} min: ${figures.memory.at(-1)[0]} MB of the process, ${figures.memory.at(-1)[1]} MB of script`);
    }
    await picture(page, "after-an-hour");
    must(page.faults.length === 0, page.faults.join("\n"));
  });
}

const all = only === undefined;
if (only !== "hour") await test("the page without pictures has values and alarms in both languages", plainPage);

if (all) await test("a browser without WebGL2 is led to the page without pictures", async () => {
  const page = await open("/");
  await page.context().addInitScript(() => {
    const of = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
      return kind === "webgl2" ? null : of.call(this, kind, ...rest);
    };
  });
  await page.goto(`${origin}/?lang=en&find=co2`);
  await page.waitForURL(/plain/, { timeout: 60_000 });
  await valued(page);
  await page.context().close();
});

if (all) {
  let page;
  await test("the campus is drawn", async () => {
    const began = Date.now();
    page = await open("/?lang=en");
    await page.waitForFunction(() => document.getElementById("loading").hidden, null, { timeout: 240_000 });
    figures.page_ran_s = (Date.now() - began) / 1000;
    await drawn(page);
    figures.first_picture_s = (Date.now() - began) / 1000;
    const text = await spoken(page);
    must(text.includes("Campanile"), text);
    await picture(page, "campus");
    must(page.faults.length === 0, page.faults.join("\n"));
  });

  await test("what is clicked is chosen, and its value is live and changes", async () => {
    // The middle of the picture is the middle of a room that the link leads to.
    const found = await (await fetch(`${origin}/api/v1/points?glob=teaching-a/2f/*/co2&limit=1`)).json();
    const path = found.points[0].info.path.split("/").slice(0, 3).join("/");
    await page.evaluate((at) => (location.hash = `#at=${at}`), path);
    const said = await until("the link chooses the room", 120, async () => {
      const text = await spoken(page);
      return text.includes("ppm") && text;
    });
    const seen = new URLSearchParams(await settled(page));
    await press(page, "Escape");
    await until("Esc lets go", 60, async () => !(await spoken(page)).includes("ppm"));
    await press(page, "Escape");
    // From straight above, where nothing stands between: the address bar has said where the room is.
    const [x, y, z] = seen.get("eye").split(",");
    await page.evaluate((link) => (location.hash = link), `#eye=${x},${y},${z},14,0,1.5&cut=${seen.get("cut")}`);
    await settled(page);
    // Where the controls at the left end, the middle of the rest.
    await page.mouse.move(604, 312);
    await pictures(page, 3);
    await page.mouse.down();
    await pictures(page, 2);
    await page.mouse.up();
    await pictures(page, 3);
    await picture(page, "room");
    const clicked = await until("a click chooses it again", 60, async () => {
      const text = await spoken(page);
      must(text.length > 0, "something is spoken");
      return text.includes("ppm") && text;
    });
    await until("its values change", 180, async () => (await spoken(page)) !== clicked);
    must(said.length > 20, said);
  });

  await test("the language is switched while it runs", async () => {
    await press(page, "/");
    await until("the page's input has the focus", 60, () => page.evaluate(() => document.activeElement.id === "typing"));
    await page.keyboard.type("中文", { delay: 50 });
    await pictures(page, 3);
    await press(page, "Enter");
    await until("the page speaks Chinese", 60, async () => (await page.locator("#spoken").getAttribute("lang")) === "zh-CN");
    await pictures(page, 3);
    await picture(page, "campus-zh");
  });

  await test("Chinese is composed in a field", async () => {
    await press(page, "/");
    await until("the page's input has the focus", 60, () => page.evaluate(() => document.activeElement.id === "typing"));
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("Input.imeSetComposition", { text: "shi", selectionStart: 3, selectionEnd: 3 });
    await pictures(page, 3);
    await cdp.send("Input.imeSetComposition", { text: "食堂", selectionStart: 2, selectionEnd: 2 });
    await pictures(page, 3);
    await picture(page, "composing");
    await cdp.send("Input.insertText", { text: "食堂" });
    await pictures(page, 3);
    await picture(page, "composed");
    await press(page, "Enter");
    await until("what was found is chosen", 60, async () => (await spoken(page)).includes("食堂"));
    await press(page, "Escape");
  });

  await test("a link opens its view", async () => {
    const link = await page.evaluate(() => location.hash);
    must(link.includes("eye="), link);
    const other = await open("/?lang=en#at=library&colour=co2&see=xray&place=monitor");
    await drawn(other);
    await until("the library is chosen", 60, async () => (await spoken(other)).includes("Library"));
    await until("the address has the view", 60, async () => {
      const hash = await other.evaluate(() => location.hash);
      return hash.includes("at=library") && hash.includes("see=xray") && hash.includes("colour=co2");
    });
    await pictures(other, 4);
    await picture(other, "link");
    must(other.faults.length === 0, other.faults.join("\n"));
    await other.context().close();
  });

  await test("a frame's script time and the page's memory", async () => {
    figures.frame_ms = await page.evaluate(
      () =>
        new Promise((resolve) => {
          const times = [];
          let last = performance.now();
          const step = (now) => {
            times.push(now - last);
            last = now;
            if (times.length < 12) requestAnimationFrame(step);
            else resolve(times.slice(2).sort((a, b) => a - b)[5]);
          };
          requestAnimationFrame(step);
        }),
    );
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("Performance.enable");
    const before = (await cdp.send("Performance.getMetrics")).metrics;
    const FRAMES = 40;
    await pictures(page, FRAMES);
    const after = (await cdp.send("Performance.getMetrics")).metrics;
    const of = (list, name) => list.find((m) => m.name === name).value;
    figures.script_ms_a_frame = ((of(after, "ScriptDuration") - of(before, "ScriptDuration")) * 1000) / FRAMES;
    figures.heap_mb = of(after, "JSHeapUsedSize") / 1e6;
    must(page.faults.length === 0, page.faults.join("\n"));
  });
}

await browser.close();
started.child.kill("SIGINT");
await sleep(1500);
rmSync(data, { recursive: true, force: true });
writeFileSync(join(out, "browser.json"), JSON.stringify({ figures, results }, null, 2));
console.log(JSON.stringify(figures));
const failed = results.filter((result) => !result.ok).length;
console.log(`${results.length - failed} of ${results.length} passed; pictures in ${out}`);
process.exit(failed ? 1 : 0);
