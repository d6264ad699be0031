"""The catalogue of checks. It never imports ``runner``: checks judge what they are handed."""
