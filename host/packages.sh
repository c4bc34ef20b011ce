#!/bin/sh
# Install the Debian packages that lack, or print the one command that does: packages.sh libvirt|fake|test
set -eu
hypervisor=${1:-libvirt}
list=packages.txt
case $hypervisor in
    fake) list=packages-fake.txt ;;
    test) list="packages.txt packages-test.txt" ;;
esac
missing=
# shellcheck disable=SC2086  # the names of the lists are separate words
for package in $(sed "s/#.*//" $list); do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
    echo "Debian packages are missing. Install them with:" >&2
    echo "    sudo apt-get update && sudo apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
echo "Installing Debian packages:$missing"
export DEBIAN_FRONTEND=noninteractive
# Services that the packages would start are not ours: the cloud starts its own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
fi
apt-get -qq update
# shellcheck disable=SC2086  # the names are separate words
apt-get -qq install --no-install-recommends $missing > /dev/null
