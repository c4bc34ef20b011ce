#!/usr/bin/env bash
# Every test, in stages; the first that fails ends the run. `tests/run.sh STAGE...` runs some, one after the other.
# Without root, what needs root is left out and named; in CI nothing is left out.
set -euo pipefail
# Whoever is started in the background ignores Ctrl-C, and so would every stage that has to end because another failed.
[ -n "${SIGNALS_ARE_DEFAULT:-}" ] || SIGNALS_ARE_DEFAULT=yes exec env --default-signal=INT "$0" "$@"
unset SIGNALS_ARE_DEFAULT
cd "$(dirname "$0")/.."
py=$PWD/.venv/bin/python
scratch=$(mktemp -d "${TMPDIR:-/tmp}/novella-test.XXXXXX")
chmod 755 "$scratch"
# Hundreds of processes start here: each would compile our modules and tests anew.
unset PYTHONDONTWRITEBYTECODE
export NOVELLA_STATE_DIR=$scratch/state
say() { printf '\n=== %s (%s s)\n' "$1" "$SECONDS"; }
is_root() { [ "$(id -u)" = 0 ]; }

cleanups=()
clean() {
    for ((i = ${#cleanups[@]} - 1; i >= 0; i--)); do eval "${cleanups[i]}" || true; done
}
declare -A running=() following=() # by process id: the stage that runs, and those that come after it
end_of_run() {
    status=$?
    trap '' INT TERM
    # As Ctrl-C does: pytest takes down what it started.
    for pid in "${!running[@]}"; do kill -INT -- "-$pid" 2> /dev/null || true; done
    for pid in "${!running[@]}"; do
        wait "$pid" || true
        say "${running[$pid]} was ended"
    done
    clean
    rm -rf "$scratch"
    exit $status
}
trap end_of_run EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

stage_fast() {
    say "unit, contract and architecture tests, and those of the scheduler's process"
    "$py" -m pytest -q -n 2 tests/unit tests/contracts tests/architecture tests/integration/scheduler tests/chaos/test_redis_memory.py tests/chaos/test_summary.py tests/chaos/test_kept.py tests/chaos/test_row_order.py
}

stage_sqlite() {
    say "functional tests on SQLite"
    "$py" -m pytest -q -n 2 --dist loadfile tests/functional
}

stage_postgres() {
    say "functional tests on PostgreSQL"
    # shellcheck source=tests/fixtures/postgres.sh
    . tests/fixtures/postgres.sh
    start_postgres "$scratch/postgres"
    cleanups+=("stop_postgres '$scratch/postgres'")
    DATABASE_URL=$POSTGRES_URL "$py" -m pytest -q -n 2 --dist loadfile tests/functional
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

# A browser gives up what it is loading whenever a network of the machine changes, as they do beside root's stages.
stage_browser() {
    say "a cloud of fake hosts: the admin in the browser"
    "$py" -m pytest -q -s tests/fakecloud/test_browser*.py
}

stage_fakecloud() {
    say "a cloud of fake hosts: Flower, schemathesis, Tempest"
    "$py" -m pytest -q -s tests/fakecloud --ignore-glob='*/test_browser*.py'
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

# Start the first stage of a lane, in a process group of its own.
begin() {
    local stage=$1
    shift
    say "$stage begins; what it says follows when it has ended"
    set -m
    (
        trap clean EXIT
        trap - INT TERM
        cleanups=()
        export NOVELLA_STATE_DIR=$scratch/$stage/state
        "stage_$stage"
    ) > "$scratch/$stage.log" 2>&1 < /dev/null &
    set +m
    running[$!]=$stage
    following[$!]=$*
}

# Run lanes of stages at the same time; what a stage says is shown as a whole.
side_by_side() {
    local lane pid status
    # shellcheck disable=SC2086  # the stages of a lane are separate words
    for lane in "$@"; do begin $lane; done
    while [ ${#running[@]} -gt 0 ]; do
        status=0
        wait -n -p pid "${!running[@]}" || status=$?
        cat "$scratch/${running[$pid]}.log"
        say "${running[$pid]} has ended with $status"
        unset "running[$pid]"
        [ "$status" = 0 ] || exit "$status"
        # shellcheck disable=SC2086
        [ -z "${following[$pid]}" ] || begin ${following[$pid]}
    done
}

if is_root; then host/packages.sh test; fi
if [ $# -gt 0 ]; then
    for stage in "$@"; do "stage_$stage"; done
else
    stage_fast
    side_by_side matrix browser
    # One lane waits for guests and has the machine's networks for itself, the other one computes.
    side_by_side "root lab" "fakecloud sqlite postgres compat chaos"
fi
say "all done"
