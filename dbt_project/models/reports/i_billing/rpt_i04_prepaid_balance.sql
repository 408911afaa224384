{{ unfed_report() }}
