#!/usr/bin/env bash
# The slow part of `make verify`: outside validators and the measurements of docs/verification.md.
set -euo pipefail
target=${CARGO_TARGET_DIR:-target}
campanile=$target/debug/campanile
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "verify: the demo campus is remade, byte for byte, from its description"
"$target/debug/campanile-maker" campus scenes/shanghai-school/school.toml --out "$work/campus"
for file in plan.json campus.toml terrain.tif; do cmp "$work/campus/$file" "scenes/shanghai-school/$file"; done

echo "verify: campanile check"
"$campanile" check scenes/shanghai-school

echo "verify: the Khronos validator on campus.glb"
if command -v npm >/dev/null; then
  "$campanile" scene build scenes/shanghai-school --out "$work/campus.glb"
  (cd "$work" && npm install --silent --no-fund --no-audit gltf-validator)
  NODE_PATH="$work/node_modules" node tests/validate-gltf.mjs "$work/campus.glb"
  echo "verify: the published schemas accept the demo campus (ajv)"
  (cd "$work" && npm install --silent --no-fund --no-audit ajv smol-toml)
  NODE_PATH="$work/node_modules" node tests/validate-schema.mjs scenes/shanghai-school docs/schema
else
  echo "verify: skipped, npm is missing (install Debian's nodejs and npm)"
fi

echo "verify: Prometheus answers every query of the dashboard"
scripts/dashboard.sh

echo "verify: hostile bytes for every reader, a minute each"
if rustup toolchain list 2>/dev/null | grep -q nightly; then
  TIME=${TIME:-60} scripts/fuzz.sh
else
  echo "verify: skipped, nightly Rust is missing (rustup toolchain install nightly --profile minimal)"
fi
echo "verify: the crowd's long runs: every door, random houses, a whole school"
cargo nextest run -p campanile-crowd --locked --run-ignored only --no-capture | grep -E '^\{|PASS|FAIL'
echo "verify: a hundred stores lose their power, four times each"
cargo nextest run -p campanile-history --locked --run-ignored only --no-capture power_loss | grep '"power_losses"'
echo "verify: a hub under load is killed a hundred times"
cargo nextest run -p campanile-cli --locked --run-ignored only --no-capture killed_often | grep '"kills"\|skipped:'
echo "verify: a picture from a hub with sign-in and TLS"
cargo build -p campanile-twin --locked
cargo nextest run -p campanile-cli --locked --run-ignored only picture_is_drawn
echo "verify: pictures are as they were found good"
cargo nextest run -p campanile-cli --locked --run-ignored only pictures_are_as
