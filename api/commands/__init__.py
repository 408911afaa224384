"""Commands to meters as operators ask for them: accepting, refusing, listing, taking back. Sending them is `ingestion.commands`."""
