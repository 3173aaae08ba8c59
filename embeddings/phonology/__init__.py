"""Sign phonology: handshape, location, movement and orientation as measurements on poses.

>>> from embeddings.phonology.signer_space import signer_space
>>> from embeddings.phonology.locations import locations
>>> space = signer_space(pose)           # the pose in the signer's own coordinates
>>> locations(space).names               # (T, 2) places of the left and the right hand
"""
