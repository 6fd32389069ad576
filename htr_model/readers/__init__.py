"""Readers of the layouts in which people keep pictures of writing with their text, a module a layout.

None follows a path out of the data set: names of pictures that a file holds are looked up in its own folders.
"""
