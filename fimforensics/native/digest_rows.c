/* Rows of a table in the bytes over which its digest goes: each cell by its type, then its length where that can differ, then its
 * bytes. docs/case-format.md, Digests. First is looked how long it all is, then it is written. */
#include "digest_rows.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    char kind;
    uint64_t number;  /* of a number its bits, else how many bytes follow */
    const char *data;
} Told;

static bool cell_told(PyObject *value, Told *told) {
    Py_ssize_t size = 0;
    *told = (Told){'N', 0, NULL};
    if (value == Py_None)
        return true;
    if (PyUnicode_CheckExact(value)) {
        told->kind = 'T';
        told->data = PyUnicode_AsUTF8AndSize(value, &size);
    } else if (PyLong_CheckExact(value)) {
        told->kind = 'I';
        told->number = (uint64_t)PyLong_AsLongLong(value);
        return !PyErr_Occurred();
    } else if (PyBytes_CheckExact(value)) {
        told->kind = 'B';
        told->data = PyBytes_AS_STRING(value);
        size = PyBytes_GET_SIZE(value);
    } else if (PyByteArray_CheckExact(value)) {
        told->kind = 'T';
        told->data = PyByteArray_AS_STRING(value);
        size = PyByteArray_GET_SIZE(value);
    } else if (PyFloat_CheckExact(value)) {
        double real = PyFloat_AS_DOUBLE(value);
        told->kind = 'R';
        memcpy(&told->number, &real, sizeof told->number);
        return true;
    } else {
        PyErr_SetString(PyExc_TypeError, "SQLite gives no such cell");
        return false;
    }
    told->number = (uint64_t)size;
    return told->data != NULL;
}

static size_t told_size(const Told *told) {
    return told->kind == 'N' ? 1 : told->data ? 9 + (size_t)told->number : 9;
}

static char *told_write(const Told *told, char *at) {
    *at++ = told->kind;
    if (told->kind == 'N')
        return at;
    for (int by = 56; by >= 0; by -= 8)
        *at++ = (char)(told->number >> by);
    if (told->data) {
        memcpy(at, told->data, (size_t)told->number);
        at += told->number;
    }
    return at;
}

/* All cells: how many bytes they are, or (with `at`) written there; -1 with an exception. */
static Py_ssize_t rows_tell(PyObject *rows, char *at) {
    size_t size = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(rows); i++) {
        PyObject *row = PyList_GET_ITEM(rows, i);
        if (!PyTuple_CheckExact(row)) {
            PyErr_SetString(PyExc_TypeError, "rows are tuples");
            return -1;
        }
        for (Py_ssize_t j = 0; j < PyTuple_GET_SIZE(row); j++) {
            Told told;
            if (!cell_told(PyTuple_GET_ITEM(row, j), &told))
                return -1;
            size += told_size(&told);
            if (at)
                at = told_write(&told, at);
        }
    }
    return (Py_ssize_t)size;
}

PyObject *digest_rows(PyObject *module, PyObject *rows) {
    (void)module;
    if (!PyList_CheckExact(rows))
        return PyErr_Format(PyExc_TypeError, "a list of rows");
    Py_ssize_t size = rows_tell(rows, NULL);
    PyObject *found = size < 0 ? NULL : PyBytes_FromStringAndSize(NULL, size);
    if (found)
        rows_tell(rows, PyBytes_AS_STRING(found));
    return found;
}
