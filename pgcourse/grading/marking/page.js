// The marking page: shows one student's work beside the rubric, and sends every change at once. What students wrote comes as
// text and as a tree of a few elements; nothing here turns a text into HTML, and the page's policy would refuse it.

/** @typedef {string | [string, ...Array<any>]} Node_ a text, or the name of an element and what is in it */
/** @typedef {{points: number, text: string}} Item */
/** @typedef {{id: string, kind: string, assignment: string, title: string, items: Item[], expected: Node_[], students: string[]}} Task */
/** @typedef {{id: string, name: string, number: number}} Student */
/** @typedef {{items: (number | null)[], points: number | null, comment: string, remark: string}} Mark */
/** @typedef {{student: string, task: string, item?: number, points?: number | null, comment?: string}} Change */

const ELEMENTS = new Set(
  "p h1 h2 h3 h4 h5 h6 em strong s ul ol li blockquote pre code hr br table thead tbody tr th td".split(" "),
);
const POLL = 2000; // milliseconds between two looks at what others have marked
const TYPING = 400; // milliseconds without a letter before a comment is sent
const WAITING = "pgcourse-mark-waiting "; // in localStorage, of each page: changes that no server has confirmed
const OPENED = "pgcourse-mark-opened"; // in localStorage: tells other pages that one was opened
const OWN = WAITING + crypto.randomUUID();

/** @type {Task[]} */
let tasks = [];
/** @type {Student[]} */
let students = [];
/** @type {Record<string, Mark>} */
let marks = {};
let version = "";
/** @type {Task} */
let task;
/** @type {Student} */
let student;
let asWritten = false;
/** @type {{text: string, prose: Node_[], cells: {source: string, printed: string, figures: string[]}[], remarks: string[]} | null} */
let work = null;
/** @type {Map<string, Change>} */
const waiting = new Map();
let sending = false;
let typing = 0;
let connected = true;
let stopped = ""; // why nothing is asked any more: another program of this machine may have the port now
let writes = 0; // counted as they begin and as they end: what was read meanwhile may be older than they are

/** @template {HTMLElement} T @param {string} id @param {new () => T} kind @returns {T} */
function part(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(id);
  return found;
}
const page = {
  main: /** @type {HTMLElement} */ (document.querySelector("main")),
  bar: part("bar", HTMLProgressElement),
  progress: part("progress", HTMLSpanElement),
  saved: part("saved", HTMLSpanElement),
  trouble: part("trouble", HTMLParagraphElement),
  task: part("task", HTMLSelectElement),
  student: part("student", HTMLSelectElement),
  order: part("order", HTMLSelectElement),
  blind: part("blind", HTMLInputElement),
  whose: part("whose", HTMLHeadingElement),
  remarks: part("remarks", HTMLDivElement),
  answer: part("answer", HTMLDivElement),
  ran: part("ran", HTMLDivElement),
  rubric: part("rubric", HTMLFormElement),
  items: part("items", HTMLDivElement),
  sum: part("sum", HTMLParagraphElement),
  elsewhere: part("elsewhere", HTMLParagraphElement),
  comment: part("comment", HTMLTextAreaElement),
  commentLabel: part("comment-label", HTMLLabelElement),
  help: part("comment-help", HTMLParagraphElement),
  expected: part("expected", HTMLDetailsElement),
  keys: part("keys", HTMLDetailsElement),
  single: part("single", HTMLInputElement),
  said: part("said", HTMLParagraphElement),
};

// Small things

/** @param {string} name @param {Record<string, string>} attributes @param {...(string | Element)} content */
function element(name, attributes, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...content);
  return made;
}

/** @param {Node_[]} nodes @param {number} deeper how far headings go below those of the page @returns {(string | Element)[]} */
function built(nodes, deeper = 2) {
  return nodes.map((node) => {
    if (typeof node === "string") return node;
    const [name, ...content] = node;
    if (!ELEMENTS.has(name)) return content.filter((each) => typeof each === "string").join("");
    const heading = /^h([1-6])$/.exec(name);
    const made = element(heading ? `h${Math.min(6, Number(heading[1]) + deeper)}` : name, {});
    made.append(...built(content, deeper));
    return made;
  });
}

