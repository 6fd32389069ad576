"""Lines and words drawn with fonts, as training data: fonts and running texts in, pictures with their text out."""
