#!/bin/sh
# Install what checks, tests and drills need: Chromium, faketime, nginx, PostgreSQL and PgBouncer with apt-get,
# and the linters, htmx, the editor and axe-core with npm. Without root or apt-get, print which packages
# are missing; tests that need them are skipped. NODE is the folder of the pinned Node.
missing=""
command -v chromium >/dev/null 2>&1 || missing="$missing chromium fonts-dejavu-core fonts-noto-core"
# Chromium without windows: tests need half of the CPU time with it.
command -v chromium-headless-shell >/dev/null 2>&1 || missing="$missing chromium-headless-shell"
command -v faketime >/dev/null 2>&1 || missing="$missing faketime"
new_services=""
PATH="$PATH:/usr/sbin" command -v nginx >/dev/null 2>&1 || new_services="nginx"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || new_services="$new_services postgresql"
PATH="$PATH:/usr/sbin" command -v pgbouncer >/dev/null 2>&1 || new_services="$new_services pgbouncer"
missing="$missing $new_services"
[ -e /usr/share/nginx/modules/ngx_http_brotli_filter_module.so ] || missing="$missing libnginx-mod-http-brotli-filter"
install_missing() {
  # Tests start their own servers, so the packages must start none, now or at the next boot.
  policy=""
  [ -z "$new_services" ] || [ -e /usr/sbin/policy-rc.d ] || policy=/usr/sbin/policy-rc.d
  trap '[ -z "$policy" ] || rm -f "$policy"' EXIT
  trap 'exit 1' INT TERM
  [ -z "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"; }
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
  installed=$?
  [ -z "$new_services" ] || ! command -v systemctl >/dev/null 2>&1 || systemctl --quiet disable $new_services >/dev/null 2>&1
  return $installed
}
missing=$(echo $missing)
if [ -n "$missing" ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing $missing ..."
    install_missing || echo "The installation failed; tests that need these packages will be skipped."
  else
    echo "Some tests are skipped until you install: $missing"
  fi
fi
# The Python package of Node has no bin/npm.
npm() { PATH="$NODE/bin:$PATH" node "$NODE/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
cmp -s tests/package-lock.json tests/node_modules/.installed-lock 2>/dev/null || {
  npm ci --prefix tests --silent --no-audit --no-fund --ignore-scripts &&
    cp tests/package-lock.json tests/node_modules/.installed-lock
} || echo "npm could not fetch htmx, axe-core and the linters; checks and tests that need them will be skipped."
exit 0
