"""Reports that people build for themselves: over datasets of the dbt project, under the rights of who runs them."""
