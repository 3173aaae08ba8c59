"""Handshapes: pictures of hands, distances, clusters, mining of examples, the network."""
