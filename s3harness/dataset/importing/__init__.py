"""Import of annotations: sources read into tables, and tables written as a data set by a mapping of their columns."""
