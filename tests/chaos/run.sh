#!/usr/bin/env bash
# Everything of the reliability suite that takes long; what it printed is kept in docs/chaos-output.txt.
# The simulated pieces run one after another at the lowest priority, beside those with real processes, which mostly
# wait. A piece that fails ends no other. What has passed is kept in RESULTS (a folder of this commit and seed), and is
# not run again: cut off, the same command goes on. `tests/chaos/run.sh PIECE...` runs some, and writes no document.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
SIMULATED=(matrix soak soak-postgres)
REAL=(recovery sample-fake sample-libvirt redis database agent_apart dead_host last_place bursts)
PIECE_SECONDS=7200
py=$PWD/.venv/bin/python
export CHAOS=full CHAOS_SEED=${SEED:-3}
commit=$(git describe --always --dirty --exclude='*')
results=${RESULTS:-$PWD/var/chaos/$commit-$CHAOS_SEED}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/novella-chaos.XXXXXX")
chmod 755 "$scratch"
mkdir -p "$results"
# What is not committed may be other code the next time.
[[ $commit != *-dirty || -n ${RESULTS:-} ]] || rm -rf "${results:?}"/*
# shellcheck disable=SC2317
cleanup() {
    local piece
    for piece in $(jobs -p); do end_all_of "$piece"; done
    [ ! -d "$scratch/postgres/data" ] || stop_postgres "$scratch/postgres"
    rm -rf "$scratch"
}
# shellcheck disable=SC2317
end_all_of() {
    local child children
    children=$(pgrep -P "$1")
    kill "$1" 2>/dev/null # first, or it goes on with its next piece
    for child in $children; do end_all_of "$child"; done
}
trap cleanup EXIT
trap 'exit 143' TERM INT

command_of() {
    case $1 in
    matrix) echo nice -n 19 "$py" -u -m tests.chaos.matrix --keep "$results/matrix" ;;
    soak) echo nice -n 19 "$py" -u -m tests.chaos.soak --operations 10000 ;;
    soak-postgres) echo nice -n 19 env "DATABASE_URL=$POSTGRES_URL" "$py" -u -m tests.chaos.soak --operations 10000 --seed 11 ;;
    sample-*) echo "$py" -m pytest -q -s -p no:cacheprovider tests/chaos/real/test_sample.py -k "${1#sample-}-" ;;
    *) echo "$py" -m pytest -q -s -p no:cacheprovider "tests/chaos/real/test_$1.py" ;;
    esac
}

run_piece() {
    local began=$SECONDS status=0 errors=/dev/stdout out=$results/$1.txt
    if has_passed "$1"; then
        echo "[$1] has passed already"
        return
    fi
    # What the simulated processes log is what they are made to suffer.
    [[ " ${SIMULATED[*]} " != *" $1 "* ]] || errors=/dev/null
    rm -f "$results/$1.end"
    # shellcheck disable=SC2046
    NOVELLA_STATE_DIR=$scratch/state-$1 timeout --foreground -k 60 $PIECE_SECONDS $(command_of "$1") 2>$errors |
        tee "$out" | sed -u "/^[.sFE]*$/d; s/^/[$1] /" || status=${PIPESTATUS[0]}
    echo "$status $((SECONDS - began)) $commit $(date -u +%F)" >"$results/$1.end"
}

has_passed() { [[ -f $results/$1.end && $(cat "$results/$1.end") = "0 "* ]]; }

run_simulated() {
    local piece
    for piece in "${SIMULATED[@]}"; do ! is_wanted "$piece" || run_piece "$piece"; done
}

run_all() {
    local piece
    run_simulated &
    for piece in "${REAL[@]}"; do ! is_wanted "$piece" || run_piece "$piece"; done
    wait $!
    "$py" -m tests.chaos.summary "$results" | tee "$scratch/summary"
    return "${PIPESTATUS[0]}"
}

keep() {
    local piece
    echo "$title"
    for piece in "${SIMULATED[@]}" "${REAL[@]}"; do
        printf '\n=== %s (commit %s)\n' "$piece" "$(cut -d ' ' -f 3- "$results/$piece.end")"
        grep -v '^[.sFE]*$' "$results/$piece.txt"
    done
    cat "$scratch/summary"
}

wanted=" $* "
is_wanted() { [[ $wanted = "  " || $wanted = *" $1 "* ]]; }
title="make chaos, seed $CHAOS_SEED, commit $commit, $(date -u +%F), $(nproc) cores"
for piece in "$@"; do
    [[ " ${SIMULATED[*]} ${REAL[*]} " = *" $piece "* ]] || { echo "no piece is called $piece: ${SIMULATED[*]} ${REAL[*]}" >&2; exit 2; }
done
if [ "$(id -u)" = 0 ]; then host/packages.sh test || exit 1; fi
if is_wanted soak-postgres && ! has_passed soak-postgres; then
    # shellcheck source=tests/fixtures/postgres.sh
    . tests/fixtures/postgres.sh
    start_postgres "$scratch/postgres" || exit 1
fi
echo "$title"
run_all
status=$?
[ $# -gt 0 ] || keep >docs/chaos-output.txt
exit "$status"
