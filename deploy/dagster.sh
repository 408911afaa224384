#!/bin/sh
# Runs a Dagster process with the settings of orchestration.run (no telemetry, one run of a DISCOM at a time) in place.
set -eu
python -c 'from orchestration.run import dagster_home; dagster_home()'
exec "$@"
