#!/usr/bin/env bash
# Builds guests (WebAssembly components) into the folder `plugins` beside what cargo builds: the interpreter of Rhai, the
# plugins of the house, and for tests the probes and templates of the SDK and the hostile plugins. What is built is kept by
# a hash of its sources, so that nothing is built twice. Where a language can't be had, it says so, and its tests skip.
#   scripts/guests.sh          all of it
#   scripts/guests.sh shipped  what `campanile` ships: interpreter and plugins of the house
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
out=$target/plugins
cache=${XDG_CACHE_HOME:-$HOME/.cache}/campanile
say() { printf 'guests: %s\n' "$*"; }

# Rust's target by rustup, else by Debian's packages for the same, unpacked into the cache: no root is needed.
rust() {
  [ -d "$(rustc --print target-libdir --target wasm32-unknown-unknown 2>/dev/null)" ] && return
  local root=$cache/rust-web
  if ! [ -f "$root/ready" ]; then
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
    say "Rust's target wasm32-unknown-unknown is missing; fetching Debian's (140 MB, once) into $root"
    rm -rf "$root" && mkdir -p "$root/packages"
    (cd "$root/packages" && apt-get download -qq rustc-web "libstd-rust-web-1.96" libstd-rust-web-dev rust-web-src \
      libllvm22 lld-22) || return 1
    for package in "$root"/packages/*.deb; do dpkg-deb --extract "$package" "$root" || return 1; done
    rm -rf "$root/packages" && touch "$root/ready"
  fi
  # Its standard library is built from its source, with the guest.
  export RUSTC=$root/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=std,panic_abort
  export LD_LIBRARY_PATH=$root/usr/lib/$(uname -m)-linux-gnu${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$root/usr/bin/wasm-ld-22
}

c() { command -v "${CC:-clang}" >/dev/null && command -v wasm-ld >/dev/null; }
python() { [ -n "${COMPONENTIZE_PY:-}" ] || python3 -c 'import venv, ensurepip' 2>/dev/null; }
js() { command -v node >/dev/null && { [ -n "${COMPONENTIZE_JS:-}" ] || command -v npm >/dev/null; }; }
rhai() { true; }

hash_of() { # FOLDERS: a hash of what is in them, wherever they lie
  for folder in "$@"; do
    (cd "$folder" && find -L . -type d \( -name target -o -name __pycache__ \) -prune -o -type f -print0 \
      | LC_ALL=C sort -z | xargs -0 sha256sum)
  done | sha256sum | cut -c1-16
}

# component NAME DIR SDK-FOLDER [ARGUMENTS OF THE COMPILER]: builds it, or takes what was built of the same sources.
component() {
  local name=$1 dir=$2 sdk=$3 file=$out/$1.wasm kept
  shift 3
  kept=$cache/guests/${name//\//-}-$(hash_of "$dir" "sdk/$sdk" sdk/wit sdk/build/src).wasm
  mkdir -p "$(dirname "$file")" "$cache/guests"
  if ! [ -f "$kept" ]; then
    rm -f "$cache/guests/${name//\//-}"-????????????????.wasm
    CARGO_TARGET_DIR=$target/sdk "$build" "$dir" "$kept.draft" "$@" >/dev/null && mv "$kept.draft" "$kept" || return 1
    say "built $name ($(stat -c %s "$kept") bytes)"
  fi
  cmp -s "$kept" "$file" || cp "$kept" "$file"
}

languages=()
for language in rust c python js rhai; do
  if "$language"; then languages+=("$language"); else say "$language is left out: scripts/setup.sh says what it needs"; fi
done
has() { case " ${languages[*]} " in *" $1 "*) ;; *) return 1 ;; esac }
# Only now: what is set for guests is not for the builder.
env -u RUSTC -u LD_LIBRARY_PATH -u RUSTC_BOOTSTRAP -u CARGO_UNSTABLE_BUILD_STD \
  cargo build --quiet --locked --workspace ${CAMPANILE_BUILD:---bin campanile-plugin-build --bin campanile}
build=$target/debug/campanile-plugin-build

if has rust; then
  for kind in rule activity drill; do component "rhai-$kind" sdk/rhai rust --features "$kind"; done
fi
# The plugins of the house, packed: a demonstration approves them, a hub offers them.
ship() {
  local packed=$out/packages.draft dir name stage
  rm -rf "$packed" && mkdir -p "$packed"
  for dir in plugins/*/; do
    name=$(basename "$dir")
    [ -f "$dir/plugin.toml" ] || continue
    stage=$(mktemp -d)
    cp -r "$dir/." "$stage"
    rm -rf "$stage/target" "$stage/src"
    if [ -f "$dir/Cargo.toml" ]; then
      component "plugins/$name" "plugins/$name" rust || return 1
      cp "$out/plugins/$name.wasm" "$stage/plugin.wasm"
    fi
    (cd "$stage" && "$target/debug/campanile" plugin pack >/dev/null && mv ./*.cpk "$packed") || return 1
    rm -rf "$stage"
  done
  rm -rf "$out/packages" && mv "$packed" "$out/packages"
}
if has rust; then ship; fi
if [ "${1:-}" = shipped ]; then exit; fi

for language in "${languages[@]}"; do
  # Python and JavaScript take half a minute each: where they can't be had after all, the rest goes on.
  [ "$language" = rhai ] && continue
  for probe in probe probe/activity probe/drill; do
    component "${probe//\//-}-$language" "sdk/$probe/$language" "$language" || { say "$language is left out"; continue 2; }
  done
done
# A new plugin of each kind, made and built as a vendor does, far from the repository.
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
for language in "${languages[@]}"; do
  for kind in rule activity drill; do
    case $language:$kind in rhai:*|python:activity|python:drill|js:activity|js:drill) continue ;; esac
    "$build" --new "$language" "$kind" "$new/$language-$kind" >/dev/null
    component "template-$kind-$language" "$new/$language-$kind" "$language" || { say "$language is left out"; continue 2; }
  done
done
# What the host has to contain, and says exactly how: tests/hostile.
if has c; then
  for source in tests/hostile/*/plugin.c; do
    dir=$(dirname "$source")
    component "hostile/$(basename "$dir")" "$dir" c
  done
fi
# The recipes of docs/plugins/cookbook.md.
if has rust; then
  for source in examples/plugins/*/Cargo.toml; do
    dir=$(dirname "$source")
    component "examples/$(basename "$dir")" "$dir" rust
  done
fi