/** @param {string} text */
function say(text) {
  page.said.textContent = page.said.textContent === text ? `${text}\u00a0` : text; // the same words are spoken again
}

/** @param {string} text */
function trouble(text) {
  if (page.trouble.textContent !== text) page.trouble.textContent = text;
  page.trouble.hidden = !text;
}

/** @param {number} points @param {string} [word] */
const number = (points, word = "point") => `${Number(points.toFixed(4))} ${word}${points === 1 ? "" : "s"}`;
/** @param {string} who @param {string} what */
const pair = (who, what) => `${who} ${what}`;
/** @param {Task} what */
const commentWord = (what) => (what.kind === "exercise" ? "reason" : "comment");

// The class

/** @param {Student} who */
const named = (who) => (page.blind.checked ? `Student ${who.number}` : who.name);

/** @param {Task} what @returns {Student[]} those who have this task, in the order of the page */
function studentsOf(what) {
  const found = students.filter((who) => what.students.includes(who.id));
  return page.blind.checked
    ? found.sort((a, b) => a.number - b.number)
    : found.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
}

/** @param {Student} who @returns {Task[]} */
const tasksOf = (who) => tasks.filter((what) => what.students.includes(who.id));

/** @param {Student} who @param {Task} what @returns {Mark} as it will be once every change has arrived */
function markOf(who, what) {
  const known = marks[pair(who.id, what.id)];
  const mark = { items: what.items.map((_, i) => known?.items[i] ?? null), points: known?.points ?? null };
  let comment = known?.comment ?? "", touched = false;
  const complete = !mark.items.includes(null);
  for (const change of waiting.values()) {
    if (change.student !== who.id || change.task !== what.id) continue;
    if (change.comment !== undefined) comment = change.comment;
    if (change.item !== undefined) {
      mark.items[change.item] = change.points ?? null;
      touched = true;
    }
  }
  if (touched) {
    if (!mark.items.includes(null)) mark.points = mark.items.reduce((sum, each) => Number(sum) + Number(each), 0);
    else if (complete) mark.points = null;
  }
  return { ...mark, comment, remark: touched ? "" : (known?.remark ?? "") };
}

/** @returns {[Student, Task][]} all that is to be marked, in the chosen order, from the place after this one on */
function queue() {
  /** @type {[Student, Task][]} */
  const all = page.order.value === "task"
    ? tasks.flatMap((what) => studentsOf(what).map((who) => /** @type {[Student, Task]} */ ([who, what])))
    : [...students]
        .sort((a, b) => (page.blind.checked ? a.number - b.number : a.name.localeCompare(b.name, undefined, { numeric: true })))
        .flatMap((who) => tasksOf(who).map((what) => /** @type {[Student, Task]} */ ([who, what])));
  const here = all.findIndex(([who, what]) => who === student && what === task);
  return [...all.slice(here + 1), ...all.slice(0, here + 1)];
}

// Talking with the server

class Refusal extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** @param {string} path @param {Change} [body] @param {boolean} [leaving] @returns {Promise<any>} */
async function ask(path, body, leaving = false) {
  if (stopped) throw new Error(stopped);
  /** @type {Record<string, string>} */
  const headers = { "X-Pgcourse-Mark": "1" };
  if (body) headers["Content-Type"] = "application/json";
  const options = { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), keepalive: leaving };
  const answer = await fetch(path, options);
  const data = await answer.json();
  if (!answer.ok) throw new Refusal(answer.status, String(data.error));
  return data;
}

/** @param {Change} change */
function put(change) {
  waiting.set(`${pair(change.student, change.task)} ${change.item ?? "comment"}`, change);
  remember();
  showState();
}

