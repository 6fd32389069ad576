"""What is timed and measured: ``make bench``. The tests run little of it."""
