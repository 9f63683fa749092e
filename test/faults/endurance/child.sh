#!/bin/bash
# What `run` starts in place of its own Node: a refresh asks the campaign what is to become of it, and ends that way.
# Only what a child does as a process is decided here; @node@ and @port@ are filled in.
if [[ ${2-} != refresh ]]; then exec "@node@" "$@"; fi
IFS= read -r -d '' config
exec 3<>/dev/tcp/127.0.0.1/@port@
printf '%s %s\n' $$ "$config" >&3
read -r verdict code answer <&3
case $verdict in
  # The real one. It keeps the connection open, whose end tells the campaign of its own.
  real) exec "@node@" "$@" <<<"$config" ;;
  answer)
    printf '%s\n' "$answer"
    exit "$code"
    ;;
  kill) kill -KILL $$ ;;
  mute) exit 1 ;;
  rubbish)
    head -c 1000000 /dev/urandom
    exit 0
    ;;
  chatter)
    head -c 1000000 /dev/zero | tr '\0' x >&2
    exit 1
    ;;
  hang) exec sleep 60 3>&- ;;
  # Leaves its process group and holds the pipes open, so that the limit on the child does not end it.
  orphan)
    setsid sleep 17 3>&- &
    exit 0
    ;;
esac
