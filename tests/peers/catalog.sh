#!/usr/bin/env bash
# The catalogue against the official SDK's type declarations.
set -eu
cd "$(dirname "$0")"
if [ ! -d node_modules/@runwayml/sdk ]; then
    npm ci --loglevel=error --no-audit --no-fund
fi
node catalog-drift/drift.mjs
exec node --test --test-reporter=tap catalog-drift/
