"""Training data made of whole pages by the segmentation."""
