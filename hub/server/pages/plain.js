// The campus without pictures: values and alarms for browsers that can't draw the twin. It asks the same API, looks at
// nothing that is closed, and changes nothing.
"use strict";

const T = {
  "live": ["实时", "Live"],
  "cut": ["与中枢的连接中断，正在重试：", "The link to the hub is cut; trying again: "],
  "sign-in": ["登录", "Sign in"],
  "sign-out": ["退出", "Sign out"],
  "name": ["用户名", "Name"],
  "password": ["密码", "Password"],
  "class-code": ["班级码", "Class code"],
  "nickname": ["昵称", "Nickname"],
  "join": ["加入班级", "Join the class"],
  "change": ["请先在桌面程序或三维页面中更换一次性密码。", "Change the one-time password first, in the desktop program or the page in 3D."],
  "alarms": ["报警", "Alarms"],
  "no-alarms": ["当前没有报警", "No alarms in force"],
  "priority": ["级别", "Priority"],
  "alarm": ["报警", "Alarm"],
  "place": ["位置", "Place"],
  "value": ["值", "Value"],
  "since": ["自", "Since"],
  "state": ["状态", "State"],
  "values": ["测点", "Values"],
  "search": ["搜索房间、设备或测点", "Search rooms, devices and points"],
  "nothing": ["没有找到", "Nothing found"],
  "more": ["还有更多，请缩小搜索范围", "There is more: narrow the search"],
  "never": ["尚无数据", "no value yet"],
  "stale": ["过期", "stale"],
  "bad": ["错误", "bad"],
  "uncertain": ["不确定", "uncertain"],
  "yes": ["是", "yes"],
  "no": ["否", "no"],
  "critical": ["紧急", "critical"],
  "high": ["高", "high"],
  "medium": ["中", "medium"],
  "low": ["低", "low"],
  "unacknowledged": ["未确认", "unacknowledged"],
  "acknowledged": ["已确认", "acknowledged"],
  "returned-unacknowledged": ["已恢复，未确认", "returned, unacknowledged"],
  "shelved": ["已搁置", "shelved"],
  "suppressed": ["已抑制", "suppressed"],
  "out-of-service": ["停用", "out of service"],
  "normal": ["正常", "normal"],
};
const REFRESH_MS = 5000;
/** How many points a search shows. */
const MOST_FOUND = 60;

// A link may say the language and what to look for: /plain?lang=en&find=203
const query = new URLSearchParams(location.search);
let zh = (query.get("lang") || navigator.language || "en").toLowerCase().startsWith("zh");
let catalogue;
/** Points by entity, children by parent. */
let pointsOf = new Map();
let childrenOf = new Map();
let shownAlarms = [];

const at = (id) => document.getElementById(id);
const t = (key) => (T[key] ? T[key][zh ? 0 : 1] : key);
const nameOf = (names) => (names && (zh ? names["zh-CN"] || names.en : names.en || names["zh-CN"])) || "";

/** An element with a text or children; never markup. */
function make(tag, content, className) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (Array.isArray(content)) element.append(...content);
  else if (content !== undefined) element.textContent = content;
  return element;
}

class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function api(path, body) {
  const headers = { "accept-language": zh ? "zh-CN" : "en" };
  if (body) headers["content-type"] = "application/json";
  const answer = await fetch(`/api/v1/${path}`, {
    method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), redirect: "error", cache: "no-store",
  });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, said.message || `HTTP ${answer.status}`);
  return said;
}

/** A unit of UCUM as people write it. */
function unit(ucum) {
  const known = { "1": "", "Cel": "°C", "[ppm]": "ppm", "[ppb]": "ppb", "kW.h": "kWh", "W.h": "Wh", "deg": "°", "dB[SPL]": "dB", "[pH]": "pH" };
  if (ucum in known) return known[ucum];
  return ucum.replace(/\{[^}]*\}/g, "").replace(/[[\]]/g, "").replace("2", "²").replace("3", "³").replace(".", "·").replace(/^u/, "µ");
}

function decimals(x, resolution) {
  if (resolution > 0) return Math.min(4, Math.max(0, Math.ceil(-Math.log10(resolution) - 1e-9)));
  const size = Math.abs(x);
  return size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 || x === 0 ? 2 : 3;
}

