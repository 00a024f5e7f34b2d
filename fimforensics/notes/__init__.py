"""Notes on a case, in a file of their own: what people think of what they saw, never a byte in the case.

A notes file is only ever added to. `entry` is one thing somebody said and its hash, `book` the file, `told` what its entries come
to for each subject, `merge` how two people's files become one.
"""
