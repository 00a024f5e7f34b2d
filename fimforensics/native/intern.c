/* The twin of `interner.Interner` for a case that had no entities: which ones came before is known without asking the case.
 *
 * Of each entity 96 bits of a SHA-256 are kept that begins with a secret of this run: nobody can make two that fall together, and by
 * chance two of a hundred million do so once in 10^13 cases. Of a label, which is no part of what an entity is, 64 bits tell
 * whether it is the one that was seen last; the case is asked where it is not.
 */
#include "intern.h"
#include "lane.h"

#include <stdlib.h>
#include <string.h>

enum { SECRET = 32, MOST_COLUMNS = 32, NARROWEST = 1 << 10 };

typedef struct {
    uint64_t first, label;
    uint32_t second, id;  /* 0 where there is none */
} Entity;

typedef struct {
    PyObject_HEAD
    Entity *entities;
    size_t count, width;  /* a power of two */
    uint8_t secret[SECRET];
    Buffer told;  /* an entity's cells as bytes */
} Seen;

static Entity *entity_at(const Seen *seen, uint64_t first, uint32_t second) {
    size_t at = (size_t)first & (seen->width - 1);
    while (seen->entities[at].id && (seen->entities[at].first != first || seen->entities[at].second != second))
        at = (at + 1) & (seen->width - 1);
    return &seen->entities[at];
}

/* Room for one more; four fifths are used at the most. */
static bool widened(Seen *seen) {
    if (5 * (seen->count + 1) <= 4 * seen->width)
        return true;
    Entity *old = seen->entities, *wider = calloc(2 * seen->width, sizeof *wider);
    if (!wider) {
        PyErr_NoMemory();
        return false;
    }
    size_t before = seen->width;
    seen->entities = wider;
    seen->width *= 2;
    for (size_t i = 0; i < before; i++)
        if (old[i].id)
            *entity_at(seen, old[i].first, old[i].second) = old[i];
    free(old);
    return true;
}

/* A cell as bytes that no other cell has: its kind, its length, itself. */
static bool put_cell(Buffer *told, PyObject *cell) {
    if (cell == Py_None)
        return PUT(told, "n");
    if (PyLong_Check(cell)) {  /* as for SQLite, true is 1 */
        long long number = PyLong_AsLongLong(cell);
        return !(number == -1 && PyErr_Occurred()) && PUT(told, "i") && put(told, (const char *)&number, sizeof number);
    }
    Py_ssize_t size;
    const char *text = PyUnicode_AsUTF8AndSize(cell, &size);  /* TypeError: an entity has whole numbers and texts, nothing else */
    if (!text)
        return false;
    uint64_t length = (uint64_t)size;
    return PUT(told, "t") && put(told, (const char *)&length, sizeof length) && put(told, text, (size_t)size);
}

/* The bytes begin with the secret and the kind. */
static bool begin(Seen *seen, unsigned kind) {
    char told = (char)kind;
    seen->told.size = 0;
    return put(&seen->told, (const char *)seen->secret, SECRET) && put(&seen->told, &told, 1);
}

static void digest(const Seen *seen, uint64_t *first, uint32_t *second) {
    uint8_t found[32];
    sha_end(SHA_START, 0, (const uint8_t *)seen->told.at, seen->told.size, found);
    memcpy(first, found, sizeof *first);
    memcpy(second, found + sizeof *first, sizeof *second);
}

typedef struct {
    unsigned kind;
    long long following;
    int label;  /* a column, or -1 */
    int keys[MOST_COLUMNS];
    int key_count;  /* 0: all columns */
    PyObject *references;  /* of each column the array of ids that it refers to, or None */
    Py_buffer buffers[MOST_COLUMNS];
    int columns;
    PyObject *added, *labelled;
} Taking;

