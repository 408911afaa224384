"""What people and machines do with judged days: estimation, editing, exceptions, explanation. Imports no Dagster and no HTTP."""
