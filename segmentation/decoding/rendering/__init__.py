"""Pages of PDFs drawn by pdfium, in processes of their own: one that takes too long, or breaks, can be ended."""
