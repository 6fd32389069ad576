"""How well a recogniser reads: rates, errors, calibration, and pictures of them."""