function remember() {
  if (waiting.size) localStorage.setItem(OWN, JSON.stringify([...waiting]));
  else localStorage.removeItem(OWN);
}

/** Take up what pages of an earlier start could not save. Ids of students tell classes apart. */
function takeUp() {
  for (const key of Object.keys(localStorage).filter((each) => each.startsWith(WAITING))) {
    /** @type {[string, Change][]} */
    const changes = JSON.parse(localStorage.getItem(key) ?? "[]");
    if (!changes.every(([, change]) => students.some((who) => who.id === change.student))) continue;
    for (const [name, change] of changes) waiting.set(name, change);
    localStorage.removeItem(key);
  }
  remember();
  localStorage.setItem(OPENED, OWN);
}

/** Another page was opened, or has taken up what waited here. @param {StorageEvent} event */
async function elsewhere(event) {
  if (event.key === OWN && event.newValue === null) {
    waiting.clear();
    showState();
  }
  if (event.key !== OPENED) return;
  await poll();
  if (stopped) page.main.inert = true;
}

/** Send what waits, one change after the other. @param {boolean} leaving whether the page is about to go */
async function send(leaving = false) {
  clearTimeout(typing);
  typing = 0;
  if (leaving) {
    for (const change of waiting.values()) ask("api/mark", change, true).catch(() => {});
    return;
  }
  if (sending) return;
  sending = true;
  for (let next = waiting.entries().next(); !next.done; next = waiting.entries().next()) {
    const [key, change] = next.value;
    try {
      writes += 1;
      const { mark } = await ask("api/mark", change);
      marks[pair(change.student, change.task)] = mark;
      if (waiting.get(key) === change) waiting.delete(key);
      online();
    } catch (error) {
      if (error instanceof Refusal && ![403, 409, 500].includes(error.status)) {
        waiting.delete(key);
        trouble(`Not saved: ${error.message}.`);
        continue;
      }
      offline(error);
      break;
    } finally {
      writes += 1;
      remember();
      showState();
    }
  }
  sending = false;
  if (page.trouble.hidden) showMark();
}

function online() {
  connected = true;
  trouble("");
}

/** @param {unknown} error */
function offline(error) {
  connected = false;
  const left = waiting.size ? ` ${number(waiting.size, "change")} not saved yet` : "";
  if (error instanceof Refusal && [409, 500].includes(error.status)) trouble(`${error.message}.${left && `${left}; keep this page open.`}`);
  else {
    stopped ||= error instanceof Refusal
      ? "This page belongs to an earlier start of pgcourse mark. Go on in the page that it opened, or at the address that it printed."
      : "No connection: pgcourse mark has stopped. Start it again, and go on in the page that it opens; if it has not, load this page again.";
    trouble(`${stopped}${left && `${left}: that page saves them.`}`);
  }
  showState();
}

/** Look what others, or the teacher in the file, have marked meanwhile. */
async function poll() {
  try {
    const before = writes;
    const told = await ask(`api/marks?since=${version}`);
    if (!connected) online();
    if (writes !== before) return;
    version = told.version;
    if (told.marks) newMarks(told.marks);
    if (waiting.size && !sending && !typing) send();
  } catch (error) {
    offline(error);
  }
}

/** @param {Record<string, Mark>} told */
function newMarks(told) {
  const before = student && markOf(student, task);
  const comment = page.comment.value;
  marks = told;
  if (!student) return;
  const after = markOf(student, task);
  const changed = task.items.flatMap((_, i) => (after.items[i] !== before.items[i] ? [`line ${i + 1}`] : []));
  if (after.points !== before.points && !changed.length) changed.push("the points");
  const theirs = told[pair(student.id, task.id)]?.comment ?? "";
  const mine = waiting.get(`${pair(student.id, task.id)} comment`);
  if (after.comment !== before.comment) changed.push(`the ${commentWord(task)}`);
  if (changed.length) {
    const text = `Changed elsewhere, in another tab or in the file: ${changed.join(", ")}.`;
    page.elsewhere.textContent = text;
    page.elsewhere.hidden = false;
    say(text);
  } else if (mine && theirs !== before.comment && theirs !== mine.comment && theirs !== comment && theirs) {
    page.elsewhere.textContent = `Elsewhere the ${commentWord(task)} reads: ${theirs}\nYours will replace it.`;
    page.elsewhere.hidden = false;
  }
  showMark();
}

