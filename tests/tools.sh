#!/bin/sh
# What browser tests and drills need: Chromium, faketime, and from npm htmx, the editor and axe-core. As root on Debian it
# installs what is absent; elsewhere it says what to install, and those tests are skipped by name.
missing=""
command -v chromium >/dev/null 2>&1 || missing="$missing chromium fonts-dejavu-core fonts-noto-core"
command -v npm >/dev/null 2>&1 || missing="$missing npm"
command -v faketime >/dev/null 2>&1 || missing="$missing faketime"
if [ -n "$missing" ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing$missing ..."
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing \
      >/dev/null || echo "That failed; browser tests will be skipped."
  else
    echo "Browser tests are skipped until you install:$missing"
  fi
fi
if command -v npm >/dev/null 2>&1; then
  cmp -s tests/package-lock.json tests/node_modules/.installed-lock 2>/dev/null || {
    npm ci --prefix tests --silent --no-audit --no-fund --ignore-scripts && cp tests/package-lock.json tests/node_modules/.installed-lock
  } || echo "npm could not fetch htmx and axe-core; browser tests will be skipped."
fi
exit 0
