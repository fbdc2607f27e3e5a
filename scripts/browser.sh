#!/usr/bin/env bash
# Tries the page of a hub in Debian's Chromium.
#   scripts/browser.sh          with the twin: builds it quickly where it is not built
#   scripts/browser.sh plain    the page without pictures alone
#   scripts/browser.sh hour     a page that stays open for an hour (MINUTES), and its memory
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
say() { printf 'browser: %s\n' "$*"; }
for need in node npm chromium; do
  command -v "$need" >/dev/null || { say "skipped: $need is missing (apt-get install nodejs npm chromium)"; exit 0; }
done
work=$target/browser
mkdir -p "$work"
cp tests/browser/package.json tests/browser/run.mjs "$work"
npm install --silent --no-audit --no-fund --prefix "$work" || { say "skipped: npm can't fetch playwright-core"; exit 0; }
web=${CAMPANILE_WEB:-$target/web}
[ "${1:-}" = plain ] || [ -f "$web/index.html" ] || scripts/web.sh quick
export CAMPANILE_ROOT=${CAMPANILE_ROOT:-$PWD}
node "$work/run.mjs" "$target/debug/campanile" "$web" "$work/out" "$@"
