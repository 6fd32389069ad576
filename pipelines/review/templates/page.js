"use strict";
const page = JSON.parse(document.getElementById("page").textContent);
const others = document.getElementById("others");
const lines = [...document.querySelectorAll("article")];
const field = (line) => line.querySelector("p");
const text = (line) => field(line).textContent.replace(/\s+/g, " ").trim();
const read = new Map(lines.map((line) => [line, text(line)]));

// Changes are kept by the browser until they are forgotten; a page that was read anew begins anew, or as it was saved.
const DRAFT = `inkbeam ${page.name} ${page.read}`;

function markChanged() {
  const changed = lines.filter((line) => text(line) !== read.get(line));
  lines.forEach((line) => line.classList.toggle("changed", changed.includes(line)));
  return Object.fromEntries(changed.map((line) => [line.dataset.line, text(line)]));
}

function keep() {
  localStorage.setItem(DRAFT, JSON.stringify(markChanged()));
  document.getElementById("forget").hidden = false;
}

function restore() {
  const kept = localStorage.getItem(DRAFT);
  const draft = kept ? JSON.parse(kept) : page.corrected || {};
  for (const line of lines) if (line.dataset.line in draft) field(line).textContent = draft[line.dataset.line];
  markChanged();
  document.getElementById("forget").hidden = !kept;
}

// A word and its place on the sheet are marked together.
const place = (line, word) => document.querySelector(`rect[data-line="${line}"][data-word="${word}"]`);

function mark(span) {
  document.querySelectorAll(".here").forEach((element) => element.classList.remove("here"));
  const rect = place(span.closest("article").dataset.line, span.dataset.word);
  for (const element of [span, rect]) if (element) element.classList.add("here");
  if (rect) rect.scrollIntoView({ block: "nearest", inline: "nearest" });
  span.scrollIntoView({ block: "nearest" });
}

function offer(span) {
  const note = document.createElement("small");
  note.textContent = `confidence ${span.dataset.confidence}`;
  const known = [...new Set([span.dataset.read, ...JSON.parse(span.dataset.others)])];
  const choices = known.filter((other) => other !== span.textContent).map((other) => {
    const button = document.createElement("button");
    button.textContent = other;
    button.addEventListener("click", () => { span.textContent = other; others.hidden = true; keep(); });
    return button;
  });
  others.replaceChildren(...choices, note);
  others.hidden = false;
  const at = span.getBoundingClientRect();
  others.style.left = `${Math.min(at.left, innerWidth - others.offsetWidth - 8)}px`;
  others.style.top = `${at.bottom + others.offsetHeight + 4 < innerHeight ? at.bottom + 4 : at.top - others.offsetHeight - 4}px`;
}

function visit(span) {
  mark(span);
  offer(span);
}

let last = null;
function nextDoubtful() {
  const doubtful = [...document.querySelectorAll("span[data-word]")].filter((span) => span.dataset.confidence < 0.7);
  const after = doubtful.filter((span) => last && last.compareDocumentPosition(span) & Node.DOCUMENT_POSITION_FOLLOWING);
  last = after[0] || doubtful[0];
  if (last) visit(last);
}

// The page as PAGE XML with the lines as they stand on the screen. A line that was emptied is left out; where words were
// joined or parted their boxes no longer fit and go.
function corrected() {
  const xml = new DOMParser().parseFromString(page.xml, "application/xml");
  const written = [...xml.getElementsByTagName("TextLine")];
  lines.forEach((line, i) => {
    const now = text(line);
    if (now === read.get(line)) return;
    if (!now) { written[i].remove(); return; }
    const own = (element) => [...element.children].find((child) => child.tagName === "TextEquiv");
    const say = (element, said) => {
      own(element).removeAttribute("conf");
      own(element).getElementsByTagName("Unicode")[0].textContent = said;
    };
    say(written[i], now);
    const words = [...written[i].children].filter((child) => child.tagName === "Word");
    const said = now.split(" ");
    const moved = now.replaceAll(" ", "") === read.get(line).replaceAll(" ", "");
    if (said.length !== words.length || moved) words.forEach((word) => word.remove());
    else words.forEach((word, k) => { if (own(word).textContent.trim() !== said[k]) say(word, said[k]); });
  });
  return new XMLSerializer().serializeToString(xml);
}

function save() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([corrected()], { type: "application/xml" }));
  link.download = `${page.name}.page.xml`;
  link.click();
  URL.revokeObjectURL(link.href);
}

document.getElementById("sheet").addEventListener("click", ({ target }) => {
  if (!target.dataset.word) return;
  const line = document.querySelector(`article[data-line="${target.dataset.line}"]`);
  const span = line.querySelector(`span[data-word="${target.dataset.word}"]`);
  if (span) visit(span);
  else field(line).focus();
});
document.getElementById("text").addEventListener("click", ({ target }) => {
  if (target.dataset.word) visit(target);
});
document.addEventListener("mousedown", ({ target }) => { if (!others.contains(target)) others.hidden = true; });
document.getElementById("text").addEventListener("input", () => { others.hidden = true; keep(); });
document.getElementById("text").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  const below = lines[lines.indexOf(event.target.closest("article")) + 1];
  if (below) field(below).focus();
});
// Pasted text comes without its fonts and line breaks.
document.getElementById("text").addEventListener("paste", (event) => {
  event.preventDefault();
  document.execCommand("insertText", false, event.clipboardData.getData("text/plain").replace(/\s+/g, " "));
});
document.addEventListener("keydown", (event) => {
  if (event.altKey && event.key.toLowerCase() === "d") { event.preventDefault(); nextDoubtful(); }
  if (event.key === "Escape") others.hidden = true;
});
document.getElementById("doubtful").addEventListener("click", nextDoubtful);
document.getElementById("save").addEventListener("click", save);
document.getElementById("forget").addEventListener("click", () => { localStorage.removeItem(DRAFT); location.reload(); });
restore();
