"""The data set directory: reading, checking, splitting, importing, and the references that scores are made against."""