/* A cell as the case has it: a reference becomes an id. A new reference, or NULL. */
static PyObject *resolved(const Taking *now, PyObject *cell, int column) {
    const Py_buffer *ids = &now->buffers[column];
    if (!ids->obj || cell == Py_None)
        return Py_NewRef(cell);
    size_t number = PyLong_AsSize_t(cell);
    if (number == (size_t)-1 && PyErr_Occurred())
        return NULL;
    if (number >= (size_t)ids->len / sizeof(int64_t)) {
        PyErr_SetString(PyExc_IndexError, "a reference to an entity that was not told");
        return NULL;
    }
    return PyLong_FromLongLong(((const int64_t *)ids->buf)[number]);
}

/* The row with ids for references and `following` in front. */
static PyObject *row_of(const Taking *now, PyObject *told) {
    if (!PyTuple_Check(told) || PyTuple_GET_SIZE(told) != now->columns) {
        PyErr_SetString(PyExc_ValueError, "not as many cells as the kind has columns");
        return NULL;
    }
    PyObject *row = PyTuple_New(now->columns + 1), *number = row ? PyLong_FromLongLong(now->following) : NULL;
    bool well = number != NULL;
    if (row)
        PyTuple_SET_ITEM(row, 0, number);
    for (int i = 0; well && i < now->columns; i++) {
        PyObject *cell = resolved(now, PyTuple_GET_ITEM(told, i), i);
        well = cell != NULL;
        PyTuple_SET_ITEM(row, i + 1, cell);
    }
    if (!well)
        Py_CLEAR(row);
    return row;
}

static bool hash_of(Seen *seen, const Taking *now, PyObject *row, uint64_t *first, uint32_t *second) {
    bool well = begin(seen, now->kind);
    int count = now->key_count ? now->key_count : now->columns;
    for (int i = 0; well && i < count; i++)
        well = put_cell(&seen->told, PyTuple_GET_ITEM(row, (now->key_count ? now->keys[i] : i) + 1));
    if (well)
        digest(seen, first, second);
    return well;
}

static bool label_of(Seen *seen, const Taking *now, PyObject *row, uint64_t *label) {
    uint32_t ignored;
    *label = 0;
    if (now->label < 0)
        return true;
    if (!begin(seen, 0xff) || !put_cell(&seen->told, PyTuple_GET_ITEM(row, now->label + 1)))
        return false;
    digest(seen, label, &ignored);
    return true;
}

/* One entity: its id, or -1 with an exception. New ones go into `added`, others under another label into `labelled`. */
static int64_t take_one(Seen *seen, Taking *now, PyObject *told) {
    uint64_t first, label;
    uint32_t second;
    int64_t id = -1;
    PyObject *row = row_of(now, told);
    if (!row || !hash_of(seen, now, row, &first, &second) || !label_of(seen, now, row, &label) || !widened(seen))
        goto done;
    Entity *found = entity_at(seen, first, second);
    if (!found->id) {
        if (PyList_Append(now->added, row) < 0)
            goto done;
        *found = (Entity){first, label, second, (uint32_t)now->following++};
        seen->count++;
    } else if (found->label != label) {
        PyObject *pair = Py_BuildValue("(IO)", (unsigned)found->id, PyTuple_GET_ITEM(row, now->label + 1));
        int put_in = pair ? PyList_Append(now->labelled, pair) : -1;
        Py_XDECREF(pair);
        if (put_in < 0)
            goto done;
        found->label = label;
    }
    id = found->id;
done:
    Py_XDECREF(row);
    return id;
}

static bool keys_open(Taking *now, PyObject *keys) {
    now->key_count = (int)PyTuple_GET_SIZE(keys);
    for (int i = 0; i < now->key_count && i < MOST_COLUMNS; i++) {
        long at = PyLong_AsLong(PyTuple_GET_ITEM(keys, i));
        if (at < 0 || at >= now->columns) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_ValueError, "a column that the kind does not have");
            return false;
        }
        now->keys[i] = (int)at;
    }
    if (now->key_count > MOST_COLUMNS || now->label >= now->columns)
        PyErr_SetString(PyExc_ValueError, "more columns than a kind has");
    return !PyErr_Occurred();
}

