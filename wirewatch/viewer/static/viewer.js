// What is better with JavaScript: times in the reader's zone, keys, and buttons that copy. All else works without it.
"use strict";

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
const styles = {
  full: { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short" },
  clock: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  zoned: { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short" },
  day: { day: "numeric", month: "long", year: "numeric" },
};
const formats = Object.fromEntries(Object.entries(styles).map(([name, style]) => [name, new Intl.DateTimeFormat("en-GB", style)]));

function tellTimes() {
  if (zone === "UTC") return;
  for (const time of document.querySelectorAll("time[data-style]")) {
    time.textContent = formats[time.dataset.style].format(new Date(time.dateTime)).replace(" at ", ", ");
    time.dataset.local = "";
  }
  for (const text of document.querySelectorAll("text[data-clock]")) {
    text.textContent = text.dataset.before + formats.clock.format(new Date(text.dataset.clock));
  }
  for (const label of document.querySelectorAll("[data-zone-label]")) {
    label.textContent = label.dataset.zoneLabel.replace("{zone}", `your time (${zone})`);
  }
  for (const name of document.querySelectorAll("[data-zone-name]")) {
    name.textContent = `your own (${zone}), with UTC where you point at them`;
  }
}

function say(words) {
  const said = document.querySelector(".said");
  said.textContent = words;
  setTimeout(() => { if (said.textContent === words) said.textContent = ""; }, 4000);
}

// Copying

async function toClipboard(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");  // a page that came over plain HTTP has no clipboard
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("not copied");
}

async function copy(what, find) {
  try {
    await toClipboard(await find());
    say(`${what} copied`);
  } catch {
    say(`${what} could not be copied; open the link instead`);
  }
}

async function fetched(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(answer.statusText);
  return answer.text();
}

function offerCopies() {
  for (const link of document.querySelectorAll("a[data-copy]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy ${link.dataset.copy}`);
    button.addEventListener("click", () => copy(link.dataset.copy, () => fetched(link.href)));
    link.after(" ", button);
  }
  for (const button of document.querySelectorAll("[data-copy-address]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy("Address", async () => button.dataset.copyAddress));
  }
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
}

// Keys

const help = document.querySelector("#help");
const keysSwitch = document.querySelector("[data-keys]");

function step(forward) {
  const changes = [...document.querySelectorAll("[data-change]")].filter((one) => one.getClientRects().length);
  if (!changes.length) return;
  const here = document.activeElement.closest("[data-change]");
  let next = changes.indexOf(here) + (forward ? 1 : -1);
  if (!here) {
    const below = changes.findIndex((one) => one.getBoundingClientRect().top > 8);
    next = forward ? Math.max(below, 0) : (below < 0 ? changes.length : below) - 1;
  }
  const change = changes[(next + changes.length) % changes.length];
  change.focus({ preventScroll: true });
  change.scrollIntoView({ block: change.offsetHeight > window.innerHeight * 0.8 ? "start" : "center" });
}

function follow(selector) {
  const link = document.querySelector(selector);
  if (link) link.click();
}

function unfold() {
  const folds = [...document.querySelectorAll(".fold, details.inline")];
  const open = folds.some((fold) => !fold.open);
  for (const fold of folds) fold.open = open;
}

const keys = {
  n: () => step(true),
  j: () => step(true),
  p: () => step(false),
  k: () => step(false),
  "]": () => follow("[data-next]"),
  "[": () => follow("[data-previous]"),
  v: () => follow("[data-view]"),
  u: unfold,
  "/": () => document.querySelector("[data-search]")?.focus(),
};

function onKey(event) {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.ctrlKey || event.metaKey || event.altKey || typing || help.open || !keysSwitch.checked) return;
  const act = event.key === "?" ? () => help.showModal() : keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

function remembered(name) {
  try { return localStorage.getItem(name); } catch { return null; }  // storage may be forbidden, and keys work without
}

function remember(name, value) {
  try { localStorage.setItem(name, value); } catch { say("Your browser keeps no settings; this holds for this page"); }
}

keysSwitch.checked = remembered("keys") !== "off";
keysSwitch.addEventListener("change", () => remember("keys", keysSwitch.checked ? "on" : "off"));
document.addEventListener("keydown", onKey);
for (const button of document.querySelectorAll("[data-help]")) {
  button.hidden = false;
  button.addEventListener("click", () => help.showModal());
}

tellTimes();
offerCopies();