// What is shown

function showState() {
  const all = tasks.flatMap((what) => studentsOf(what).map((who) => markOf(who, what)));
  const done = all.filter((mark) => mark.points !== null).length;
  page.bar.max = Math.max(1, all.length);
  page.bar.value = done;
  page.progress.textContent = `${done} of ${all.length} marked`;
  page.saved.textContent = !connected && waiting.size ? "Not saved" : waiting.size ? "Saving" : "All saved";
  document.documentElement.dataset.saved = waiting.size ? "no" : "yes";
  showChoices();
}

/** @param {HTMLSelectElement} select @param {{value: string, text: string}[]} options @param {string} chosen */
function fill(select, options, chosen) {
  const same = select.options.length === options.length;
  options.forEach(({ value, text }, i) => {
    const option = same ? select.options[i] : new Option();
    if (option.value !== value) option.value = value;
    if (option.text !== text) option.text = text;
    if (!same) {
      if (i === 0) select.replaceChildren();
      select.append(option);
    }
  });
  if (select.value !== chosen) select.value = chosen;
}

function showChoices() {
  if (!student) return;
  fill(page.task, tasks.map((what) => {
    const open = studentsOf(what).filter((who) => markOf(who, what).points === null).length;
    return { value: what.id, text: `${open ? "○" : "✓"} ${what.id}: ${what.title}${open ? `, ${open} open` : ""}` };
  }), task.id);
  fill(page.student, studentsOf(task).map((who) => {
    const mark = markOf(who, task), given = mark.items.filter((each) => each !== null).length;
    const state = mark.points !== null ? "✓" : given ? "◐" : "○";
    return { value: who.id, text: `${state} ${named(who)}` };
  }), student.id);
}

/** Build the rubric of the task, without marks. */
function showRubric() {
  page.items.replaceChildren(...task.items.map((item, i) => {
    const choices = element("div", { class: "choices" });
    const values = [];
    for (let value = 0; value < item.points; value += item.points > 10 ? 1 : 0.5) values.push(value);
    for (const value of [...values, item.points]) choices.append(choice(i, value));
    const legend = element("legend", {}, `${task.items.length > 1 ? `${i + 1}. ` : ""}${item.text} `);
    legend.append(element("span", { class: "note" }, `(${number(item.points)})`));
    return element("fieldset", { "data-item": String(i) }, legend, choices);
  }));
  page.expected.querySelector("div")?.replaceChildren(...built(task.expected));
  page.expected.hidden = !task.expected.length;
  page.commentLabel.textContent = task.kind === "exercise" ? "Reason, which the student reads" : "Comment for the student";
}

/** @param {number} item @param {number} value */
function choice(item, value) {
  const input = element("input", { type: "radio", name: `item-${item}`, value: String(value) });
  input.addEventListener("change", () => give(item, value));
  return element("label", {}, input, String(value));
}

