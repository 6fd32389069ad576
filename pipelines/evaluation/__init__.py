"""Whole pages against their ground truth, and Tesseract beside them."""
