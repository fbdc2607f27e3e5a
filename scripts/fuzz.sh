#!/usr/bin/env bash
# Fuzzes every reader: scripts/fuzz.sh [TARGET…]; TIME seconds a target (default 600). Ends with 1 where an input broke
# something; the input then lies in fuzz/artifacts/TARGET and belongs into fuzz/regressions/TARGET once it is mended.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
seconds=${TIME:-600}
# An input that takes longer is a hang, and one that takes more memory could kill a hub: the largest raster takes 0.8 GB.
slow_s=10
memory_mb=2048

if ! rustup toolchain list | grep -q nightly; then
  echo "fuzz: the sanitizer needs nightly Rust: rustup toolchain install nightly --profile minimal"; exit 1
fi
command -v cargo-fuzz >/dev/null || cargo +nightly install --locked cargo-fuzz
# Sanitized builds must not mix with others.
export CARGO_TARGET_DIR=${FUZZ_TARGET_DIR:-${CARGO_TARGET_DIR:-$root/target}/fuzz}
binaries=$CARGO_TARGET_DIR/$(rustc +nightly -vV | sed -n 's/^host: //p')/release
# As cargo-fuzz runs them.
export ASAN_OPTIONS=detect_odr_violation=0
cd fuzz
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cargo +nightly fuzz list --fuzz-dir .)
broken=()
for target in "${targets[@]}"; do
  mkdir -p "corpus/$target" "artifacts/$target" "regressions/$target"
  dict=(); [ ! -f "dict/$target.dict" ] || dict=(-dict="dict/$target.dict")
  cargo +nightly fuzz build --fuzz-dir . "$target"
  echo "fuzz: $target, $seconds s"
  log=artifacts/$target.log
  # Longer inputs than this only slow the search: the seeds are small.
  if nice "$binaries/$target" "corpus/$target" "seeds/$target" "regressions/$target" \
    -artifact_prefix="artifacts/$target/" -max_total_time="$seconds" -timeout=$slow_s -rss_limit_mb=$memory_mb \
    -max_len=20000 -print_final_stats=1 "${dict[@]}" >"$log" 2>&1; then
    grep -E 'stat::number_of_executed_units|stat::peak_rss' "$log" | sed 's/^stat::/  /'
    grep -E 'cov: ' "$log" | tail -1 | sed 's/^/  /'
  else
    broken+=("$target")
    grep -E 'panicked|ERROR|SUMMARY|Test unit written' -A1 "$log" | head -20
  fi
done
if [ ${#broken[@]} -gt 0 ]; then
  echo "fuzz: broken: ${broken[*]}; the inputs are in fuzz/artifacts"; exit 1
fi
echo "fuzz: ${#targets[@]} targets, nothing found"
