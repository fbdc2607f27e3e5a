#!/usr/bin/env bash
# Installs what Campanile needs to be built, shown and tested, and says so. Does nothing where it is there.
set -euo pipefail
say() { printf 'setup: %s\n' "$*"; }

# Debian package -> a file that shows it is installed
packages=(
  "pkg-config:/usr/bin/pkg-config"
  "gcc:/usr/bin/gcc"
  "libx11-dev:/usr/include/X11/Xlib.h"
  "libxkbcommon-x11-0:/usr/lib/$(uname -m)-linux-gnu/libxkbcommon-x11.so.0"
  "libxcursor1:/usr/lib/$(uname -m)-linux-gnu/libXcursor.so.1"
  "libxi6:/usr/lib/$(uname -m)-linux-gnu/libXi.so.6"
  "libxrandr2:/usr/lib/$(uname -m)-linux-gnu/libXrandr.so.2"
  "mesa-vulkan-drivers:/usr/share/vulkan/icd.d"
  "libvulkan1:/usr/lib/$(uname -m)-linux-gnu/libvulkan.so.1"
  "xvfb:/usr/bin/Xvfb"
  "mosquitto:/usr/sbin/mosquitto"
)
missing=()
for entry in "${packages[@]}"; do
  [ -e "${entry#*:}" ] || missing+=("${entry%%:*}")
done
if [ ${#missing[@]} -gt 0 ]; then
  if command -v apt-get >/dev/null; then
    as_root=""; [ "$(id -u)" = 0 ] || as_root="sudo"
    say "installing by apt: ${missing[*]}"
    $as_root apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    say "please install the equivalents of these Debian packages: ${missing[*]}"
  fi
fi
command -v cargo >/dev/null || { say "Rust is missing: install it from https://rustup.rs, then run this again"; exit 1; }
# For plugins in C, Python and JavaScript; without them the rest works. What their builders fetch beside
# (componentize-py, componentize-js) is fetched into the cache when it is needed first.
guests=()
{ command -v clang && command -v wasm-ld; } >/dev/null || guests+=(clang lld)
python3 -c 'import venv, ensurepip' 2>/dev/null || guests+=(python3-venv)
{ command -v node && command -v npm; } >/dev/null || guests+=(nodejs npm)
if [ ${#guests[@]} -gt 0 ] && command -v apt-get >/dev/null; then
  as_root=""; [ "$(id -u)" = 0 ] || as_root="sudo"
  say "installing by apt: ${guests[*]}"
  { $as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends \
    "${guests[@]}" >/dev/null; } || say "they can't be had: plugins in their languages won't be built, and their tests skip"
fi
if command -v rustup >/dev/null && ! rustup target list --installed | grep -q wasm32-unknown-unknown; then
  say "adding Rust's target wasm32-unknown-unknown"
  rustup target add wasm32-unknown-unknown || say "it can't be had; scripts/guests.sh tries Debian's packages for it"
fi
if ! cargo nextest --version >/dev/null 2>&1; then
  say "installing cargo-nextest (some minutes, once)"
  cargo install --locked cargo-nextest
fi
