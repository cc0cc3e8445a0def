"""The documentation as a site: the pages of the project, and reference pages that are made from the code."""
