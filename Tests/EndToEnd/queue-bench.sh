#!/bin/bash
# Runs `switchboard bench queue` beside huey, dramatiq and procrastinate. Starts redis-server and PostgreSQL on loopback, in a folder that
# goes with them, and stops both at the end. Installs nothing.
#
#   Tests/EndToEnd/queue-bench.sh SWITCHBOARD PYTHON [more options of bench queue]
#
# PYTHON needs: pip install huey 'dramatiq[redis]' procrastinate 'psycopg[binary]'
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 2 ] || { echo "usage: $0 SWITCHBOARD PYTHON [options]" >&2; exit 2; }
switchboard=$1 python=$2
shift 2
for tool in redis-server redis-cli; do command -v "$tool" >/dev/null || { echo "$0: $tool is missing" >&2; exit 3; }; done
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1 || true)
[ -n "$bin" ] || bin=$(dirname "$(command -v pg_ctl)") || { echo "$0: PostgreSQL is missing" >&2; exit 3; }

folder=$(mktemp -d /tmp/switchboard-queue-bench.XXXXXX)
chmod 755 "$folder"
port() { "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
# PostgreSQL will not run as root.
as_server() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
stop() {
    as_server "$bin/pg_ctl" -D "$folder/postgres" -m immediate stop >/dev/null 2>&1 || true
    [ -z "${redis:-}" ] || kill "$redis" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$folder"
}
trap stop EXIT

mkdir "$folder/redis" "$folder/postgres"
redis_port=$(port) postgres_port=$(port)
redis-server --port "$redis_port" --bind 127.0.0.1 --dir "$folder/redis" --appendonly yes --appendfsync always --save "" >"$folder/redis.log" &
redis=$!
[ "$(id -u)" != 0 ] || chown postgres "$folder/postgres"
as_server "$bin/initdb" -D "$folder/postgres" -U admin -A trust -E UTF8 --locale=C --data-checksums >"$folder/initdb.log"
as_server "$bin/pg_ctl" -D "$folder/postgres" -w -l "$folder/postgres/log" \
    -o "-p $postgres_port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c shared_buffers=256MB -c autovacuum_naptime=1s" start >/dev/null
base="host=127.0.0.1 port=$postgres_port"
"$bin/psql" -q "$base user=admin dbname=postgres" -c 'CREATE ROLE owner LOGIN' -c 'CREATE ROLE switchboard LOGIN' \
    -c 'CREATE DATABASE bench OWNER owner' -c 'CREATE DATABASE peers OWNER owner'
"$bin/psql" -q "$base user=admin dbname=bench" -c 'ALTER SCHEMA public OWNER TO owner'
"$switchboard" migrate --store "postgresql://owner@127.0.0.1:$postgres_port/bench" --role switchboard >/dev/null
until redis-cli -p "$redis_port" ping >/dev/null 2>&1; do sleep 0.1; done

"$switchboard" bench queue --postgres "postgresql://switchboard@127.0.0.1:$postgres_port/bench" --python "$python" \
    --script "$here/python/queue_bench.py" --redis "redis://127.0.0.1:$redis_port/0" \
    --peer-postgres "postgresql://owner@127.0.0.1:$postgres_port/peers" "$@"
