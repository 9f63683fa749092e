#!/bin/sh
# Makes the scratch directory the host, in a mount namespace of its own, and keeps it for as long as standard input
# stays open. Its end is the end of everything that runs in there, however the test ended.
#
#   holder.sh SCRATCH DIRECTORY... -- VISIBLE...
#
#   DIRECTORY: relative to SCRATCH and to / alike; VISIBLE: what these would hide and must not be hidden
set -e
scratch=$1
shift
# Relative paths from here on: one of the mounts may hide the scratch directory itself.
cd "$scratch"

directories=
while [ "$1" != -- ]; do
  directories="$directories $1"
  shift
done
shift

for visible in "$@"; do
  mkdir -p "./$visible"
  mount --no-canonicalize --rbind "$visible" "./$visible"
done
# What the host itself has installed is out of reach: a test's root must not change it.
if [ "$(sed -n '1s/[[:space:]]*[0-9]*[[:space:]]*\([0-9]*\).*/\1/p' /proc/self/uid_map)" = 0 ]; then
  mount --bind /usr /usr
  mount -o remount,bind,ro /usr
fi
for directory in $directories; do
  mount --no-canonicalize --rbind "$directory" "/$directory"
done

echo ready
cat >/dev/null

# Whoever shares our mounts was started in here; a zombie shares them no longer.
left=yes
while [ "$left" = yes ]; do
  left=no
  for process in /proc/[0-9]*; do
    [ "$process/ns/mnt" -ef /proc/self/ns/mnt ] || continue
    [ "${process#/proc/}" != $$ ] || continue
    kill -s KILL "${process#/proc/}" 2>/dev/null && left=yes
  done
done
