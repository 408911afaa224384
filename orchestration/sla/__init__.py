"""Service levels of a DISCOM (domain 3.3): its contract's targets and penalties as a file, and as rows beside what they are judged by.

What was achieved is worked out in dbt (report J06); here is only what was agreed.
"""
