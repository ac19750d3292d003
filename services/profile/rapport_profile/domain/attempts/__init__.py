"""What a customer went through with us to get one thing settled, over all channels.

`gather` turns events into contacts, `stitch` decides which contacts are one issue, `issue` says
how it stands and what the customer need not be asked again. All are functions of the set of a
person's events: in whatever order these arrived, the answer is the same.
"""
