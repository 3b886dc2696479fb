#!/usr/bin/env bash
# Makes sure that a Docker engine answers, for CI and sandboxes that have none: installs Debian's packages where they are
# missing and starts dockerd with the first set of flags that works here. An engine that answers is left alone. It says how
# to stop the one it has started.
#
#     scripts/docker-engine.sh
set -euo pipefail

LOG=${TMPDIR:-/tmp}/portcullis-dockerd.log
PID_FILE=/var/run/docker.pid
START_SECONDS=30

# In this order: as the distribution means it, without rules for packets (then builds need --network host), and with
# drivers for file systems on which overlays do not work. vfs works everywhere and copies everything.
ATTEMPTS=(
  ''
  '--iptables=false --ip6tables=false'
  '--storage-driver=fuse-overlayfs'
  '--storage-driver=fuse-overlayfs --iptables=false --ip6tables=false'
  '--storage-driver=vfs'
  '--storage-driver=vfs --iptables=false --ip6tables=false'
)

main() {
  local missing
  missing=$(missing_packages)
  if [ "$(id -u)" = 0 ]; then
    # shellcheck disable=SC2086 # one word for each package
    if [ -n "$missing" ] && ! install $missing; then say "go on without: $missing"; fi
    # Where services are started when they are installed, it runs by now.
    answers || start
  elif ! answers; then
    fail 'no Docker engine answers; run this as root, or start Docker as your system does'
  elif [ -n "$missing" ]; then
    say "missing: $missing; stand-ins for images or the compose file will not work"
  fi
  say "Docker $(docker version --format '{{.Server.Version}}') answers"
}

# Debian's packages for what cannot be called here.
missing_packages() {
  { has docker && { has dockerd || answers; }; } || echo docker.io
  docker compose version > /dev/null 2>&1 || has docker-compose || echo docker-compose
  # For stand-ins of images that cannot be pulled.
  has debootstrap || echo debootstrap
}

# False when that is not possible here; what is there already may do.
install() {
  has apt-get || return 1
  say "installing $*"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update --quiet=2 && apt-get install --quiet=2 --yes --no-install-recommends "$@" > /dev/null || return 1
  # From Debian 13 on the client is a package of its own.
  has docker || apt-get install --quiet=2 --yes --no-install-recommends docker-cli > /dev/null
}

start() {
  local flags
  has dockerd || fail 'there is no dockerd; install Docker as your system does'
  for flags in "${ATTEMPTS[@]}"; do
    case $flags in *fuse-overlayfs*) has fuse-overlayfs || install fuse-overlayfs || continue ;; esac
    say "starting dockerd $flags"
    # In a session of its own: it outlives this script and the terminal.
    # shellcheck disable=SC2086 # one word for each flag
    setsid dockerd $flags > "$LOG" 2>&1 < /dev/null &
    if answers_soon $!; then
      say "its log is $LOG; to stop it: kill \$(cat $PID_FILE)"
      return
    fi
  done
  tail --lines=40 "$LOG" >&2
  fail "dockerd does not start here; above is the end of $LOG from the last attempt"
}

# Waits until the engine answers; false as soon as its process has ended, or after a time, and then it runs no longer.
answers_soon() {
  local process=$1 end=$((SECONDS + START_SECONDS))
  while kill -0 "$process" 2> /dev/null && [ $SECONDS -lt $end ]; do
    if answers; then return 0; fi
    sleep 0.2
  done
  kill "$process" 2> /dev/null || true
  wait "$process" || true
  return 1
}

answers() {
  docker version > /dev/null 2>&1
}

has() {
  command -v "$1" > /dev/null
}

say() {
  echo "docker-engine: $*" >&2
}

fail() {
  say "$*"
  exit 1
}

main