/** Show the points and the comment of this student's task as they are now. */
function showMark() {
  const mark = markOf(student, task);
  const open = page.comment.dataset.of === pair(student.id, task.id) && waiting.has(`${page.comment.dataset.of} comment`);
  // Blanks at the end are not stored, but whoever is typing needs them.
  if (!open && (page.comment.dataset.of !== pair(student.id, task.id) || page.comment.value.trim() !== mark.comment.trim())) page.comment.value = mark.comment;
  page.comment.dataset.of = pair(student.id, task.id);
  mark.items.forEach((points, i) => {
    const set = /** @type {HTMLFieldSetElement} */ (page.items.children[i]);
    const inputs = /** @type {HTMLInputElement[]} */ ([...set.querySelectorAll("input")]);
    if (points !== null && !inputs.some((input) => Number(input.value) === points)) { // written into the file by hand
      const after = inputs.find((input) => Number(input.value) > points);
      set.querySelector(".choices")?.insertBefore(choice(i, points), after?.parentElement ?? null);
    }
    for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (set.querySelectorAll("input"))) {
      input.checked = points !== null && Number(input.value) === points;
    }
    set.classList.toggle("given", points !== null);
    // A group of radios is one stop for Tab, at the one that is chosen.
    const chosen = set.querySelector(":checked");
    if (chosen instanceof HTMLElement && set.contains(document.activeElement)) chosen.focus({ preventScroll: true });
  });
  const most = task.items.reduce((sum, item) => sum + item.points, 0);
  const left = mark.items.filter((each) => each === null).length;
  page.sum.textContent = mark.points !== null
    ? `${number(mark.points)} of ${Number(most.toFixed(4))}`
    : left === task.items.length ? "Not marked yet" : `Not complete: ${number(left, "line")} left`;
  const reasonFirst = task.kind === "exercise" && mark.points === null;
  page.comment.disabled = reasonFirst;
  page.help.textContent = [mark.remark, reasonFirst ? "Give the points first." : ""].filter(Boolean).join(" ");
}

function showWork() {
  if (!work) return;
  page.remarks.replaceChildren(...work.remarks.map((text) => element("p", { class: "note" }, text)));
  page.answer.classList.toggle("as-written", asWritten);
  const shown = asWritten ? [element("pre", {}, work.text)] : built(work.prose);
  const nothing = work.remarks.length ? [] : [element("p", { class: "note" }, "Nothing is written here.")];
  page.answer.replaceChildren(...(work.text ? shown : nothing));
  page.ran.replaceChildren(...work.cells.flatMap((cell, i) => {
    const lines = cell.source.split("\n").length, folded = task.kind === "experiment";
    const code = element("pre", {}, element("code", {}, cell.source));
    const source = folded ? element("details", {}, element("summary", {}, `Code, ${number(lines, "line")}`), code) : code;
    const figures = cell.figures.map((data, k) =>
      element("img", { src: `data:image/png;base64,${data}`, alt: `figure ${k + 1} of cell ${i + 1}` }));
    return [
      ...(cell.source ? [source] : []), ...(cell.printed ? [element("pre", {}, cell.printed)] : []), ...figures,
    ];
  }));
}

/** Go to a student's task. @param {Student} who @param {Task} what @param {boolean} [quiet] whether not to move the focus */
async function go(who, what, quiet = false) {
  if (typing) send();
  const same = task === what && page.items.childElementCount > 0;
  student = who;
  task = what;
  history.replaceState(null, "", `#${what.id}/${who.id}`);
  page.whose.textContent = named(who);
  page.whose.append(element("span", { class: "note" }, ` ${what.id}: ${what.title}`));
  document.title = `${what.id} · Marking`;
  page.elsewhere.hidden = true;
  if (!same) showRubric();
  work = null;
  page.remarks.replaceChildren();
  page.answer.replaceChildren();
  page.ran.replaceChildren();
  showMark();
  showState();
  if (!quiet) {
    scrollTo(0, 0); // on a phone the work stands above the rubric
    page.rubric.scrollTop = 0;
    focusItem(undefined, true);
    const row = studentsOf(what), mark = markOf(who, what);
    const state = mark.points !== null ? number(mark.points) : "not marked";
    say(`${named(who)}, ${row.indexOf(who) + 1} of ${row.length}, ${what.title}: ${state}`);
  }
  try {
    const told = await ask(`api/work?student=${who.id}&task=${what.id}`);
    if (student === who && task === what) {
      work = told;
      showWork();
    }
  } catch (error) {
    if (error instanceof Refusal) trouble(`${error.message}.`);
    else offline(error);
  }
}

// What the marker does

