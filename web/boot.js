// Brings the twin into the page: sees whether the browser can draw it, fetches it with a bar, and keeps from the browser the
// keys and wheels that are the twin's.
import init from "./twin.js";

const zh = (new URLSearchParams(location.search).get("lang") || navigator.language || "en").toLowerCase().startsWith("zh");
const at = (id) => document.getElementById(id);
const say = (zhCn, en) => (zh ? zhCn : en);

document.documentElement.lang = zh ? "zh-CN" : "en";
at("loading-text").textContent = say("正在载入校园…", "Loading the campus …");
at("plain-link").textContent = say("不用三维：只看数值与报警", "Without pictures: values and alarms");
at("plain-link").search = location.search;

function fault(text) {
  at("loading").hidden = true;
  at("fault").textContent = text;
  at("fault").hidden = false;
}

/** Fetches with a bar. What the hub says is the length of what goes over the wire: where that is compressed, the bar is
 * full early. */
async function fetched(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: HTTP ${answer.status}`);
  const whole = Number(answer.headers.get("content-length"));
  if (!answer.body || !whole) return answer;
  let come = 0;
  const counted = answer.body.pipeThrough(new TransformStream({
    transform(piece, control) {
      come += piece.byteLength;
      at("loading-bar").value = Math.min(1, come / whole);
      control.enqueue(piece);
    },
  }));
  return new Response(counted, { headers: { "content-type": "application/wasm" } });
}

async function begin() {
  // On a canvas of its own: the twin's own must not have a context before.
  if (!document.createElement("canvas").getContext("webgl2")) {
    location.replace(`plain${location.search}`);
    return;
  }
  const canvas = at("campus");
  // The right button pans, the wheel zooms.
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("wheel", (event) => event.preventDefault(), { passive: false });
  // Who types has not left: the input that a browser composes Chinese in is a part of the twin. This has to hear of it
  // before the twin does.
  const typing = at("typing");
  for (const name of ["blur", "focus"]) {
    canvas.addEventListener(name, (event) => {
      if (event.relatedTarget === typing) event.stopImmediatePropagation();
    }, { capture: true });
  }
  addEventListener("keydown", (event) => {
    const own = ["Tab", "Backspace", " ", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "PageUp", "PageDown", "Home", "End"];
    const saves = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s";
    if (event.target === canvas && (saves || (own.includes(event.key) && !event.ctrlKey && !event.metaKey))) event.preventDefault();
  });
  try {
    await init({ module_or_path: fetched(new URL("./twin_bg.wasm", import.meta.url).href) });
  } catch (why) {
    // An app that goes on by itself leaves `main` by an exception.
    if (!String(why).includes("Using exceptions for control flow")) {
      fault(`${say("三维页面无法启动：", "The page can't begin: ")}${why}`);
      return;
    }
  }
  at("loading").hidden = true;
  canvas.focus();
}

begin();
