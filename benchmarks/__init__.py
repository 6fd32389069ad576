"""What is timed and measured: ``make bench``. Nothing here runs in the tests."""
