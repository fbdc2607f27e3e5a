#!/usr/bin/env bash
# A hub for an hour under 5,000 samples a second with 20 clients, one of which never reads: a line of JSON a minute
# (memory, processor, latency), then the verdict. Ends with 1 where it is not flat. MINUTES=5 scripts/soak.sh is quicker;
# scripts/soak.sh --broker HOST:PORT takes another broker than the embedded one.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release -p campanile-cli --locked
exec "${CARGO_TARGET_DIR:-target}/release/campanile" bench soak --minutes "${MINUTES:-60}" "$@"
