#!/usr/bin/env bash
# Tests tools/trim_build_cache with files of known ages.
set -euo pipefail
readonly TRIM=$TEST_SRCDIR/$TEST_WORKSPACE/tools/trim_build_cache
readonly CACHE=$TEST_TMPDIR/cache

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# file NAME LAST_WRITTEN LAST_READ: of 1 MiB.
file() {
  mkdir -p "$(dirname "$CACHE/$1")"
  head -c 1048576 /dev/zero >"$CACHE/$1"
  touch -m -d "$2" "$CACHE/$1"
  touch -a -d "$3" "$CACHE/$1"
}

file cas/aa/old 2020-01-01 2020-01-01
file cas/aa/older-but-read 2019-01-01 2023-01-01
file cas/bb/new 2022-01-01 2020-01-01
file ac/cc/newest 2024-01-01 2024-01-01

# 4 MiB fit.
"$TRIM" --folder "$CACHE" --most 0.004 --free 0 2>"$TEST_TMPDIR/said"
[[ ! -s $TEST_TMPDIR/said ]] || fail "something was said: $(cat "$TEST_TMPDIR/said")"
[[ $(find "$CACHE" -type f | wc -l) == 4 ]] || fail "deleted something within the bound"

# More than 3 MiB: what is left has at most three quarters of that.
"$TRIM" --folder "$CACHE" --most 0.00293 --free 0 2>"$TEST_TMPDIR/said"
[[ -e $CACHE/cas/aa/older-but-read && -e $CACHE/ac/cc/newest ]] || fail "deleted what was used last"
[[ ! -e $CACHE/cas/aa/old && ! -e $CACHE/cas/bb/new ]] || fail "kept what was used least recently"
grep -q "deleted .* GiB of $CACHE" "$TEST_TMPDIR/said" || fail "did not say what was deleted"

# A full disk is told, with what to do.
"$TRIM" --folder "$CACHE" --free 1000000000 2>"$TEST_TMPDIR/said"
grep -q "GiB are free on the disk of $CACHE.*delete" "$TEST_TMPDIR/said" || fail "no warning"

# The first run of all has no cache yet.
"$TRIM" --folder "$TEST_TMPDIR/none" --free 0
