#!/usr/bin/env bash
# The official SDK, unmodified, against `rushes sim`.
set -eu
cd "$(dirname "$0")"
if [ ! -d node_modules/@runwayml/sdk ]; then
    npm ci --loglevel=error --no-audit --no-fund
fi
exec node --test --test-reporter=tap sdk/
