// Every query of the Grafana dashboard is answered with data by a Prometheus that scrapes a hub.
// Usage: node dashboard.mjs DASHBOARD.json URL-OF-PROMETHEUS (which has scraped the hub for half a minute)
import { readFileSync } from "node:fs";

const [file, prometheus] = process.argv.slice(2);
const dashboard = JSON.parse(readFileSync(file, "utf8"));
const variables = { $instance: ".+", $__rate_interval: "15s" };
const filled = (text) =>
  Object.entries(variables).reduce((query, [name, value]) => query.replaceAll(name, value), text);

async function ask(path, params) {
  const answer = await fetch(`${prometheus}/api/v1/${path}?${new URLSearchParams(params)}`);
  return answer.json();
}

let bad = 0;
const say = (ok, what) => {
  console.log(`${ok ? "ok" : "BAD"}  ${what}`);
  bad += ok ? 0 : 1;
};
const up = await ask("query", { query: "up" });
say(up.data?.result?.[0]?.value[1] === "1", "Prometheus reads what the hub says of itself (OpenMetrics)");
const ids = new Set();
for (const panel of dashboard.panels) {
  const known = ["stat", "timeseries"].includes(panel.type) && !ids.has(panel.id) && panel.gridPos.x + panel.gridPos.w <= 24;
  ids.add(panel.id);
  say(known, `panel ${panel.id} '${panel.title}': type, id and place`);
  for (const target of panel.targets) {
    const answer = await ask("query", { query: filled(target.expr) });
    const values = answer.data?.result?.map((series) => series.value[1]) ?? [];
    const finite = values.length > 0 && values.every((value) => Number.isFinite(Number(value)));
    say(finite, `${target.expr} -> ${answer.error ?? values.join(", ")}`);
  }
}
for (const { name, query } of dashboard.templating.list.filter((variable) => variable.type === "query")) {
  const [, metric, label] = /^label_values\((\w+), (\w+)\)$/.exec(query.query) ?? [];
  const answer = await ask(`label/${label}/values`, { "match[]": metric });
  say(answer.data?.length > 0, `the variable ${name}: ${answer.data}`);
}
process.exit(bad > 0 ? 1 : 0);
