/* The three hashes of a source as a type; `evidence.originals.Hashes` is its twin. */
#ifndef FIM_DIGESTS_H
#define FIM_DIGESTS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>

extern PyType_Spec digests_spec;

#endif
