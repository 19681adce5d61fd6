// Drives Debian's Chromium over a screen and tells what it saw, a line of JSON each. Usage: node browser.mjs MODULES FOLDER < job
// The job: {"origin", "cookie": {name, value}, "pages": [{"name", "path"}], "looks": [pages in other lights and widths], "paper": [pages printed], "keys": path, "live": path,
// "plots": whether scripts draw them}
import { createRequire } from "node:module";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [modules, folder] = process.argv.slice(2);
const load = createRequire(join(modules, "nothing.js"));
const { chromium } = load("playwright-core");
const axe = readFileSync(load.resolve("axe-core/axe.min.js"), "utf8");
const job = JSON.parse(readFileSync(0, "utf8"));
mkdirSync(folder, { recursive: true });

const tell = (what) => console.log(JSON.stringify(what));
const browser = await chromium.launch({
	executablePath: "/usr/bin/chromium",
	args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

async function context(options) {
	const made = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
	made.setDefaultTimeout(300000); // how slow a machine is decides nothing
	await made.addCookies([{ ...job.cookie, url: job.origin, httpOnly: true, sameSite: "Strict" }]);
	return made;
}

// What a page complains of, and whom else it asks.
function watch(page, told) {
	page.on("pageerror", (error) => told.push(`error: ${error.message}`));
	page.on("console", (message) => message.type() === "error" && told.push(`console: ${message.text()}`));
	page.on("request", (request) => request.url().startsWith(job.origin) || told.push(`asks ${request.url()}`));
}

// axe is the tester's, not the page's: it comes in beside the page's policy.
async function faults(page) {
	const session = await page.context().newCDPSession(page);
	await session.send("Runtime.evaluate", { expression: axe });
	const { result } = await session.send("Runtime.evaluate", {
		expression: "axe.run(document).then((r) => JSON.stringify(r.violations.map((v) => [v.impact, v.id, v.nodes.map((n) => n.html.slice(0, 200)).slice(0, 3)])))",
		awaitPromise: true,
	});
	return JSON.parse(result.value);
}

async function visit(within, name, path) {
	const page = await within.newPage(), told = [];
	watch(page, told);
	await page.goto(job.origin + path, { waitUntil: "load" });
	await page.waitForTimeout(300);
	await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
	const wider = await page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth);
	tell({ page: name, title: await page.title(), text: await page.innerText("body"), told, wider, axe: await faults(page) });
	await page.close();
}

const scripted = await context({});
for (const { name, path } of job.pages)
	await visit(scripted, name, path);

// By night, and on a telephone.
for (const [suffix, options] of [["dark", { colorScheme: "dark" }], ["narrow", { viewport: { width: 390, height: 844 } }]]) {
	const within = await context(options);
	for (const { name, path } of job.looks)
		await visit(within, `${name}-${suffix}`, path);
	await within.close();
}

const plain = await context({ javaScriptEnabled: false });
for (const { name, path } of job.pages) {
	const page = await plain.newPage();
	await page.goto(job.origin + path, { waitUntil: "load" });
	await page.screenshot({ path: join(folder, `${name}-plain.png`), fullPage: true });
	tell({ plain: name, text: await page.innerText("body") });
	await page.close();
}

// By keyboard alone: where the focus goes, and that it can be seen.
{
	const page = await scripted.newPage(), stops = [];
	await page.goto(job.origin + job.keys, { waitUntil: "load" });
	for (let i = 0; i < 40; i++) {
		await page.keyboard.press("Tab");
		stops.push(await page.evaluate(() => {
			const e = document.activeElement, style = getComputedStyle(e);
			return { tag: e.tagName, text: (e.innerText || e.id || "").slice(0, 80), seen: style.outlineStyle !== "none" && e.getBoundingClientRect().width > 0 };
		}));
	}
	tell({ keys: stops });
	await page.close();
}

// Live: the page changes without being loaded anew, and whoever has the keyboard keeps it.
{
	const page = await scripted.newPage();
	await page.goto(job.origin + job.live, { waitUntil: "load" });
	await page.focus("#incident a");
	tell({ live: "looking" });
	await page.waitForFunction(() => document.querySelector(".tile.attacked h3")?.textContent === "late.test", null, { timeout: 300000 });
	await page.waitForTimeout(1500);
	tell({ live: "seen", focus: await page.evaluate(() => document.activeElement.getAttribute("href")), loads: await page.evaluate(() => performance.getEntriesByType("navigation").length) });
	await page.close();
}

// A plot: what it was drawn by, what is read under the pointer and by keyboard, closer looks, and that it goes on while new values come.
{
	const page = await scripted.newPage(), told = [], seen = {};
	watch(page, told);
	await page.goto(job.origin + job.keys, { waitUntil: "load" });
	seen.drawn = await page.locator("figure.drawn canvas").count();
	seen.svg = await page.locator("figure > svg").evaluateAll((all) => all.map((svg) => svg.getBoundingClientRect().width > 0));
	if (job.plots) {
		const box = page.locator("#requests-box");
		await box.scrollIntoViewIfNeeded();
		const frame = await box.locator(".u-over").boundingBox(), figure = page.locator("figure", { has: box });
		const at = (share) => page.mouse.move(frame.x + frame.width * share, frame.y + frame.height / 2);
		const when = () => figure.locator(".when").innerText();
		const leftmost = async () => (await at(0.5), await at(0.002), when());
		await at(0.5);
		seen.pointed = { when: await when(), values: await figure.locator(".value").allInnerTexts() };
		await box.focus();
		seen.read = [];
		for (const key of ["Home", "ArrowRight", "ArrowRight", "ArrowLeft", "End"]) {
			await page.keyboard.press(key);
			seen.read.push(await box.getAttribute("aria-valuetext"));
		}
		seen.whole = await leftmost();
		await page.keyboard.press("End");
		await page.keyboard.press("+");
		await page.keyboard.press("+");
		seen.closer = await leftmost();
		await page.keyboard.press("0");
		seen.again = await leftmost();
		await at(0.4);
		await page.mouse.down();
		await page.mouse.move(frame.x + frame.width * 0.7, frame.y + 20, { steps: 4 });
		await page.mouse.up();
		seen.dragged = await leftmost();
		await figure.getByRole("button").nth(2).click();
		seen.all = await leftmost();
		await page.emulateMedia({ media: "print" });
		seen.paper = await page.locator("figure > svg").evaluateAll((all) => all.map((svg) => svg.getBoundingClientRect().width > 0));
		seen.boxOnPaper = await box.isVisible();
		await page.emulateMedia({ media: "screen" });
		await page.goto(job.origin + job.live, { waitUntil: "load" });
		await page.locator("#requests-box").focus();
		await page.locator("#requests-box").evaluate((element) => (window.same = element));
		const before = await page.locator("figure").first().getAttribute("data-at");
		await page.waitForFunction((at) => document.querySelector("figure").dataset.at !== at, before, { timeout: 300000 });
		seen.kept = await page.evaluate(() => window.same === document.getElementById("requests-box") && document.activeElement === window.same);
	}
	tell({ plots: seen, told });
	await page.close();
}

// A button pressed by keyboard.
{
	const page = await scripted.newPage();
	await page.goto(job.origin + job.keys, { waitUntil: "load" });
	await page.fill("#why", "a mistake");
	await page.focus('button[value^="unban"]');
	await Promise.all([page.waitForNavigation({ waitUntil: "load" }), page.keyboard.press("Enter")]);
	tell({ order: await page.innerText(".news"), at: page.url() });
	await page.close();
}

// On paper.
{
	const page = await plain.newPage();
	await page.goto(job.origin + job.keys, { waitUntil: "load" });
	await page.pdf({ path: join(folder, "incident.pdf"), format: "A4" });
	await page.close();
	for (const { name, path } of job.paper) {
		const sheet = await scripted.newPage();
		await sheet.setViewportSize({ width: 690, height: 1000 }); // A4 within its margins
		await sheet.goto(job.origin + path, { waitUntil: "load" });
		await sheet.emulateMedia({ media: "print" });
		await sheet.screenshot({ path: join(folder, `${name}-paper.png`), fullPage: true });
		tell({ paper: name, wider: await sheet.evaluate(() => document.scrollingElement.scrollWidth - innerWidth) });
		await sheet.close();
	}
}
await browser.close();
