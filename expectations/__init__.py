"""The VEE rules: suites and overlays as data, and the runner that turns a suite into rows of vee.exception. Imports no Dagster."""
