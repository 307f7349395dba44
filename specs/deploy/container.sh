#!/bin/sh
# Runs a command as the manifests have it run, without a container engine: root cannot be written, user 1000 has no capabilities,
# and the network is nobody else's. Takes root and util-linux:
#   unshare --mount --net -- sh container.sh <volumes> <image> <node_modules> <command...>
# <volumes> has what a kubelet mounts: data, validator, chain, keys, password. <image> is what the container sees as /image.
set -eu
volumes=$1 image=$2 modules=$3
shift 3

ip link set lo up
top=$volumes/top
mkdir "$top"
mount -t tmpfs tmpfs "$top"
mkdir "$top/upper" "$top/work" "$top/root"
mount -t overlay -o "lowerdir=/,upperdir=$top/upper,workdir=$top/work" overlay "$top/root"

# at <folder inside> <folder outside>
at() {
  mkdir -p "$top/root$1"
  mount --bind "$2" "$top/root$1"
}
# The links of the image lead to this checkout's libraries, which may be in somebody's private folder.
at "$modules" "$modules"
parent=$(dirname "$modules")
while [ "$parent" != / ]; do
  chmod a+x "$top/root$parent"
  parent=$(dirname "$parent")
done
at /image "$image"
at /dev /dev
at /proc /proc
# A volume comes as root's, writable for the pod's fsGroup; a secret's files are root's and readable for all.
for volume in data validator; do
  chown root:1000 "$volumes/$volume"
  chmod 2775 "$volumes/$volume"
done
at /var/lib/jurat "$volumes/data"
at /var/lib/jurat/validator "$volumes/validator"
for secret in chain keys password; do chmod -R a+rX "$volumes/$secret"; done
at /etc/jurat "$volumes/chain"
at /keys "$volumes/keys"
at /password "$volumes/password"
for scratch in /own /tmp; do
  mkdir -p "$top/root$scratch"
  mount -t tmpfs -o mode=1777 tmpfs "$top/root$scratch"
done
for fixed in /image /etc/jurat /keys /password "$modules"; do mount -o remount,bind,ro "$top/root$fixed"; done
mount -o remount,ro "$top/root"

exec chroot "$top/root" setpriv --reuid=1000 --regid=1000 --groups=1000 \
  --no-new-privs --bounding-set=-all --inh-caps=-all -- "$@"
