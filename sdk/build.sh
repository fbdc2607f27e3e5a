#!/bin/sh
# Builds the templates and the probes as components into a directory (target/plugins), and says what each imports.
#   sdk/build.sh [OUT]
# Needs: rustup target add wasm32-unknown-unknown; for C: apt-get install clang lld
set -eu
sdk=$(cd "$(dirname "$0")" && pwd)
out=${1:-$sdk/target/plugins}
mkdir -p "$out"
for plugin in templates/rust templates/c probe/rust probe/c \
    probe/activity/rust probe/activity/c probe/drill/rust probe/drill/c; do
    name=$(echo "$plugin" | tr / -)
    cargo run --quiet --locked --manifest-path "$sdk/../Cargo.toml" -p campanile-plugin-build -- "$sdk/$plugin" "$out/$name.wasm"
done
