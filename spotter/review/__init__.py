"""The review page and the search page: a small server on this machine, its API, its pages."""
