#!/bin/sh
# Lint and format checks of static/, with the pinned Node that `make check` puts on PATH.
cd "$(dirname "$0")/../.." || exit 1
bin=tests/node_modules
[ -d $bin/eslint ] || { echo "static/ is not checked: npm could not fetch the linters."; exit 0; }
failed=0
node $bin/eslint/bin/eslint.js --config tests/lint/eslint.config.mjs static/js || failed=1
node $bin/prettier/bin/prettier.cjs --config tests/lint/prettier.json --log-level warn --check \
  static/js tests/lint || failed=1
node $bin/typescript/bin/tsc --project tests/lint/tsconfig.json || failed=1
node $bin/stylelint/bin/stylelint.mjs --config tests/lint/stylelint.json "static/css/**/*.css" || failed=1
exit $failed
