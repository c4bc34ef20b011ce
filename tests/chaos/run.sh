#!/usr/bin/env bash
# Everything of the reliability suite that takes long; what it printed is kept in docs/chaos-output.txt.
# First the whole matrix, simulated; then real processes that die by SIGKILL. SEED chooses the sample of the latter.
# `tests/chaos/run.sh -k recovery` gives its arguments to pytest, leaves the simulation out and keeps nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."
scratch=$(mktemp -d "${TMPDIR:-/tmp}/novella-chaos.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
export NOVELLA_STATE_DIR=$scratch/state CHAOS=full CHAOS_SEED=${SEED:-3}
if [ "$(id -u)" = 0 ]; then host/packages.sh test; fi
report=$scratch/report
{
    echo "make chaos, seed $CHAOS_SEED, commit $(git rev-parse --short HEAD), $(date -u +%F), $(nproc) cores"
    [ $# -gt 0 ] || .venv/bin/python -m tests.chaos.matrix 2>/dev/null
    [ $# -gt 0 ] || .venv/bin/python -m tests.chaos.soak --operations 10000 2>/dev/null
    .venv/bin/python -m pytest -q -s -p no:cacheprovider tests/chaos/real "$@"
} 2>&1 | tee "$report"
[ $# -gt 0 ] || grep -v '^[.sFE]*$' "$report" >docs/chaos-output.txt