/** @param {number} item @param {number | null} points */
function give(item, points) {
  put({ student: student.id, task: task.id, item, points });
  page.elsewhere.hidden = true;
  showMark();
  send();
}

/** The line of the rubric that keys are about. */
function itemInFocus() {
  const set = document.activeElement?.closest("fieldset");
  return set instanceof HTMLElement ? Number(set.dataset.item) : null;
}

/** Move the focus to a line; without one, to the first that has no points yet. @param {number} [item] @param {boolean} [still] */
function focusItem(item, still = false) {
  const first = markOf(student, task).items.indexOf(null);
  const set = page.items.children[item ?? Math.max(0, first)];
  const radios = /** @type {HTMLInputElement[]} */ ([...set.querySelectorAll("input")]);
  (radios.find((radio) => radio.checked) ?? radios[0]).focus({ preventScroll: still });
}

/** Points by key for the line in focus, and on to the next. @param {number} points */
function key(points) {
  const item = itemInFocus() ?? Math.max(0, markOf(student, task).items.indexOf(null));
  const most = task.items[item].points;
  if (points > most) return say(`line ${item + 1} has at most ${number(most)}`);
  give(item, points);
  const mark = markOf(student, task), last = item === task.items.length - 1;
  focusItem(last ? item : item + 1);
  const sum = mark.points !== null ? `; all lines marked, ${number(mark.points)}` : "";
  say(`line ${item + 1}: ${number(points)}${sum}`);
}

/** @param {"most" | "nothing"} which what the lines without points get */
function rest(which) {
  markOf(student, task).items.forEach((points, i) => {
    if (points === null) put({ student: student.id, task: task.id, item: i, points: which === "most" ? task.items[i].points : 0 });
  });
  showMark();
  send();
  focusItem(task.items.length - 1);
  const points = markOf(student, task).points;
  if (points !== null) say(`all lines marked, ${number(points)}`);
}

/** @param {number} step */
function otherStudent(step) {
  const row = studentsOf(task), next = row[row.indexOf(student) + step];
  if (next) go(next, task);
  else say(step > 0 ? "this is the last student" : "this is the first student");
}

/** @param {number} step */
function otherTask(step) {
  const row = tasksOf(student), next = row[row.indexOf(task) + step];
  if (next) go(student, next);
  else say(step > 0 ? "this is the last task" : "this is the first task");
}

function nextOpen() {
  const next = queue().find(([who, what]) => markOf(who, what).points === null);
  if (next) go(...next);
  else say("everything is marked");
}

/** @type {[string, string, (event: KeyboardEvent) => void][]} shown, in words, done; digits are handled apart */
const KEYS = [
  ["j", "next student", () => otherStudent(1)],
  ["k", "student before", () => otherStudent(-1)],
  ["u", "next that is not marked", nextOpen],
  ["e", "next task", () => otherTask(1)],
  ["E", "task before", () => otherTask(-1)],
  ["f", "full points where there are none yet", () => rest("most")],
  ["n", "no points where there are none yet", () => rest("nothing")],
  ["x", "expected answer", () => { page.expected.open = !page.expected.open; }],
  ["w", "answer as it was written", () => { asWritten = !asWritten; showWork(); }],
  ["b", "hide names, or show them", () => { page.blind.click(); }],
  ["o", "order: by task, or by student", () => {
    page.order.value = page.order.value === "task" ? "student" : "task";
    page.order.dispatchEvent(new Event("change"));
    say(page.order.selectedOptions[0].text);
  }],
  ["?", "these keys", () => { page.keys.open = !page.keys.open; }],
];
const DIGITS = [
  ["0 … 9", "points for the line in focus"],
  ["h", "half a point for it"],
  ["Shift 1 … 9", "that many and a half"],
  ["Delete", "take its points away"],
  ["Tab, arrows", "to lines and points one by one"],
  ["c", "comment; Esc back to the lines"],
];

