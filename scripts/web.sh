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
# Debian's wasm-opt is older than what rustc writes; npm's is not.
if [ "$profile" = web ]; then
  opt=$(command -v wasm-opt || true)
  if command -v npm >/dev/null && npm install --silent --no-audit --no-fund --prefix "$cache/binaryen" binaryen@132; then
    opt=$cache/binaryen/node_modules/.bin/wasm-opt
  fi
  if [ -n "$opt" ] && "$opt" -Os --all-features "$draft/twin_bg.wasm" -o "$draft/smaller.wasm"; then
    mv "$draft/smaller.wasm" "$draft/twin_bg.wasm"
  else
    say "wasm-opt is missing or too old: the page is larger than it could be"
  fi
fi
cp web/index.html web/page.css web/boot.js web/icon.svg "$draft"
# Names that change with what is in them may be kept by browsers for ever.
hashed() {
  local hash; hash=$(sha256sum "$draft/$1" | cut -c1-16)
  local name=${1%.*}-$hash.${1##*.}
  mv "$draft/$1" "$draft/$name"
  sed -i "s|\./$1|./$name|g; s|\"$1\"|\"$name\"|g" "$draft"/*.js "$draft"/index.html
}
hashed twin_bg.wasm
hashed twin.js
hashed boot.js
hashed page.css
for file in "$draft"/*; do
  gzip -9 --keep "$file"
  if [ "$profile" = web ] && command -v brotli >/dev/null; then brotli --quality=11 --keep "$file"; fi
done
rm -rf "$out" && mv "$draft" "$out"
size() { stat --format=%s "$out"/*"$1" 2>/dev/null | awk '{ sum += $1 } END { printf "%.1f MB", sum / 1e6 }'; }
say "$(size .wasm) of WebAssembly; over the wire all of it: $(size .br) by brotli, $(size .gz) by gzip; in $out"
