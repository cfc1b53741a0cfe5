#!/usr/bin/env bash
# Runs every suite on every store, each run into a log of its own, and tells at the very end what failed and what was said about it.
# Arguments name runs: build units servers units-postgresql end-to-end fairness, which are all when there are none, and crashes nodes,
# which `make chaos` repeats for long (SWITCHBOARD_CHAOS_…, see Tests/EndToEnd/Support/Chaos.swift).
set -uo pipefail
cd "$(dirname "$0")/.."

# Suites that start servers and other processes of their own or load the machine: one after the other. (`Process.run` is not safe beside
# threads that open and close files.)
on_servers='PostgreSQL|JetStream|BusContract|sqliteKeepsTheContract|NullCharacter|CommandReader|TLSConnection|aGzipBombUnpacks'
# Suites whose stores are of the kind that SWITCHBOARD_TEST_STORE names.
with_store='^(StorageTests|GatewayTests|BusTests|SwitchboardTests)\.'
# End-to-end suites that compare times with each other: nothing else runs beside them.
measuring='EndToEnd\.FairnessTests'
# Every crash point, and messages that kill whoever handles them.
deaths='EndToEnd\.(CrashTests|PoisonTests|ModelTests/aTurnWhoseModelAnswerWasLost|HandoverTests/aCrashBetweenTheTicket'
deaths+='|BusTests/aCrashBetweenPublishing|ReloadTests/aDeathInTheMiddle)'
# Seconds after which a run is ended, so that its tests under way can still be named.
limit=${SUITE_LIMIT:-2700}
program=.build/debug/switchboardPackageTests.xctest

# The logs are read by what their lines begin with.
export NO_COLOR=1

logs=.build/test-logs
mkdir -p "$logs"
names=() codes=() begun=() ended=()
pids=() tails=()
trap 'kill "${pids[@]}" 2>/dev/null; exit 130' INT TERM

# begin NAME COMMAND…: in the background; what ends a suite and what fails is shown as it comes.
begin() {
    local name=$1 log="$logs/$1.log"
    shift
    : >"$log"
    names+=("$name") begun+=("$(date +%s)")
    timeout -k 10 "$limit" "$@" >>"$log" 2>&1 &
    pids+=("$!")
    tail -n +1 -f --pid="$!" "$log" 2>/dev/null | sed -u -nE "/^(✔ Suite|✘|➜)|error:|Test run with/{s/^(.{300}).*/\1…/; s/^/$name: /p;}" &
    tails+=("$!")
}

# Waits for all that began since the last time.
finish() {
    local place
    for place in "${!pids[@]}"; do
        wait "${pids[$place]}"
        codes+=("$?") ended+=("$(date +%s)")
        wait "${tails[$place]}"
    done
    pids=() tails=()
}

# tested NAME STORE ARGUMENTS…: the tests' own program, since `swift test` keeps the build directory to itself and its output back.
tested() {
    local name=$1 store=$2
    shift 2
    begin "$name" env SWITCHBOARD_TEST_STORE="$store" "$program" --testing-library swift-testing "$@"
}

run() {
    case $1 in
        build) begin build swift build -j "${JOBS:-2}" --build-tests ;;
        units) tested units sqlite --skip EndToEnd --skip "$on_servers" ;;
        servers) tested servers sqlite --no-parallel --filter "$on_servers" --skip EndToEnd ;;
        units-postgresql) tested units-postgresql postgresql --filter "$with_store" --skip "$on_servers" ;;
        # Mostly waiting, so both at once: each has its own servers, ports and folders.
        end-to-end)
            for store in sqlite postgresql; do
                tested "end-to-end-$store" "$store" --no-parallel --filter EndToEnd --skip "$measuring"
            done
            ;;
        fairness)
            tested fairness-sqlite sqlite --no-parallel --filter "$measuring"
            finish
            tested fairness-postgresql postgresql --no-parallel --filter "$measuring"
            ;;
        crashes)
            for store in sqlite postgresql; do
                tested "crashes-$store" "$store" --no-parallel --filter "$deaths"
            done
            ;;
        nodes) tested nodes sqlite --no-parallel --filter 'EndToEnd\.(ClusterTests|ServerLossTests|StoresTests|BreakerTests)' ;;
        *)
            echo "there is no run named $1: build units servers units-postgresql end-to-end fairness crashes nodes" >&2
            exit 2
            ;;
    esac
    finish
}

# What a log says of failures: each issue with the beginning and the end of what was recorded with it.
issues() {
    awk -v most=12 -v head=6 -v tail=8 '
        function flush(  i) {
            if (!open) return
            for (i = 1; i <= count && i <= head; i++) print "    " lines[i]
            if (count > head + tail) print "    …"
            for (i = (count - tail > head ? count - tail + 1 : head + 1); i <= count; i++) print "    " lines[i]
            open = 0
        }
        /recorded an issue/ { flush(); if (++found <= most) { print "  " substr($0, 1, 400); open = 1; count = 0 }; next }
        /^(◇|✔|✘|➜|browser: )/ { flush(); next }
        open { lines[++count] = substr($0, 1, 300) }
        END { flush(); if (found > most) print "  … and " found - most " more issues" }
    ' "$1"
}

# Tests of a log that began and never ended.
under_way() {
    awk '
        /^◇ Test .* started\.$/ && !/^◇ Test (case|run)/ { name = $3; waiting[name] = 1 }
        /^(✔|✘|➜) Test / && / (passed|failed|skipped)/ { delete waiting[$3] }
        END { for (name in waiting) print "  under way: " name }
    ' "$1"
}

summary() {
    local place name log failed=()
    echo
    for place in "${!names[@]}"; do
        name=${names[$place]} log="$logs/${names[$place]}.log"
        # A filter that finds nothing is no success.
        if [ "${codes[$place]}" -eq 0 ] && [ "$name" != build ] && ! grep -qE 'Test run with [1-9][0-9]* tests? .*passed' "$log"; then
            codes[place]=1
            echo "$name ran no test" >>"$log"
        fi
        [ "${codes[$place]}" -eq 0 ] || failed+=("$place")
    done
    for place in ${failed[@]+"${failed[@]}"}; do
        name=${names[$place]} log="$logs/${names[$place]}.log"
        echo "== $name failed (exit ${codes[$place]}), the whole of it in $log"
        issues "$log"
        grep -E 'error:' "$log" | sort -u | cut -c1-300 | head -20
        if ! grep -q 'Test run with' "$log"; then
            under_way "$log"
            tail -n 25 "$log" | cut -c1-300
        fi
    done
    for place in "${!names[@]}"; do
        name=${names[$place]} log="$logs/${names[$place]}.log"
        printf '%-24s %5d s  %s\n' "$name" "$((ended[place] - begun[place]))" \
            "$([ "${codes[$place]}" -eq 0 ] && echo passed || echo "FAILED")"
        grep -oE '^✘ Test .* failed after' "$log" | grep -v 'Test run' | sed -E 's/^✘ Test (.*) failed after/    \1/' | sort -u
    done
    [ ${#failed[@]} -eq 0 ]
}

chosen=("$@")
[ $# -gt 0 ] || chosen=(build units servers units-postgresql end-to-end fairness)
for one in "${chosen[@]}"; do
    run "$one"
    # Without a program there is nothing to test.
    if [ "$one" = build ] && [ "${codes[0]}" -ne 0 ]; then break; fi
done
summary
