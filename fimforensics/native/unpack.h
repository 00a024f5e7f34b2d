/* Packed events become Python's tuples again. */
#ifndef FIM_UNPACK_H
#define FIM_UNPACK_H

#include "pack.h"

enum { EVENT_CELLS = 23 };

/* For each reference of an event what its local numbers are in the case. */
typedef struct {
    const int64_t *at[REFERENCES];
    size_t count[REFERENCES];
} Ids;

/* An event's 23 cells into a new tuple from `first` on, with the case's ids where they are told. */
bool event_cells(PyObject *tuple, Py_ssize_t first, const Packed *event, const char *texts[TEXTS], const Ids *ids,
                 PyObject *const flags[4]);

/* Appends an item, whose reference is given up; false where there is none. */
bool list_put(PyObject *list, PyObject *item);

/* Borrows the four texts of `rows.FLAGS`. */
bool flags_taken(PyObject *tuple, PyObject *flags[4]);

/* unpack(packed, first seq, flags) -> (events, keys, checks, places), as a batch has them. */
PyObject *unpack(PyObject *module, PyObject *args);

#endif
