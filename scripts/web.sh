#!/usr/bin/env bash
# Builds the twin for browsers into the folder `web` beside what cargo builds, where a hub finds it.
#   scripts/web.sh        as small as it gets: some ten minutes, once
#   scripts/web.sh quick  quickly built and large, to look at
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/campanile
out=$target/web
say() { printf 'web: %s\n' "$*"; }

if ! [ -d "$(rustc --print target-libdir --target wasm32-unknown-unknown 2>/dev/null)" ]; then
  command -v rustup >/dev/null || { say "Rust's target wasm32-unknown-unknown is missing, and there is no rustup"; exit 1; }
  say "adding Rust's target wasm32-unknown-unknown"
  rustup target add wasm32-unknown-unknown
fi
# The program has to be of exactly the version of the library.
version=$(sed -n '/^name = "wasm-bindgen"$/{n;s/version = "\(.*\)"/\1/p}' Cargo.lock)
bindgen=$cache/wasm-bindgen-$version/bin/wasm-bindgen
if ! [ -x "$bindgen" ]; then
  say "installing wasm-bindgen $version (some minutes, once)"
  cargo install --quiet wasm-bindgen-cli --version "$version" --root "$cache/wasm-bindgen-$version"
fi
profile=web
[ "${1:-}" = quick ] && profile=dev
# A target folder of its own: what it shares with the others are file locks.
CARGO_TARGET_DIR=$target/page cargo build --locked --profile "$profile" --package campanile-twin --bin campanile-twin \
  --target wasm32-unknown-unknown
folder=$profile
[ "$profile" = dev ] && folder=debug
draft=$target/web.draft
rm -rf "$draft" && mkdir -p "$draft"
"$bindgen" --target web --no-typescript --out-name twin --out-dir "$draft" \
  "$target/page/wasm32-unknown-unknown/$folder/campanile-twin.wasm"
if [ "$profile" = web ] && command -v wasm-opt >/dev/null; then
  wasm-opt -Os "$draft/twin_bg.wasm" -o "$draft/smaller.wasm" && mv "$draft/smaller.wasm" "$draft/twin_bg.wasm"
fi
cp web/index.html web/page.css web/boot.js "$draft"
for file in "$draft"/*; do
  gzip -9 --keep "$file"
  if command -v brotli >/dev/null; then brotli --quality=11 --keep "$file"; fi
done
rm -rf "$out" && mv "$draft" "$out"
say "$(du -h "$out/twin_bg.wasm" | cut -f1) of WebAssembly, $(du -h "$out/twin_bg.wasm.gz" | cut -f1) compressed, in $out"
