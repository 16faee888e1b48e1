"""A static report of a data folder: a table of its clips, and a page of pictures for each."""
