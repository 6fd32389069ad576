"""From pixels to upright grey pages, text lines and word boxes."""
