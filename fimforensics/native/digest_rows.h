/* Rows of a table in the bytes over which its digest goes; `evidence.digests.row` is its twin. */
#ifndef FIM_DIGEST_ROWS_H
#define FIM_DIGEST_ROWS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* digest_rows(rows) -> bytes; ValueError for a text that is no UTF-8, TypeError for what SQLite never gives. */
PyObject *digest_rows(PyObject *module, PyObject *rows);

#endif
