"""The steps of the graph: thin Beam transforms around plain functions.

Every step that can fail has a second output, `failures.FAILURES`: an error costs a page or a word, never the run.
"""
