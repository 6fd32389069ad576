"""The training job: samples in, a model bundle out."""
