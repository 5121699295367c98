// Colors labels, makes task-list boxes work, and keeps what is shown up to date.
"use strict";

const EVERY = 1000; // milliseconds between two looks
let tag = null;

function dress(root) {
  for (const chip of root.querySelectorAll("[data-color]")) {
    chip.style.background = "#" + chip.dataset.color;
  }
  for (const text of root.querySelectorAll("[data-tick]")) {
    for (const box of text.querySelectorAll("input[data-box]")) {
      box.disabled = false;
      box.addEventListener("change", () => tick(text.dataset, box));
    }
  }
}

async function tick({ tick: url, comment }, box) {
  const body = new URLSearchParams({ comment, box: box.dataset.box, on: box.checked ? "1" : "" });
  const answer = await fetch(url, { method: "POST", body });
  if (!answer.ok) box.checked = !box.checked;
  await look();
}

function busy(live) {
  const fields = "input:not([type=checkbox]), textarea, select";
  return live.contains(document.activeElement) && document.activeElement.matches(fields)
    || live.querySelector("details.edit[open]");
}

// Where the box is that has the focus, so that it has it again in what replaces it.
function focused() {
  const box = document.activeElement?.closest("[data-tick] input[data-box]");
  if (!box) return null;
  const { comment } = box.closest("[data-tick]").dataset;
  return `[data-comment="${comment}"] input[data-box="${box.dataset.box}"]`;
}

async function look() {
  const live = document.getElementById("live");
  if (!live || document.hidden || busy(live)) return;
  const answer = await fetch(location.href, { cache: "no-cache" });
  if (!answer.ok || answer.headers.get("ETag") === tag) return;
  const first = tag === null;
  tag = answer.headers.get("ETag");
  if (first) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const open = [...live.querySelectorAll("details")].map((one) => one.open);
  const fresh = page.getElementById("live");
  if (!fresh) return;
  fresh.querySelectorAll("details").forEach((one, at) => { one.open = open[at] ?? one.open; });
  const box = focused();
  live.replaceWith(document.adoptNode(fresh));
  const [then, now] = [page, document].map((one) => one.querySelector("[data-state]"));
  if (then && now) now.replaceWith(document.adoptNode(then));
  dress(fresh);
  if (box) fresh.querySelector(box)?.focus({ preventScroll: true });
}

async function keep() {
  try {
    await look();
  } catch {
    // the forge is gone or restarting: the next look will tell
  }
  setTimeout(keep, EVERY);
}

for (const choice of document.querySelectorAll("[data-submit]")) {
  choice.addEventListener("change", () => choice.form.submit());
}
for (const spare of document.querySelectorAll("[data-hide]")) spare.hidden = true;
dress(document);
keep();
