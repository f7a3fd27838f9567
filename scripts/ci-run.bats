#!/usr/bin/env bats
# What CI's log ends with, on a copy of the script with an npm that only talks.

# shellcheck disable=SC2016 # the fake reads its own arguments
setup() {
  mkdir -p "$BATS_TEST_TMPDIR/.ci" "$BATS_TEST_TMPDIR/bin"
  cp "$BATS_TEST_DIRNAME/../.ci/run" "$BATS_TEST_TMPDIR/.ci/run"
  printf '#!/bin/sh\ncase $1 in test) . ./test.sh ;; *) . ./compose.sh ;; esac\n' >"$BATS_TEST_TMPDIR/bin/npm"
  chmod +x "$BATS_TEST_TMPDIR/bin/npm"
  PATH=$BATS_TEST_TMPDIR/bin:$PATH
  echo 'echo 5 passed, 0 failed' | tee "$BATS_TEST_TMPDIR/test.sh" >"$BATS_TEST_TMPDIR/compose.sh"
}

# part NAME TEXT CODE: what that part says, and how it ends.
part() {
  printf '%s\n' "$2" >"$BATS_TEST_TMPDIR/$1.txt"
  printf 'cat %s.txt; exit %s\n' "$1" "$3" >"$BATS_TEST_TMPDIR/$1.sh"
}

@test "all well: the sum is the last line and no failure is listed" {
  run "$BATS_TEST_TMPDIR/.ci/run"
  [ "$status" -eq 0 ]
  [ "${lines[-1]}" = '10 passed, 0 failed' ]
  [[ $output != *'==== failed'* ]]
}

@test "failures of both parts are named at the very end, above the sum" {
  part test $'noise\n== failed\n✗ a > b\n    Error: no\n4 passed, 1 failed' 1
  part compose $'✗ core is healthy\nnoise\n== failed\n✗ core is healthy\n    starting\n7 passed, 1 failed' 1
  run "$BATS_TEST_TMPDIR/.ci/run"
  [ "$status" -eq 1 ]
  [ "$(tail -n 7 <<<"$output")" = $'==== failed\n✗ a > b\n    Error: no\n✗ core is healthy\n    starting\n\n11 passed, 2 failed' ]
}

@test "a part that breaks off is named with what it said last" {
  part test $'3 passed, 0 failed\nthen nothing more' 137
  run "$BATS_TEST_TMPDIR/.ci/run"
  [ "$status" -eq 1 ]
  [[ $output == *$'✗ test ended with code 137\n    3 passed, 0 failed\n    then nothing more\n\n8 passed, 1 failed' ]]
}

@test "the last 60 lines name every failure, however long the messages are" {
  local text='== failed' number
  for number in {1..20}; do text+=$'\n'"✗ test $number"$'\n    one\n    two\n    three'; done
  part test "$text"$'\n1 passed, 20 failed' 1
  run "$BATS_TEST_TMPDIR/.ci/run"
  end=$(tail -n 60 <<<"$output" | sed -n '/^==== failed$/,$p')
  [ "$(grep -c '^✗ test ' <<<"$end")" -eq 20 ]
  [ "$(grep -c '^    one' <<<"$end")" -eq 20 ]
  [ "${lines[-1]}" = '6 passed, 20 failed' ]
}
