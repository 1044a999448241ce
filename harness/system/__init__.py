"""What the machine offers: deadlines, private folders, locks, data files, resource exhaustion."""
