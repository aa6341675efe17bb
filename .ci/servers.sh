#!/usr/bin/env bash
# The servers that the specs need beside what npm brings, a redis-server, a PgBouncer, a RabbitMQ, a NATS server, a Kafka and a Toxiproxy: put into
# .dev-services/bin, where the specs look after the PATH. Nothing is installed on the machine, nothing is started, and what is there already is
# left alone.
# Needs apt (unless there are a redis-server, a pgbouncer and a rabbitmq-server), Java 17 and Maven (unless there is a kafka-class), and Go (unless there are
# a toxiproxy-server and a nats-server).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

kafka=4.3.1
nats=github.com/nats-io/nats-server/v2@v2.15.2
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

# Packages and those of the libraries they want that this machine lacks, into the folder $1. Without root, hence without apt's lock.
download() {
  mkdir -p "$1/partial"
  apt-get -qq -o Debug::NoLocking=1 -o APT::Sandbox::User=root -o "Dir::Cache::archives=$1" \
    install --yes --download-only --reinstall --no-install-recommends "${@:2}"
}

# Packages, into the folder $1: unpacked rather than installed, since Debian's would start a server on the usual port.
unpack() {
  local archives=$scratch/archives archive
  rm -rf "$archives"
  download "$archives" "${@:2}" || { as_root apt-get -qq update && download "$archives" "${@:2}"; }
  for archive in "$archives"/*.deb; do dpkg-deb --extract "$archive" "$1"; done
}

# `redis-server` is a link to a program of the tools.
get_redis() {
  local unpacked=$scratch/redis.d
  unpack "$unpacked" redis-tools
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

# With the Erlang that it runs on, whose script knows only the place that it would be installed in.
get_rabbitmq() {
  local unpacked=$scratch/rabbitmq.d erlang=(base asn1 crypto eldap inets mnesia os-mon parsetools public-key runtime-tools ssl syntax-tools tools xmerl)
  unpack "$unpacked" rabbitmq-server "${erlang[@]/#/erlang-}"
  sed -i -e 's|ROOTDIR=/usr/lib/erlang|ROOTDIR=$own/erlang|' \
    -e '2i own=$(cd "$(dirname "$(readlink -f "$0")")/../.." \&\& pwd)' \
    -e '3i export LD_LIBRARY_PATH="$(echo "$own"/*-linux-gnu* "$own"/../../lib/*-linux-gnu* | tr " " ":")"' "$unpacked/usr/lib/erlang/bin/erl"
  cat > "$scratch/rabbitmq-server" << 'EOF'
#!/bin/sh
own=$(dirname "$(readlink -f "$0")")/rabbitmq.d/usr/lib
PATH=$own/erlang/bin:$PATH exec "$own/rabbitmq/bin/rabbitmq-server" "$@"
EOF
  chmod 755 "$scratch/rabbitmq-server"
  rm -rf "$bin/rabbitmq.d"
  mv "$unpacked" "$bin/rabbitmq.d"
  mv "$scratch/rabbitmq-server" "$bin/rabbitmq-server"
}

get_pgbouncer() {
  local unpacked=$scratch/pgbouncer.d
  unpack "$unpacked" pgbouncer libc-ares2 libevent-2.1-7
  cat > "$scratch/pgbouncer" << 'EOF'
#!/bin/sh
own=$(dirname "$(readlink -f "$0")")/pgbouncer.d
LD_LIBRARY_PATH=$(echo "$own"/usr/lib/*-linux-gnu* "$own"/lib/*-linux-gnu* | tr ' ' ':') exec "$own/usr/sbin/pgbouncer" "$@"
EOF
  chmod 755 "$scratch/pgbouncer"
  rm -rf "$bin/pgbouncer.d"
  mv "$unpacked" "$bin/pgbouncer.d"
  mv "$scratch/pgbouncer" "$bin/pgbouncer"
}

get_nats() {
  GOBIN=$scratch go install "$nats"
  mv "$scratch/nats-server" "$bin/nats-server"
}

# Go names a program after its folder, which is `server` here.
get_toxiproxy() {
  GOBIN=$scratch go install "$toxiproxy"
  mv "$scratch/server" "$bin/toxiproxy-server"
}

# Apache Kafka by Maven: its jars, and an archive of loaded classes, with which it starts in half the time.
get_kafka() {
  local own=$scratch/kafka.d
  mkdir -p "$own"
  cat > "$own/pom.xml" << EOF
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>core-infra.dev-services</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$kafka</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.1</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>2.25.1</version></dependency>
  </dependencies>
</project>
EOF
  cat > "$own/log4j2.properties" << 'EOF'
rootLogger.level = INFO
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss.SSS} %p %c{1} %m%n
EOF
  mvn -B -q -f "$own/pom.xml" dependency:copy-dependencies -DoutputDirectory="$own/libs" -DincludeScope=runtime
  cat > "$scratch/kafka-class" << 'EOF'
#!/bin/sh
# A class of Apache Kafka: kafka-class kafka.Kafka server.properties
own=$(cd "$(dirname "$0")" && pwd)/kafka.d
exec java -Xms128m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "-XX:SharedArchiveFile=$own/classes.jsa" -Xshare:auto \
  "-Dlog4j2.configurationFile=$own/log4j2.properties" -cp "$own/libs/*" "$@"
EOF
  chmod 755 "$scratch/kafka-class"
  rm -rf "$bin/kafka.d"
  mv "$own" "$bin/kafka.d"
  archive_kafka_classes || rm -f "$bin/kafka.d/classes.jsa"
  # Last, so that a script that was ended half-way leaves no server that looks complete.
  mv "$scratch/kafka-class" "$bin/kafka-class"
}

# Runs a broker once, with ports that the system chooses, and keeps what classes it has loaded; only speed is lost where that fails.
archive_kafka_classes() {
  local own=$bin/kafka.d data=$scratch/kafka-data port controller broker waited=0
  read -r port controller < <(node -e '
    const { createServer } = require("node:net");
    const probes = [0, 1].map(() => createServer().listen(0, "127.0.0.1"));
    Promise.all(probes.map(probe => new Promise(done => probe.once("listening", done)))).then(() => {
      console.log(...probes.map(probe => probe.address().port));
      for (const probe of probes) probe.close();
    });')
  cat > "$scratch/kafka.properties" << EOF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
controller.listener.names=CONTROLLER
log.dirs=$data
EOF
  local jvm=(java -Xms128m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "-Dlog4j2.configurationFile=$own/log4j2.properties")
  "${jvm[@]}" -cp "$own/libs/*" kafka.tools.StorageTool format -t QXJjaGl2ZS1vZi1jbGFzcw -c "$scratch/kafka.properties" > "$scratch/kafka.log"
  "${jvm[@]}" "-XX:ArchiveClassesAtExit=$own/classes.jsa" -cp "$own/libs/*" kafka.Kafka "$scratch/kafka.properties" >> "$scratch/kafka.log" 2>&1 &
  broker=$!
  until grep -q 'Kafka Server started' "$scratch/kafka.log"; do
    ((waited += 1))
    if ((waited > 300)) || ! kill -0 "$broker" 2> /dev/null; then break; fi
    sleep 0.2
  done
  kill "$broker" 2> /dev/null || true
  wait "$broker" || true
  [[ -s $own/classes.jsa ]]
}

has redis-server || get_redis
has kafka-class || get_kafka
has rabbitmq-server || [[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ]] || get_rabbitmq
has pgbouncer || get_pgbouncer
has nats-server || get_nats
has toxiproxy-server || get_toxiproxy
redis-server --version
nats-server --version
toxiproxy-server -version
