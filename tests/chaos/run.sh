#!/usr/bin/env bash
# Everything of the reliability suite that takes long; what it printed is kept in docs/chaos-output.txt.
# The simulated pieces run at the lowest priority beside those with real processes, which mostly wait. A piece that
# fails ends no other. SEED chooses the sample. `tests/chaos/run.sh PIECE...` runs some, and keeps nothing.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
SIMULATED=(matrix soak soak-postgres)
REAL=(recovery sample redis database agent_apart dead_host last_place bursts)
PIECE_SECONDS=4200
py=$PWD/.venv/bin/python
scratch=$(mktemp -d "${TMPDIR:-/tmp}/novella-chaos.XXXXXX")
chmod 755 "$scratch"
results=$scratch/results
mkdir "$results"
# shellcheck disable=SC2317
cleanup() {
    local piece
    for piece in $(jobs -p); do
        pkill -P "$piece"
        kill "$piece" 2>/dev/null
    done
    [ ! -d "$scratch/postgres/data" ] || stop_postgres "$scratch/postgres"
    rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 143' TERM INT
export CHAOS=full CHAOS_SEED=${SEED:-3}

command_of() {
    case $1 in
    matrix) echo nice -n 19 "$py" -m tests.chaos.matrix --jobs 1 ;;
    soak) echo nice -n 19 "$py" -m tests.chaos.soak --operations 10000 ;;
    soak-postgres) echo nice -n 19 env "DATABASE_URL=$POSTGRES_URL" "$py" -m tests.chaos.soak --operations 500 --seed 11 ;;
    *) echo "$py" -m pytest -q -s -p no:cacheprovider "tests/chaos/real/test_$1.py" ;;
    esac
}

run_piece() {
    local began=$SECONDS status=0 errors=/dev/stdout
    # What the simulated processes log is what they are made to suffer.
    [[ " ${SIMULATED[*]} " != *" $1 "* ]] || errors=/dev/null
    # shellcheck disable=SC2046
    NOVELLA_STATE_DIR=$scratch/state-$1 timeout --foreground -k 60 $PIECE_SECONDS $(command_of "$1") >"$results/$1.txt" 2>$errors ||
        status=$?
    echo "$status $((SECONDS - began))" >"$results/$1.end"
    say "$1"
}

say() {
    printf '\n=== %s\n' "$1"
    grep -v '^[.sFE]*$' "$results/$1.txt"
}

run_all() {
    local beside=() piece
    for piece in "${SIMULATED[@]}"; do is_wanted "$piece" && { run_piece "$piece" & beside+=($!); }; done
    for piece in "${REAL[@]}"; do is_wanted "$piece" && run_piece "$piece"; done
    [ ${#beside[@]} = 0 ] || wait "${beside[@]}"
    "$py" -m tests.chaos.summary "$results" | tee "$scratch/summary"
    return "${PIPESTATUS[0]}"
}

keep() {
    local piece
    echo "$title"
    for piece in "${SIMULATED[@]}" "${REAL[@]}"; do say "$piece"; done
    cat "$scratch/summary"
}

wanted=" $* "
is_wanted() { [[ $wanted = "  " || $wanted = *" $1 "* ]]; }
title="make chaos, seed $CHAOS_SEED, commit $(git rev-parse --short HEAD), $(date -u +%F), $(nproc) cores"
if [ "$(id -u)" = 0 ]; then host/packages.sh test || exit 1; fi
if is_wanted soak-postgres; then
    # shellcheck source=tests/fixtures/postgres.sh
    . tests/fixtures/postgres.sh
    start_postgres "$scratch/postgres" || exit 1
fi
echo "$title"
run_all
status=$?
[ $# -gt 0 ] || keep >docs/chaos-output.txt
exit "$status"
