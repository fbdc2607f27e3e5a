#!/usr/bin/env bash
# Builds the probes and templates of the SDK as components for the tests of the host, into a folder `plugins` beside what
# cargo builds. Where the machine can't, it says so, and those tests skip.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
if ! [ -d "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown" ]; then
  echo "guests: skipped, Rust's target wasm32-unknown-unknown is missing (rustup target add wasm32-unknown-unknown)"
elif ! command -v clang >/dev/null || ! command -v wasm-ld >/dev/null; then
  echo "guests: skipped, clang or wasm-ld is missing (Debian's clang and lld)"
else
  CARGO_TARGET_DIR=$target/sdk sdk/build.sh "$target/plugins"
  # What the host has to contain, and says exactly how: tests/hostile.
  mkdir -p "$target/plugins/hostile"
  for source in tests/hostile/*/plugin.c; do
    dir=$(dirname "$source")
    CARGO_TARGET_DIR=$target/sdk cargo run --quiet --locked -p campanile-plugin-build -- \
      "$dir" "$target/plugins/hostile/$(basename "$dir").wasm"
  done
  # The recipes of docs/plugins/cookbook.md.
  mkdir -p "$target/plugins/examples"
  for source in examples/plugins/*/Cargo.toml; do
    dir=$(dirname "$source")
    CARGO_TARGET_DIR=$target/sdk cargo run --quiet --locked -p campanile-plugin-build -- \
      "$dir" "$target/plugins/examples/$(basename "$dir").wasm"
  done
fi
