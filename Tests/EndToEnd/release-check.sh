#!/usr/bin/env bash
# The release program must not hold the names of crash points: there, nobody can make the gateway kill itself.
set -euo pipefail
cd "$(dirname "$0")/../.."
binary="${1:-.build/release/switchboard}"
source=Sources/Conversation/CrashPoint.swift

[ -x "$binary" ] || { echo "$binary is missing; build it first: swift build -c release --product switchboard" >&2; exit 1; }
names=$(grep -oE 'case \.[A-Za-z]+: "[a-z-]+"' "$source" | sed -E 's/.*"([a-z-]+)"/\1/')
count=$(grep -c . <<<"$names")
# A change of form in the source must not make this check look for nothing.
cases=$(sed -n '/package enum CrashPoint/,/package func pass/p' "$source" | grep -E '^ *case ' | tr ',' '\n' | grep -c .)
[ "$count" -eq "$cases" ] || { echo "$count names for $cases crash points were read from $source" >&2; exit 1; }

# The names are looked for in the bytes of the program, and so is something that must be there, to prove that looking works.
found=0
has() { grep -qaF -- "$1" "$binary"; }
has "SWITCHBOARD_OPERATOR_KEY" || has "readyz" || { echo "$binary does not look like the gateway" >&2; exit 1; }
for name in SWITCHBOARD_CRASH_AT SWITCHBOARD_CRASH_ON_TEXT $names; do
    if has "$name"; then
        echo "$binary holds \"$name\"" >&2
        found=1
    fi
done
[ "$found" -eq 0 ] || exit 1
echo "none of the $count crash points is in $binary"
