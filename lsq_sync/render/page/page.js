"use strict";
// The rows stand in the page as data and become elements a hundred at a time, as text only.
(() => {
  const { rows, values, sides } = JSON.parse(document.getElementById("data").textContent);
  const BATCH = 100, PRINTED = 2000;
  const byId = (id) => document.getElementById(id);
  const table = byId("rows"), more = byId("more"), search = byId("search");
  const state = { text: "", word: "", field: "", type: "", file: "" };
  let found = rows, shown = 0;

  const element = (name, className, ...content) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    made.append(...content);
    return made;
  };

  // --- one opportunity

  const wordOf = (word, tone) => element("span", `word tone-${tone}`, word);

  const ends = (one, other) => {
    let begin = 0, end = 0;
    const most = Math.min(one.length, other.length);
    while (begin < most && one[begin] === other[begin]) begin++;
    while (end < most - begin && one[one.length - 1 - end] === other[other.length - 1 - end]) end++;
    return [begin, end];
  };

  const marked = (text, other) => {
    const letters = Array.from(text), [begin, end] = ends(letters, Array.from(other));
    const part = (from, to) => letters.slice(from, to).join("");
    const middle = part(begin, letters.length - end);
    return element("span", "value", part(0, begin), ...(middle ? [element("mark", "", middle)] : []),
      part(letters.length - end, letters.length));
  };

  const value = (side, other) => {
    if (side === null) return "";
    if (side === false) return element("span", "nothing", "not recorded yet");
    if (side === true) return element("span", "nothing", "empty");
    return typeof other === "string" ? marked(side, other) : element("span", "value", side);
  };

  const cell = (name, className, ...content) => {
    const made = element("td", className, ...content.filter((one) => one !== ""));
    if (made.childNodes.length) made.dataset.name = name;
    return made;
  };

  const fieldCell = ([name, title, word, tone]) => cell("Field", "",
    title && title !== name ? title : element("code", "", name),
    title && title !== name ? element("div", "schema", element("code", "", name)) : "",
    word ? element("div", "", wordOf(word, tone)) : "");

  const valueCells = (field) => {
    const [, , , , before, after, remark] = field;
    return [
      cell(sides[0], "before", value(before, after)),
      cell(sides[1], "after", value(after, before), remark ? element("div", "remark", remark) : ""),
    ];
  };

  const place = (row) => (row.file ? `${row.file}${row.line ? `:${row.line}` : ""}` : "");

  const head = (row, count) => {
    const made = element("th", "",
      ...(row.label ? [element("div", "label", row.label)] : []),
      element("div", "id", row.key), wordOf(row.word, row.tone),
      ...(row.reason && values ? [element("div", "reason", row.reason)] : []),
      element("div", "place", [row.type, place(row)].filter(Boolean).join(" · ")));
    made.scope = "rowgroup";
    made.rowSpan = count;
    return made;
  };

  const withValues = (row) => {
    const fields = row.fields.length ? row.fields : [["", "", "", "", null, null, ""]];
    return fields.map((field, number) => element("tr", "",
      ...(number ? [] : [head(row, fields.length)]),
      field[0] ? fieldCell(field) : element("td", ""), ...valueCells(field)));
  };

  const withOutcome = (row) => [element("tr", "", head(row, 1),
    cell("Request", "id", row.request), cell("Reason", "", row.reason),
    cell("Fields", "", ...row.fields.flatMap(([name, title, word, tone], number) => [
      number ? ", " : "", word ? wordOf(title || name, tone) : title || name])))];

  const elementOf = (row) => element("tbody", "", ...(values ? withValues : withOutcome)(row));

  // --- what is shown

  const show = (count) => {
    const next = found.slice(shown, shown + count);
    table.append(...next.map(elementOf));
    shown += next.length;
    more.hidden = shown >= found.length;
  };

  const haystack = (row) => {
    row.words ??= [row.label, row.key, row.type, row.file, row.word, row.reason, row.request,
      ...row.fields.flatMap(([name, title, word, , before, after, remark]) =>
        [name, title, word, before, after, remark].filter((one) => typeof one === "string"))].join("\n").toLowerCase();
    return row.words;
  };

  const fits = (row) =>
    (!state.word || row.word === state.word) && (!state.type || row.type === state.type) &&
    (!state.file || row.file === state.file) &&
    (!state.field || row.fields.some(([name]) => name === state.field)) &&
    state.text.split(/\s+/).every((part) => haystack(row).includes(part));

  const refresh = () => {
    state.text = search.value.trim().toLowerCase();
    const any = Object.values(state).some(Boolean);
    found = any ? rows.filter(fits) : rows;
    for (const body of [...table.tBodies]) body.remove();
    shown = 0;
    show(BATCH);
    const number = (count) => count.toLocaleString("en");
    byId("found").textContent = any
      ? `${number(found.length)} of ${number(rows.length)} opportunities`
      : `${number(rows.length)} ${rows.length === 1 ? "opportunity" : "opportunities"}`;
    byId("reset").hidden = !any;
    for (const chip of byId("chips").children) {
      chip.setAttribute("aria-pressed", String(chip.dataset.word === state.word));
    }
  };

  const reset = () => {
    search.value = "";
    for (const name of Object.keys(state)) state[name] = "";
    for (const select of byId("selects").querySelectorAll("select")) select.value = "";
    refresh();
  };

  // --- the tools

  const counts = (names) => {
    const found = new Map();
    for (const name of names) if (name) found.set(name, (found.get(name) ?? 0) + 1);
    return [...found].sort((one, other) => other[1] - one[1] || (one[0] < other[0] ? -1 : 1));
  };

  const chips = () => {
    const words = counts(rows.map((row) => row.word));
    for (const [word, count] of words.length > 1 ? words : []) {
      const chip = element("button", "", `${word} ${count.toLocaleString("en")}`);
      chip.type = "button";
      chip.dataset.word = word;
      chip.addEventListener("click", () => {
        state.word = state.word === word ? "" : word;
        refresh();
      });
      byId("chips").append(chip);
    }
  };

  const select = (name, label, options) => {
    if (options.length < 2) return;
    const made = element("select", "", new Option("all", ""));
    for (const [value, count, title] of options) {
      made.append(new Option(`${title ?? value} (${count.toLocaleString("en")})`, value));
    }
    made.addEventListener("change", () => {
      state[name] = made.value;
      refresh();
    });
    byId("selects").append(element("label", "", label, made));
  };

  const titles = new Map(rows.flatMap((row) => row.fields.map(([name, title]) => [name, title])));
  chips();
  select("field", "Field", counts(rows.flatMap((row) => row.fields.map(([name]) => name)))
    .map(([name, count]) => [name, count, titles.get(name) ? `${titles.get(name)} (${name})` : name]));
  select("type", "Type", counts(rows.map((row) => row.type)));
  select("file", "File", counts(rows.map((row) => row.file)));
  document.querySelector(".tools").hidden = rows.length === 0;
  search.addEventListener("input", () => requestAnimationFrame(refresh));
  byId("reset").addEventListener("click", reset);
  more.addEventListener("click", () => show(BATCH));
  new IntersectionObserver(([seen]) => seen.isIntersecting && !more.hidden && show(BATCH),
    { rootMargin: "600px" }).observe(more);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== search) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape") reset();
  });
  window.addEventListener("beforeprint", () => show(Math.max(0, PRINTED - shown)));
  byId("left").hidden = !byId("left").textContent;
  refresh();
})();
