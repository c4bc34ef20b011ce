#!/usr/bin/env bash
# Run a phase of Tempest against a running cloud:
#   run.sh --phase N [--regex RE] [--concurrency N] [--min-version 2.x] [--set SECTION.OPTION=VALUE]...
#
# The cloud is the one of clouds.yaml's `novella-admin` (OS_CLIENT_CONFIG_FILE, default var/clouds.yaml).
# Results lie in OUT (default var/tempest/phase-N). The last line is "N passed, N failed, N skipped".
# Exit status: 0 all passed and nothing was skipped that the phase intends, 1 otherwise.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
checkout=$(cd "$here/../.." && pwd)
state=${NOVELLA_STATE_DIR:-$checkout/var}
phase=1 regex='' concurrency=2 minimum='' settings=()
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || { echo "missing value for $1" >&2; exit 2; }
    case $1 in
        --phase) phase=$2 ;;
        --regex) regex=$2 ;;
        --concurrency) concurrency=$2 ;;
        --min-version) minimum=$2 ;;
        --set) settings+=("$2") ;;
        *) echo "unknown option $1" >&2; exit 2 ;;
    esac
    shift 2
done
export OS_CLIENT_CONFIG_FILE=${OS_CLIENT_CONFIG_FILE:-$state/clouds.yaml}
[ -r "$OS_CLIENT_CONFIG_FILE" ] || { echo "There is no $OS_CLIENT_CONFIG_FILE; start a cloud: make up" >&2; exit 2; }
out=${OUT:-$state/tempest/phase-$phase}
# Tempest gets an environment of its own, so that its many dependencies never meet ours.
venv=${TEMPEST_VENV:-$checkout/.venv-tempest}
if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
    echo "Installing Tempest into $venv ..."
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$venv/installed.txt"
fi
rm -rf "$out"
mkdir -p "$out/etc" "$out/lock"
default_regex=$("$venv/bin/python" "$here/configure.py" "$phase" "$out" "$minimum" "${settings[@]}")
site=$("$venv/bin/python" -c 'import os, tempest; print(os.path.dirname(tempest.__file__))')
cd "$out"
printf '[DEFAULT]\ntest_path=%s/test_discover\ntop_dir=%s\ngroup_regex=([^\\.]*\\.)*\n' "$site" "$site" > .stestr.conf
export TEMPEST_CONFIG_DIR=$out/etc TEMPEST_CONFIG=tempest.conf OS_TEST_TIMEOUT=300 PYTHONWARNINGS=ignore
unset OS_CLOUD OS_AUTH_URL
"$venv/bin/stestr" init > /dev/null
"$venv/bin/stestr" list "${regex:-$default_regex}" > selected.txt
[ -s selected.txt ] || { echo "The selection names no test." >&2; exit 2; }
echo "Running $(wc -l < selected.txt) tests of phase $phase ..."
"$venv/bin/stestr" run --concurrency "$concurrency" --subunit "${regex:-$default_regex}" > results.subunit 2> stestr.err || true
exec "$venv/bin/python" "$here/report.py" "$out" "$here/expected_skips.txt"
