"use strict";
const page = JSON.parse(document.getElementById("page").textContent);
const others = document.getElementById("others");
const sheet = document.querySelector("#sheet svg"); // none where the scan cannot be shown
const field = (line) => line.querySelector("p");
const text = (line) => field(line).textContent.replace(/\s+/g, " ").trim();
const lines = () => [...document.querySelectorAll("article")];
const sections = () => [...document.querySelectorAll("#text section")];
const isDrawn = (line) => "box" in line.dataset;

// Lines as they were read, in their order: what they said, and their words.
const read = new Map(lines().map((line) => [line, { text: text(line), words: field(line).innerHTML }]));

// Changes are kept by the browser until they are forgotten. A page that was read anew, or of which another correction lies
// in the folder now, begins anew.
const DRAFT = `inkbeam lines ${page.name} ${page.read} ${page.saved}`;

// The page as it stands on the screen: section, name, text and, of lines that were drawn, box of one line after another.
const state = () => lines().map((line) => [
  sections().indexOf(line.parentElement), line.dataset.line, text(line), isDrawn(line) ? JSON.parse(line.dataset.box) : null,
]);

function markChanged() {
  for (const line of lines()) line.classList.toggle("changed", isDrawn(line) || text(line) !== read.get(line).text);
}

function keep() {
  markChanged();
  localStorage.setItem(DRAFT, JSON.stringify(state()));
  document.getElementById("forget").hidden = false;
}

function restore() {
  const kept = localStorage.getItem(DRAFT);
  const draft = kept ? JSON.parse(kept) : page.corrected;
  if (draft) arrange(draft);
  markChanged();
  document.getElementById("forget").hidden = !kept;
}

// The page as a state says. Lines that it does not name were emptied: they stay behind the line behind which they stood.
function arrange(draft) {
  const found = [...read.keys()];
  const unnamed = new Set(found);
  for (const [section, name, said, box] of draft) {
    const line = found.find((each) => each.dataset.line === name) || drawn(name, box);
    unnamed.delete(line);
    if (text(line) !== said) field(line).textContent = said;
    (sections()[section] || begin()).append(line);
  }
  for (const line of unnamed) {
    field(line).textContent = "";
    const before = found[found.indexOf(line) - 1];
    if (before && before.parentElement === line.parentElement) before.after(line);
    else line.parentElement.prepend(line);
  }
}

function equip(line) {
  const menu = document.createElement("menu");
  const tools = [
    ["↑", "read it earlier (Alt+↑)", () => move(line, -1)],
    ["↓", "read it later (Alt+↓)", () => move(line, 1)],
    ["✕", "leave it out, or take it back", () => leaveOut(line)],
  ];
  menu.append(...tools.map(([sign, title, act]) => {
    const button = document.createElement("button");
    button.textContent = sign;
    button.title = title;
    button.addEventListener("click", act);
    return button;
  }));
  line.prepend(menu);
}

// Past the line before or behind it; at a section's end into the next section, which may have been emptied.
function move(line, step) {
  const inside = [...line.parentElement.querySelectorAll("article")];
  const other = inside[inside.indexOf(line) + step];
  const next = sections()[sections().indexOf(line.parentElement) + step];
  if (!other && !next) return;
  if (other) other[step < 0 ? "before" : "after"](line);
  else next[step < 0 ? "append" : "prepend"](line);
  field(line).focus();
  line.scrollIntoView({ block: "nearest" });
  keep();
}

function leaveOut(line) {
  if (isDrawn(line)) {
    place(line.dataset.line, 0)?.remove();
    line.remove();
  } else if (text(line)) field(line).textContent = "";
  else field(line).innerHTML = read.get(line).words;
  keep();
}

// A word and its place on the sheet are marked together.
const place = (line, word) => document.querySelector(`rect[data-line="${line}"][data-word="${word}"]`);

