#!/usr/bin/env bash
# A hub with devices, a Prometheus with the configuration that we ship, and every query of the Grafana dashboard.
set -euo pipefail
target=${CARGO_TARGET_DIR:-target}
campanile=$target/debug/campanile
if ! command -v prometheus >/dev/null || ! command -v promtool >/dev/null || ! command -v node >/dev/null; then
  echo "dashboard: skipped, Prometheus or Node is missing (install Debian's prometheus and nodejs)"
  exit 0
fi
work=$(mktemp -d)
started=()
finish() {
  [ ${#started[@]} -eq 0 ] || kill "${started[@]}" 2>/dev/null || true
  wait
  rm -rf "$work"
}
trap finish EXIT
free_port() { node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})'; }

"$campanile" hub --campus scenes/shanghai-school --data "$work/data" --listen 127.0.0.1:0 --broker-port 0 --json \
  >"$work/hub" 2>"$work/hub.log" &
started+=($!)
for _ in $(seq 300); do [ -s "$work/hub" ] && break; sleep 0.1; done
said() { node -p "JSON.parse(require('fs').readFileSync('$work/hub', 'utf8')).$1"; }
api=$(said api)
"$campanile" devices --campus scenes/shanghai-school --broker "$(said broker)" >/dev/null &
started+=($!)

echo "dashboard: promtool on the configuration, and Prometheus with it (each second instead of its 15)"
sed -e "s|127.0.0.1:7373|${api#http://}|" -e "s|scrape_interval: 15s|scrape_interval: 1s|" \
  packaging/prometheus/prometheus.yml >"$work/prometheus.yml"
grep -q "${api#http://}" "$work/prometheus.yml"
promtool check config "$work/prometheus.yml"
port=$(free_port)
prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" \
  --web.listen-address="127.0.0.1:$port" --log.level=error &
started+=($!)
sleep 30

node tests/dashboard.mjs packaging/grafana/campanile.json "http://127.0.0.1:$port"
