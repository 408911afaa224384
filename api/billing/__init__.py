"""Bills and receipts that a billing system delivers. Each row is stored or refused by itself; the same row again changes nothing."""
