"""Recognisers for programs without Keras."""
