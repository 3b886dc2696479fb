#!/usr/bin/env bash
# Installs the real servers and clients that the protocol tests start themselves, from Debian's packages. Only what is missing
# is installed, and nothing of it is left running: the tests use their own ports, folders and configurations.
set -euo pipefail

# What is looked for (a program, or a glob of files), and the package that has it.
NEEDED=(
  '/usr/lib/postgresql/*/bin/postgres=postgresql'
  'psql=postgresql-client'
  'mariadbd=mariadb-server-core'
  'mariadb=mariadb-client'
  'mariadb-install-db=mariadb-server-core'
  'redis-server=redis-server'
  'redis-cli=redis-tools'
  'sshd=openssh-server'
  'ssh=openssh-client'
)

main() {
  local packages=()
  mapfile -t packages < <(missing | sort --unique)
  [ ${#packages[@]} -eq 0 ] && return
  if [ "$(id --user)" -ne 0 ] || ! command -v apt-get > /dev/null; then
    echo "not installed: ${packages[*]} (run this as root on Debian)" >&2
    return 1
  fi
  echo "installing ${packages[*]}" >&2
  # Others may be installing, too.
  local options=(--quiet=2 -o DPkg::Lock::Timeout=300)
  apt-get update "${options[@]}"
  policy
  DEBIAN_FRONTEND=noninteractive apt-get install "${options[@]}" --yes --no-install-recommends "${packages[@]}" > /dev/null
}

missing() {
  local entry
  for entry in "${NEEDED[@]}"; do
    found "${entry%%=*}" || echo "${entry##*=}"
  done
}

found() {
  case $1 in
    /*) compgen -G "$1" > /dev/null ;;
    *) PATH=$PATH:/usr/sbin:/sbin command -v "$1" > /dev/null ;;
  esac
}

# Packages start their servers when they are installed. Where nobody has decided about that, none is started.
policy() {
  local file=/usr/sbin/policy-rc.d
  [ -e "$file" ] && return
  printf '#!/bin/sh\nexit 101\n' > "$file"
  chmod 755 "$file"
  trap "rm -f $file" EXIT
}

main
