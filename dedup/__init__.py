"""Find passages that stand more than once, in a page and across pages."""

__version__ = "0.1.0"
