#!/usr/bin/env bash
# Every test, in stages from quick to slow; the first that fails ends the run. `tests/run.sh STAGE...` runs some.
# Without root, what needs root is left out and named; in CI nothing is left out.
set -euo pipefail
cd "$(dirname "$0")/.."
py=$PWD/.venv/bin/python
scratch=$(mktemp -d "${TMPDIR:-/tmp}/novella-test.XXXXXX")
chmod 755 "$scratch"
cleanups=()
cleanup() {
    status=$?
    for ((i = ${#cleanups[@]} - 1; i >= 0; i--)); do eval "${cleanups[i]}" || true; done
    rm -rf "$scratch"
    exit $status
}
trap cleanup EXIT
export NOVELLA_STATE_DIR=$scratch/state
say() { printf '\n=== %s (%s s)\n' "$1" "$SECONDS"; }
is_root() { [ "$(id -u)" = 0 ]; }

stage_fast() {
    say "unit, contract and architecture tests, and those of the scheduler's process"
    "$py" -m pytest -q -n 2 tests/unit tests/contracts tests/architecture tests/integration/scheduler tests/chaos/test_redis_memory.py tests/chaos/test_summary.py tests/chaos/test_kept.py
}

stage_sqlite() {
    say "functional tests on SQLite"
    "$py" -m pytest -q -n 2 tests/functional
}

stage_postgres() {
    say "functional tests on PostgreSQL"
    # shellcheck source=tests/fixtures/postgres.sh
    . tests/fixtures/postgres.sh
    start_postgres "$scratch/postgres"
    cleanups+=("stop_postgres '$scratch/postgres'")
    DATABASE_URL=$POSTGRES_URL "$py" -m pytest -q -n 2 tests/functional
    # The refused one is repeated and passes: only the server's log tells that rows are locked in no common order.
    ! grep -A 4 "deadlock detected" "$scratch/postgres/log" || return 1
}

stage_compat() {
    say "with agents of the previous release, and agents of this one with its control plane"
    "$py" -m pytest -q tests/compat
}

stage_root() {
    if ! is_root; then
        [ -z "${CI:-}" ] || { echo "CI must run as root" >&2; exit 1; }
        say "LEFT OUT, for want of root: hypervisor, networks, first boot"
        return
    fi
    say "hypervisor and networks of this machine"
    "$py" -m pytest -q tests/integration --ignore=tests/integration/scheduler
    say "first boot: make up, a session of the stock client, make down"
    "$py" -m pytest -q -s tests/firstboot
}

stage_lab() {
    if ! is_root; then
        [ -z "${CI:-}" ] || { echo "CI must run as root" >&2; exit 1; }
        say "LEFT OUT, for want of root: the lab of several hosts"
        return
    fi
    say "a lab of three real hosts: moves, power cuts, cut cables, nothing left"
    "$py" -m pytest -q -s tests/lab
}

stage_fakecloud() {
    say "a cloud of fake hosts: admin in the browser, Flower, schemathesis, Tempest"
    "$py" -m pytest -q -s tests/fakecloud
}

stage_matrix() {
    say "a simulated cloud: a twentieth of the crash matrix, all workflows in it, and a short soak"
    "$py" -m tests.chaos.matrix --share 0.05 --seed 21 2>/dev/null
    "$py" -m tests.chaos.soak --operations 300 --seed 7 2>/dev/null
}

stage_chaos() {
    say "real processes killed at twelve of the moments that make chaos tries"
    "$py" -m pytest -q -s tests/chaos/real/test_sample.py
}

[ $# -gt 0 ] || set -- fast matrix sqlite postgres compat root lab chaos fakecloud
if is_root; then host/packages.sh test; fi
for stage in "$@"; do "stage_$stage"; done
say "all done"
