#!/usr/bin/env bash
# The crash test with sixty kill points: every kind of point several times.
# `make crash-test` takes 200, `make crash-test-full` all.
RUSHES_CRASH=$PWD/build/crash/rushes exec "$RUSHES" run tests/crash.lua \
    "${RUSHES_CRASH_POINTS:-60}"
