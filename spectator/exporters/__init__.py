"""Exports: one module per format. They read `queries` and pages, and never write to the site."""
