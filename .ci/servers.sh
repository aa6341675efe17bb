#!/usr/bin/env bash
# The servers that the specs need beside what npm brings, a redis-server and a Toxiproxy: put into .dev-services/bin, where the specs look
# after the PATH. Nothing is installed on the machine, nothing is started, and what is there already is left alone.
# Needs apt (unless there is a redis-server) and Go (unless there is a toxiproxy-server).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

toxiproxy=github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0
bin=$PWD/.dev-services/bin
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$bin"
PATH=$PATH:$bin

has() { command -v "$1" > /dev/null; }

as_root() {
  if ((EUID != 0)) && has sudo; then sudo -n "$@"; else "$@"; fi
}

# The package and those of the libraries it wants that this machine lacks, into $1. Without root, hence without apt's lock.
download() {
  mkdir -p "$1/partial"
  apt-get -qq -o Debug::NoLocking=1 -o APT::Sandbox::User=root -o "Dir::Cache::archives=$1" \
    install --yes --download-only --reinstall --no-install-recommends redis-tools
}

# Unpacked rather than installed: Debian's package would start a server on port 6379. `redis-server` is a link to this program.
get_redis() {
  local archives=$scratch/archives unpacked=$scratch/unpacked archive
  download "$archives" || { as_root apt-get -qq update && download "$archives"; }
  for archive in "$archives"/*.deb; do dpkg-deb --extract "$archive" "$unpacked"; done
  cat > "$scratch/redis-server" << 'EOF'
#!/bin/sh
own=$(dirname "$0")/redis.d
LD_LIBRARY_PATH=$(echo "$own"/usr/lib/*-linux-gnu* "$own"/lib/*-linux-gnu* | tr ' ' ':') exec "$own/usr/bin/redis-server" "$@"
EOF
  chmod 755 "$scratch/redis-server"
  [[ -e $unpacked/usr/bin/redis-server ]] || ln -s redis-check-rdb "$unpacked/usr/bin/redis-server"
  rm -rf "$bin/redis.d"
  mv "$unpacked" "$bin/redis.d"
  # Last, so that a script that was ended half-way leaves no server that looks complete.
  mv "$scratch/redis-server" "$bin/redis-server"
}

# Go names a program after its folder, which is `server` here.
get_toxiproxy() {
  GOBIN=$scratch go install "$toxiproxy"
  mv "$scratch/server" "$bin/toxiproxy-server"
}

has redis-server || get_redis
has toxiproxy-server || get_toxiproxy
redis-server --version
toxiproxy-server -version
