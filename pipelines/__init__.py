"""The Beam pipeline from scans to Parquet, and the command line."""