/** @param {KeyboardEvent} event */
function pressed(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  const inText = event.target instanceof HTMLTextAreaElement || event.target instanceof HTMLSelectElement;
  if (event.key === "Escape" && inText) {
    if (typing) send();
    focusItem();
    event.preventDefault();
    return;
  }
  if (inText || !student || !page.single.checked) return;
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code);
  const letter = event.shiftKey ? event.key.toUpperCase() : event.key.toLowerCase(); // whatever Caps Lock says
  const found = KEYS.find(([name]) => name === letter);
  if (found) found[2](event);
  else if (/^\d$/.test(event.key)) key(Number(event.key));
  else if (digit) key(Number(digit[1]) + (event.shiftKey ? 0.5 : 0)); // a layout on which digits need Shift: without it too
  else if (letter === "h") key(0.5);
  else if (letter === "c") page.comment.focus();
  else if (event.key === "Delete" || event.key === "Backspace") {
    const item = itemInFocus();
    if (item === null) return;
    give(item, null);
    say(`line ${item + 1}: no points yet`);
  } else return;
  event.preventDefault();
}

function listen() {
  document.addEventListener("keydown", pressed);
  page.rubric.addEventListener("submit", (event) => event.preventDefault());
  page.comment.addEventListener("input", () => {
    put({ student: student.id, task: task.id, comment: page.comment.value });
    clearTimeout(typing);
    typing = window.setTimeout(send, TYPING);
  });
  page.comment.addEventListener("change", () => send());
  page.task.addEventListener("change", () => {
    const what = tasks.find((each) => each.id === page.task.value) ?? task;
    go(studentsOf(what).includes(student) ? student : studentsOf(what)[0], what, true);
  });
  page.student.addEventListener("change", () => {
    go(students.find((each) => each.id === page.student.value) ?? student, task, true);
  });
  page.blind.addEventListener("change", () => {
    localStorage.setItem("blind", String(page.blind.checked));
    page.student.replaceChildren();
    go(student, task, true);
    say(page.blind.checked ? "names are hidden" : "names are shown");
  });
  page.order.addEventListener("change", () => localStorage.setItem("order", page.order.value));
  page.single.addEventListener("change", () => localStorage.setItem("single", String(page.single.checked)));
  page.keys.addEventListener("toggle", () => localStorage.setItem("keys", String(page.keys.open)));
  window.addEventListener("focus", poll);
  window.addEventListener("storage", elsewhere);
  window.addEventListener("beforeunload", (event) => {
    if (waiting.size && !connected) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) send();
    else poll();
  });
  window.addEventListener("pagehide", () => send(true));
  setInterval(() => { if (!document.hidden || waiting.size) poll(); }, POLL);
}

async function start() {
  page.blind.checked = localStorage.getItem("blind") === "true";
  page.single.checked = localStorage.getItem("single") !== "false";
  page.keys.open = localStorage.getItem("keys") !== "false";
  page.order.value = localStorage.getItem("order") === "student" ? "student" : "task";
  for (const [name, words] of [...KEYS.slice(0, 3), ...DIGITS, ...KEYS.slice(3)]) {
    page.keys.querySelector("dl")?.append(
      element("dt", {}, element("kbd", {}, name)), element("dd", {}, words));
  }
  try {
    ({ tasks, students } = await ask("api/class"));
    const told = await ask("api/marks");
    marks = told.marks;
    version = told.version;
  } catch (error) {
    return offline(error);
  }
  takeUp();
  const [, what, who] = /^#([^/]*)\/(.*)$/.exec(location.hash) ?? [];
  const then = tasks.find((each) => each.id === what), them = students.find((each) => each.id === who);
  page.main.hidden = false;
  listen();
  task = then && them && tasksOf(them).includes(then) ? then : tasks[0];
  student = then === task && them ? them : studentsOf(task)[0];
  const open = queue().find(([a, b]) => markOf(a, b).points === null);
  if (task !== then && markOf(student, task).points !== null && open) [student, task] = open;
  await go(student, task);
  if (waiting.size) send();
}

start();