static bool references_open(Taking *now) {
    if (PyTuple_GET_SIZE(now->references) > MOST_COLUMNS) {
        PyErr_SetString(PyExc_ValueError, "more columns than a kind has");
        return false;
    }
    now->columns = (int)PyTuple_GET_SIZE(now->references);
    for (int i = 0; i < now->columns; i++) {
        PyObject *array = PyTuple_GET_ITEM(now->references, i);
        if (array != Py_None && PyObject_GetBuffer(array, &now->buffers[i], PyBUF_SIMPLE) < 0)
            return false;
    }
    return true;
}

static PyObject *seen_take(PyObject *self, PyObject *args) {
    Seen *seen = (Seen *)self;
    Taking now = {.columns = 0};
    PyObject *rows, *keys, *ids = NULL, *answer = NULL;
    if (!PyArg_ParseTuple(args, "IO!O!O!iL", &now.kind, &PyList_Type, &rows, &PyTuple_Type, &now.references, &PyTuple_Type, &keys,
                          &now.label, &now.following))
        return NULL;
    now.added = PyList_New(0);
    now.labelled = PyList_New(0);
    Py_ssize_t count = PyList_GET_SIZE(rows);
    ids = PyBytes_FromStringAndSize(NULL, count * (Py_ssize_t)sizeof(int64_t));
    bool well = seen->entities && now.added && now.labelled && ids && now.following > 0 && references_open(&now) && keys_open(&now, keys);
    if (well && now.following + count > UINT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "more entities than are numbered here");
        well = false;
    }
    for (Py_ssize_t i = 0; well && i < count && i < PyList_GET_SIZE(rows); i++) {
        int64_t id = take_one(seen, &now, PyList_GET_ITEM(rows, i));
        well = id > 0;
        memcpy(PyBytes_AS_STRING(ids) + i * (Py_ssize_t)sizeof id, &id, sizeof id);
    }
    for (int i = 0; i < MOST_COLUMNS; i++)
        if (now.buffers[i].obj)
            PyBuffer_Release(&now.buffers[i]);
    if (well)
        answer = Py_BuildValue("(OOOL)", ids, now.added, now.labelled, now.following);
    else if (!PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "nothing can be taken so");
    Py_XDECREF(ids);
    Py_XDECREF(now.added);
    Py_XDECREF(now.labelled);
    return answer;
}

static int seen_init(PyObject *self, PyObject *args, PyObject *named) {
    static char *names[] = {"secret", NULL};
    Seen *seen = (Seen *)self;
    const char *secret;
    Py_ssize_t size;
    if (seen->entities || !PyArg_ParseTupleAndKeywords(args, named, "y#", names, &secret, &size))
        return -1;
    if (size != SECRET) {
        PyErr_SetString(PyExc_ValueError, "a secret has 32 bytes");
        return -1;
    }
    memcpy(seen->secret, secret, SECRET);
    seen->entities = calloc(NARROWEST, sizeof *seen->entities);
    seen->width = NARROWEST;
    return seen->entities ? 0 : (PyErr_NoMemory(), -1);
}

static void seen_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    free(((Seen *)self)->entities);
    free(((Seen *)self)->told.at);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"take", seen_take, METH_VARARGS,
     "take(kind, rows, references, keys, label, following) -> (ids as 64-bit numbers, new rows, [(id, label)], following)\n\n"
     "`references` has for each column the array of the ids that it refers to, or None; `keys` are the columns that tell two\n"
     "entities apart (none: all of them), `label` is one of the others or -1."},
    {NULL, NULL, 0, NULL}};

static PyType_Slot seen_slots[] = {
    {Py_tp_doc, "The entities that a case has, where it began with none."}, {Py_tp_new, PyType_GenericNew}, {Py_tp_init, seen_init},
    {Py_tp_dealloc, seen_dealloc}, {Py_tp_methods, methods}, {0, NULL}};

PyType_Spec seen_spec = {"fimforensics.native._native.Seen", sizeof(Seen), 0, Py_TPFLAGS_DEFAULT, seen_slots};