function valueText(info, value) {
  if (value === null || value === undefined) return t("never");
  if (typeof value === "boolean") return t(value ? "yes" : "no");
  if (typeof value === "number") {
    const places = decimals(value, info.resolution);
    const text = value.toLocaleString(zh ? "zh-CN" : "en", { minimumFractionDigits: places, maximumFractionDigits: places });
    return `${text} ${unit(info.unit || "")}`.trim();
  }
  const choice = (info.choices || []).find((one) => one.id === value);
  return choice ? nameOf(choice.names) : String(value);
}

/** A moment on the campus, wherever the reader is. */
function moment(us) {
  const options = { timeZone: catalogue.timezone, month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  return new Date(us / 1000).toLocaleString(zh ? "zh-CN" : "en-GB", options);
}

function words() {
  document.documentElement.lang = zh ? "zh-CN" : "en";
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  at("language").textContent = zh ? "English" : "中文";
  at("language").lang = zh ? "en" : "zh-CN";
  at("sign-out").textContent = t("sign-out");
  if (!catalogue) return;
  at("title").textContent = nameOf(catalogue.names);
  document.title = `${nameOf(catalogue.names)} · Campanile`;
  at("attribution").textContent = (catalogue.attribution || []).map(nameOf).join(" · ");
}

function alarms() {
  const order = ["critical", "high", "medium", "low"];
  const rows = [...shownAlarms]
    .sort((a, b) => order.indexOf(a.priority) - order.indexOf(b.priority) || b.raised_us - a.raised_us)
    .map((alarm) => {
      const place = catalogue.entities.find((entity) => entity.path === alarm.entity);
      const info = catalogue.points.find((point) => point.path === alarm.point) || {};
      const detail = alarm.detail ? ` ${nameOf(alarm.detail)}` : "";
      return make("tr", [
        make("td", t(alarm.priority), alarm.priority),
        make("td", nameOf(alarm.names) + detail),
        make("td", place ? nameOf(place.names) : alarm.entity),
        make("td", alarm.value === null || alarm.value === undefined ? "" : valueText(info, alarm.value), "number"),
        make("td", moment(alarm.raised_us)),
        make("td", t(alarm.state)),
      ]);
    });
  at("alarm-rows").replaceChildren(...rows);
  at("alarm-count").textContent = rows.length ? `(${rows.length})` : "";
  at("no-alarms").hidden = rows.length > 0;
  at("alarms").querySelector("table").hidden = rows.length === 0;
}

/** A table of points, whose values come with the next look. */
function table(points) {
  const rows = points.map((point) => {
    const value = make("td", "…", "number");
    value.dataset.point = point.path;
    const row = make("tr", [make("td", nameOf(point.names)), value, make("td", "")]);
    row.title = point.path;
    return row;
  });
  return make("table", [make("tbody", rows)]);
}

/** An entity that is opened when somebody wants to see into it. */
function place(index) {
  const entity = catalogue.entities[index];
  const details = make("details", [make("summary", nameOf(entity.names))]);
  details.dataset.path = entity.path;
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) {
      const points = pointsOf.get(index) || [];
      if (points.length) details.append(table(points));
      details.append(...(childrenOf.get(index) || []).map(place));
      look();
    }
  });
  return details;
}

/** Whether there is anything to read in an entity or below. */
function hasPoints(index) {
  return pointsOf.has(index) || (childrenOf.get(index) || []).some(hasPoints);
}

function places() {
  const wanted = at("search").value.trim().toLowerCase();
  const list = at("places");
  at("nothing").hidden = true;
  if (!wanted) {
    const open = new Set([...list.querySelectorAll("details[open]")].map((details) => details.dataset.path));
    list.replaceChildren(...(childrenOf.get(-1) || []).map(place));
    // What was open stays open, from the outside in.
    for (const path of [...open].sort((a, b) => a.length - b.length)) {
      const details = [...list.querySelectorAll("details")].find((one) => one.dataset.path === path);
      if (details) {
        details.open = true;
        details.dispatchEvent(new Event("toggle"));
      }
    }
    return;
  }
  const has = (names, path) => [names["zh-CN"], names.en, path].some((text) => (text || "").toLowerCase().includes(wanted));
  const found = catalogue.points.filter((point) => {
    const entity = catalogue.entities[point.entity];
    return has(point.names, point.path) || has(entity.names, entity.path);
  });
  const parts = new Map();
  for (const point of found.slice(0, MOST_FOUND)) {
    if (!parts.has(point.entity)) parts.set(point.entity, []);
    parts.get(point.entity).push(point);
  }
  list.replaceChildren(...[...parts].map(([index, points]) => {
    const details = make("details", [make("summary", nameOf(catalogue.entities[index].names)), table(points)]);
    details.open = true;
    return details;
  }));
  if (found.length > MOST_FOUND) list.append(make("p", t("more")));
  at("nothing").hidden = found.length > 0;
}

