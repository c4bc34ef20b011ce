#!/bin/sh
# Make the virtual environment from the pinned requirements: venv.sh PYTHON FOLDER
set -eu
python=$1 venv=$2
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Python 3.11 or newer is needed; $python is $("$python" --version). Name another: make PYTHON=python3.12 up" >&2
    exit 1
}
"$python" -m venv "$venv" || { echo "The venv module is missing: apt-get install python3-venv" >&2; exit 1; }
wanted=requirements.txt
# The binding to libvirt is compiled; a machine that runs fake hosts only may lack what that takes.
if ! pkg-config --exists libvirt 2>/dev/null; then
    echo "libvirt's headers are missing: its Python binding is left out, fake hosts only." >&2
    wanted=$venv/requirements-without-libvirt.txt
    grep -v '^libvirt-python' requirements.txt > "$wanted"
fi
echo "Installing the Python packages into $venv ..."
"$venv/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"