function mark(span) {
  document.querySelectorAll(".here").forEach((element) => element.classList.remove("here"));
  const rect = place(span.closest("article").dataset.line, span.dataset.word);
  for (const element of [span, rect]) if (element) element.classList.add("here");
  if (rect) rect.scrollIntoView({ block: "nearest", inline: "nearest" });
  // The whole line: its picture stands above the words.
  span.closest("article").scrollIntoView({ block: "nearest" });
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

// Lines that were not found are drawn: a box on the sheet, and a field beside its picture.

function begin() {
  document.querySelector("#text .none")?.remove();
  const section = document.createElement("section");
  document.getElementById("text").append(section);
  return section;
}

function frame([left, top, right, bottom]) {
  const rect = document.createElementNS(sheet.namespaceURI, "rect");
  const sides = { x: left, y: top, width: right - left, height: bottom - top };
  for (const [name, side] of Object.entries(sides)) rect.setAttribute(name, side);
  sheet.append(rect);
  return rect;
}

function drawn(name, box) {
  const line = document.createElement("article");
  line.dataset.line = name;
  line.dataset.box = JSON.stringify(box);
  if (sheet) {
    const [left, top, right, bottom] = box;
    const strip = sheet.cloneNode();
    strip.setAttribute("viewBox", `${left} ${top} ${right - left} ${bottom - top}`);
    strip.style.setProperty("--ratio", (right - left) / (bottom - top));
    strip.append(sheet.querySelector("image").cloneNode());
    line.append(strip);
    Object.assign(frame(box).dataset, { line: name, word: 0 });
  }
  const paragraph = document.createElement("p");
  paragraph.contentEditable = true;
  paragraph.spellcheck = false;
  line.append(paragraph);
  equip(line);
  return line;
}

// Beside the line of the word that is nearest to it: before that if it stands higher.
function add(box) {
  const [left, top, right, bottom] = box;
  const numbers = lines().filter(isDrawn).map((line) => Number(line.dataset.line.slice(3)));
  const away = (rect) => {
    const { x, y, width, height } = rect.getBBox();
    return Math.hypot(Math.max(0, left - x - width, x - right), (top + bottom) / 2 - y - height / 2);
  };
  const words = [...sheet.querySelectorAll("rect[data-word]")];
  const nearest = words.sort((one, two) => away(one) - away(two))[0];
  const line = drawn(`new${Math.max(-1, ...numbers) + 1}`, box);
  if (nearest) {
    const { y, height } = nearest.getBBox();
    const other = document.querySelector(`article[data-line="${nearest.dataset.line}"]`);
    if ((top + bottom) / 2 < y + height / 2) other.before(line);
    else other.after(line);
  } else (sections()[0] || begin()).append(line);
  field(line).focus();
  line.scrollIntoView({ block: "nearest" });
  keep();
}

let from = null; // where the box begins that is being drawn
let drawing = null; // its frame

function drawingMode(on) {
  document.body.classList.toggle("drawing", on);
  drawing?.remove();
  from = drawing = null;
}

function boxTo({ clientX, clientY }) {
  const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(sheet.getScreenCTM().inverse());
  const { width, height } = sheet.viewBox.baseVal;
  const to = [Math.min(Math.max(x, 0), width), Math.min(Math.max(y, 0), height)].map(Math.round);
  from = from || to;
  return [Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.max(from[0], to[0]), Math.max(from[1], to[1])];
}

sheet?.addEventListener("pointerdown", (event) => {
  if (!document.body.classList.contains("drawing")) return;
  event.preventDefault();
  drawing = frame(boxTo(event));
});
document.addEventListener("pointermove", (event) => {
  if (!drawing) return;
  drawing.remove();
  drawing = frame(boxTo(event));
});
document.addEventListener("pointerup", (event) => {
  if (!drawing) return;
  const box = boxTo(event);
  drawingMode(false);
  if (box[2] - box[0] > 4 && box[3] - box[1] > 4) add(box);
});

// The page as PAGE XML with the lines as they stand on the screen. A line that was emptied is left out; where words were
// joined or parted their boxes no longer fit and go.
function corrected() {
  const xml = new DOMParser().parseFromString(page.xml, "application/xml");
  const make = (name, attributes = {}) => {
    const element = xml.createElementNS(xml.documentElement.namespaceURI, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const written = new Map([...xml.getElementsByTagName("TextLine")].map((line) => [line.getAttribute("id"), line]));
  const regions = [...xml.getElementsByTagName("TextRegion")];
  sections().forEach((section, i) => {
    if (!regions[i] && ![...section.querySelectorAll("article")].some(text)) return;
    const region = regions[i] || make("TextRegion", { id: `region${i}` });
    if (!regions[i]) {
      region.append(make("Coords"));
      xml.getElementsByTagName("Page")[0].append(region);
    }
    const before = new Set(region.getElementsByTagName("TextLine"));
    for (const line of section.querySelectorAll("article")) {
      const element = written.get(line.dataset.line) || writtenAnew(line, make);
      rewrite(element, line);
      if (text(line)) region.append(element, "\n");
      else element.remove();
    }
    if ([...region.getElementsByTagName("TextLine")].some((line) => !before.has(line))) enclose(region);
  });
  return new XMLSerializer().serializeToString(xml);
}

const own = (element) => [...element.children].find((child) => child.tagName === "TextEquiv");

function say(element, said) {
  own(element).removeAttribute("conf");
  own(element).getElementsByTagName("Unicode")[0].textContent = said;
}

function rewrite(element, line) {
  const now = text(line);
  const before = isDrawn(line) ? "" : read.get(line).text;
  if (now === before) return;
  say(element, now);
  const words = [...element.children].filter((child) => child.tagName === "Word");
  const said = now.split(" ");
  const moved = now.replaceAll(" ", "") === before.replaceAll(" ", "");
  if (said.length !== words.length || moved) words.forEach((word) => word.remove());
  else words.forEach((word, k) => { if (own(word).textContent.trim() !== said[k]) say(word, said[k]); });
}

// Of PAGE's points the last pixel is part, of boxes it is not.
const corners = (left, top, right, bottom) => `${left},${top} ${right},${top} ${right},${bottom} ${left},${bottom}`;

function writtenAnew(line, make) {
  const [left, top, right, bottom] = JSON.parse(line.dataset.box);
  const element = make("TextLine", { id: line.dataset.line });
  const said = make("TextEquiv");
  said.append(make("Unicode"));
  element.append(make("Coords", { points: corners(left, top, right - 1, bottom - 1) }), said);
  return element;
}

// A region reaches around all of its lines, also those that came into it.
function enclose(region) {
  const [around, ...inside] = [...region.getElementsByTagName("Coords")];
  const points = inside.flatMap((coords) => coords.getAttribute("points").split(" ").map((point) => point.split(",").map(Number)));
  const [xs, ys] = [0, 1].map((k) => points.map((point) => point[k]));
  around.setAttribute("points", corners(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)));
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
  const line = event.target.closest("article");
  if (event.altKey && ["ArrowUp", "ArrowDown"].includes(event.key)) {
    event.preventDefault();
    move(line, event.key === "ArrowUp" ? -1 : 1);
  }
  if (event.key !== "Enter" || event.target !== field(line)) return;
  event.preventDefault();
  const all = lines();
  const below = all[all.indexOf(line) + 1];
  if (below) field(below).focus();
});
// Pasted text comes without its fonts and line breaks.
document.getElementById("text").addEventListener("paste", (event) => {
  event.preventDefault();
  document.execCommand("insertText", false, event.clipboardData.getData("text/plain").replace(/\s+/g, " "));
});
document.addEventListener("keydown", (event) => {
  if (event.altKey && event.key.toLowerCase() === "d") { event.preventDefault(); nextDoubtful(); }
  if (event.key === "Escape") { others.hidden = true; drawingMode(false); }
});
document.getElementById("doubtful").addEventListener("click", nextDoubtful);
document.getElementById("draw")?.addEventListener("click", () => drawingMode(true));
document.getElementById("save").addEventListener("click", save);
document.getElementById("forget").addEventListener("click", () => { localStorage.removeItem(DRAFT); location.reload(); });
lines().forEach(equip);
restore();