/** Asks for what is open, in one question a place. */
async function look() {
  const cells = [...at("places").querySelectorAll("td[data-point]")].filter((cell) => {
    for (let up = cell.closest("details"); up; up = up.parentElement.closest("details")) if (!up.open) return false;
    return true;
  });
  const folders = new Set(cells.map((cell) => cell.dataset.point.replace(/\/[^/]*$/, "")));
  const values = new Map();
  for (const folder of folders) {
    const { points } = await api(`points?limit=200&glob=${encodeURIComponent(`${folder}/*`)}`);
    for (const { info, reading } of points) values.set(info.path, { info, reading });
  }
  for (const cell of cells) {
    const found = values.get(cell.dataset.point);
    if (!found) continue;
    const { info, reading } = found;
    cell.textContent = valueText(info, reading && reading.value);
    const quality = reading ? reading.quality : "good";
    cell.className = `number ${quality}`;
    cell.nextSibling.textContent = quality === "good" ? (reading ? moment(reading.time_us) : "") : t(quality);
  }
}

async function begin() {
  const me = await api("me");
  if (me.must_change_password) {
    door(t("change"));
    return false;
  }
  at("door").hidden = true;
  catalogue = await api("catalogue");
  pointsOf = new Map();
  childrenOf = new Map();
  catalogue.points.forEach((point) => {
    if (!pointsOf.has(point.entity)) pointsOf.set(point.entity, []);
    pointsOf.get(point.entity).push(point);
  });
  catalogue.entities.forEach((entity, index) => {
    const parent = entity.parent ?? -1;
    if (!childrenOf.has(parent)) childrenOf.set(parent, []);
    childrenOf.get(parent).push(index);
  });
  for (const [parent, children] of childrenOf) childrenOf.set(parent, children.filter(hasPoints));
  const isPerson = me.actor !== "person:local";
  at("person").textContent = isPerson ? me.nickname || me.actor.replace(/^person:/, "") : "";
  at("sign-out").hidden = !isPerson;
  at("alarms").hidden = at("values").hidden = false;
  words();
  places();
  return true;
}

function door(why) {
  catalogue = undefined;
  at("door").hidden = false;
  at("alarms").hidden = at("values").hidden = at("sign-out").hidden = true;
  at("person").textContent = "";
  at("door-why").textContent = why || "";
}

function link(text, isCut) {
  at("link").textContent = text;
  at("link").className = isCut ? "cut" : "";
}

let turn = 0;

async function refresh() {
  const mine = ++turn;
  try {
    if (!document.hidden) {
      if (catalogue || (await begin())) {
        shownAlarms = (await api("alarms")).alarms;
        alarms();
        await look();
        link(t("live"), false);
      }
    }
  } catch (why) {
    if (why.status === 401) {
      link("", false);
      door(catalogue ? why.message : "");
    } else {
      link(t("cut") + why.message, true);
    }
  }
  if (mine === turn) setTimeout(() => mine === turn && refresh(), REFRESH_MS);
}

async function enter(event, path, fields) {
  event.preventDefault();
  const form = event.target;
  const body = Object.fromEntries(fields.map((field) => [field, form.elements[field].value]));
  try {
    await api(path, body);
    form.reset();
    at("door-why").textContent = "";
    refresh();
  } catch (why) {
    at("door-why").textContent = why.message;
  }
}

at("account").addEventListener("submit", (event) => enter(event, "sign-in", ["name", "password"]));
at("class").addEventListener("submit", (event) => enter(event, "join", ["code", "nickname"]));
at("sign-out").addEventListener("click", async () => {
  await api("sign-out", {}).catch(() => {});
  door("");
});
at("language").addEventListener("click", () => {
  zh = !zh;
  words();
  if (catalogue) {
    alarms();
    places();
    refresh();
  }
});
let typed;
at("search").addEventListener("input", () => {
  clearTimeout(typed);
  typed = setTimeout(() => {
    places();
    look().catch((why) => link(t("cut") + why.message, true));
  }, 250);
});
document.addEventListener("visibilitychange", () => !document.hidden && refresh());
at("search").value = query.get("find") || "";
words();
refresh();
