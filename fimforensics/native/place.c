/* The twin of `store.Writer` for a case's first snapshot: there every record is a new event, the n-th of its key.
 *
 * What it has to know is how often a key was told in this portion, and of keys that the filter has seen in an earlier one, what
 * the case has; that it asks from Python.
 */
#include "place.h"

#include <structmember.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    uint8_t key[32];
    uint64_t check;  /* of the first record's row */
    uint32_t told;
    bool alike;  /* are all records of the key alike? */
} Told;

typedef struct {
    int64_t prefix, number, ordinal, check;
} NewKey;

typedef struct {
    PyObject_HEAD
    PyObject *flags;
    PyObject *load;  /* borrowed while a call lasts: kept, the writer and this would keep each other alive */
    Py_buffer filter;
    PyObject *flag_texts[4];
    Told *told;
    size_t told_count, told_room;
    uint32_t *slots;  /* numbers of `told`, plus one */
    size_t width;
    NewKey *keys;
    size_t key_count, key_room;
    int64_t *unsettled;
    size_t unsettled_count, unsettled_room;
    int64_t next;
} Placer;

/* Room for one more of `size` bytes. */
static bool grown(void **at, size_t count, size_t *room, size_t size) {
    if (count < *room)
        return true;
    size_t wider = 2 * *room + 1024;
    void *moved = realloc(*at, wider * size);
    if (!moved) {
        PyErr_NoMemory();
        return false;
    }
    *at = moved;
    *room = wider;
    return true;
}

static int64_t eight(const uint8_t *at) {
    uint64_t number = 0;
    for (int i = 0; i < 8; i++)
        number = number << 8 | at[i];
    return (int64_t)number;
}

static uint32_t *slot_of(Placer *placer, const uint8_t key[32]) {
    size_t at = bytes_hash((const char *)key, 32) & (placer->width - 1);
    while (placer->slots[at] && memcmp(placer->told[placer->slots[at] - 1].key, key, 32))
        at = (at + 1) & (placer->width - 1);
    return &placer->slots[at];
}

static bool slots_widen(Placer *placer) {
    if (2 * placer->told_count < placer->width)
        return true;
    free(placer->slots);
    placer->width = placer->width ? 2 * placer->width : 1 << 14;
    placer->slots = calloc(placer->width, sizeof *placer->slots);
    if (!placer->slots) {
        placer->width = placer->told_count = 0;
        PyErr_NoMemory();
        return false;
    }
    for (size_t i = 0; i < placer->told_count; i++)
        *slot_of(placer, placer->told[i].key) = (uint32_t)i + 1;
    return true;
}

/* What the case has of a key that came in an earlier portion, from Python: (how often, check of the first, all alike?). */
static bool ask(Placer *placer, Told *told) {
    const char *check;
    Py_ssize_t size;
    unsigned count;
    int alike;
    PyObject *answer = PyObject_CallFunction(placer->load, "y#L", told->key, (Py_ssize_t)32, (long long)eight(told->key));
    bool well = answer && PyArg_ParseTuple(answer, "Iy#p", &count, &check, &size, &alike);
    if (well && count) {
        well = size == 8;
        if (!well)
            PyErr_SetString(PyExc_ValueError, "a check has 8 bytes");
        told->told = count;
        told->alike = alike;
        if (well)
            memcpy(&told->check, check, 8);
    }
    Py_XDECREF(answer);
    return well;
}

/* What is known of a key, which is told here for the first time in this portion. */
static Told *told_new(Placer *placer, const uint8_t key[32], uint64_t check) {
    uint8_t *seen = (uint8_t *)placer->filter.buf + ((uint64_t)eight(key) & (uint64_t)(placer->filter.len - 1));
    Told told = {.check = check, .alike = true};
    memcpy(told.key, key, 32);
    if (*seen && !ask(placer, &told))
        return NULL;
    *seen = 1;
    if (!grown((void **)&placer->told, placer->told_count, &placer->told_room, sizeof told) || !slots_widen(placer))
        return NULL;
    placer->told[placer->told_count] = told;
    *slot_of(placer, key) = (uint32_t)placer->told_count + 1;
    return &placer->told[placer->told_count++];
}

/* The next event of a key: its number is `placer->next` before the call; its ordinal, or -1 with an exception. */
static int64_t place(Placer *placer, const uint8_t key[32], const uint8_t check_bytes[8]) {
    uint64_t check;
    memcpy(&check, check_bytes, 8);
    uint32_t at = placer->width ? *slot_of(placer, key) : 0;
    Told *told = at ? &placer->told[at - 1] : told_new(placer, key, check);
    if (!told || !grown((void **)&placer->keys, placer->key_count, &placer->key_room, sizeof *placer->keys)
        || !grown((void **)&placer->unsettled, placer->unsettled_count, &placer->unsettled_room, sizeof *placer->unsettled))
        return -1;
    if (told->told && (!told->alike || told->check != check))
        placer->unsettled[placer->unsettled_count++] = eight(key);
    told->alike = told->alike && told->check == check;
    placer->keys[placer->key_count++] = (NewKey){eight(key), placer->next++, told->told, eight(check_bytes)};
    return told->told++;
}

static PyObject *placer_place(PyObject *self, PyObject *args) {
    Placer *placer = (Placer *)self;
    const uint8_t *key, *check;
    Py_ssize_t key_size, check_size;
    if (!PyArg_ParseTuple(args, "y#y#O", &key, &key_size, &check, &check_size, &placer->load))
        return NULL;
    if (key_size != 32 || check_size != 8 || !placer->flags) {
        PyErr_SetString(PyExc_ValueError, "a key has 32 bytes and a check 8");
        return NULL;
    }
    long long number = placer->next;
    int64_t ordinal = place(placer, key, check);
    return ordinal < 0 ? NULL : Py_BuildValue("(LL)", number, (long long)ordinal);
}

/* One packed event as rows for `events` and `occurrences`. */
static bool rows_of(Placer *placer, const Packed *event, const char *texts[5], const Ids *ids, unsigned long long seq,
                    unsigned long long snapshot, unsigned long long member, PyObject *placed, PyObject *occurred) {
    long long number = placer->next;
    int64_t ordinal = place(placer, event->key, event->check);
    if (ordinal < 0)
        return false;
    PyObject *row = PyTuple_New(EVENT_CELLS + 3);
    if (!row)
        return false;
    PyTuple_SET_ITEM(row, 0, PyLong_FromLongLong(number));
    if (!event_cells(row, 1, event, texts, ids, placer->flag_texts)) {
        Py_DECREF(row);
        return false;
    }
    PyTuple_SET_ITEM(row, EVENT_CELLS + 1, PyBytes_FromStringAndSize((const char *)event->key, 32));
    PyTuple_SET_ITEM(row, EVENT_CELLS + 2, PyLong_FromLongLong(ordinal));
    if (!PyTuple_GET_ITEM(row, 0) || !PyTuple_GET_ITEM(row, EVENT_CELLS + 1) || !PyTuple_GET_ITEM(row, EVENT_CELLS + 2)) {
        Py_DECREF(row);
        return false;
    }
    return list_put(placed, row)
        && list_put(occurred, Py_BuildValue("(KLKKKIO)", seq, number, snapshot, member, (unsigned long long)event->offset,
                                            (unsigned)event->length, Py_None));
}

/* The buffers of 13 arrays of 64-bit numbers; how many could be taken. */
static int ids_open(PyObject *arrays, Py_buffer buffers[REFERENCES], Ids *ids) {
    if (!PyTuple_Check(arrays) || PyTuple_GET_SIZE(arrays) != REFERENCES) {
        PyErr_SetString(PyExc_ValueError, "an event has 13 references");
        return 0;
    }
    for (int i = 0; i < REFERENCES; i++) {
        if (PyObject_GetBuffer(PyTuple_GET_ITEM(arrays, i), &buffers[i], PyBUF_SIMPLE) < 0)
            return i;
        ids->at[i] = buffers[i].buf;
        ids->count[i] = (size_t)buffers[i].len / sizeof(int64_t);
    }
    return REFERENCES;
}

static PyObject *placer_rows(PyObject *self, PyObject *args) {
    Placer *placer = (Placer *)self;
    const char *at, *end, *texts[5];
    Py_ssize_t size;
    unsigned long long seq, snapshot, member;
    PyObject *arrays, *placed, *occurred;
    Py_buffer buffers[REFERENCES];
    Ids ids;
    if (!PyArg_ParseTuple(args, "y#KKKOOO!O!", &at, &size, &seq, &snapshot, &member, &placer->load, &arrays, &PyList_Type, &placed,
                          &PyList_Type, &occurred))
        return NULL;
    int opened = placer->flags ? ids_open(arrays, buffers, &ids) : 0;
    bool well = opened == REFERENCES;
    for (end = at + size; well && at < end; seq++) {
        const Packed *event = packed_next(&at, end, texts);
        well = event && rows_of(placer, event, texts, &ids, seq, snapshot, member, placed, occurred);
    }
    while (opened--)
        PyBuffer_Release(&buffers[opened]);
    if (!well && !PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "half an event");
    return well ? Py_NewRef(Py_None) : NULL;
}

static int by_prefix(const void *one, const void *other) {
    const NewKey *a = one, *b = other;
    return a->prefix != b->prefix ? (a->prefix < b->prefix ? -1 : 1) : (a->number > b->number) - (a->number < b->number);
}

static PyObject *placer_take(PyObject *self, PyObject *args) {
    Placer *placer = (Placer *)self;
    PyObject *keys = PyList_New((Py_ssize_t)placer->key_count), *unsettled = PySet_New(NULL);
    bool well = keys && unsettled;
    (void)args;
    if (placer->key_count)
        qsort(placer->keys, placer->key_count, sizeof *placer->keys, by_prefix);
    for (size_t i = 0; i < placer->key_count && well; i++) {
        const NewKey *key = &placer->keys[i];
        PyObject *row = Py_BuildValue("(LLLL)", (long long)key->prefix, (long long)key->number, (long long)key->ordinal,
                                      (long long)key->check);
        well = row;
        PyList_SET_ITEM(keys, (Py_ssize_t)i, row);
    }
    for (size_t i = 0; i < placer->unsettled_count && well; i++) {
        PyObject *prefix = PyLong_FromLongLong(placer->unsettled[i]);
        well = prefix && PySet_Add(unsettled, prefix) == 0;
        Py_XDECREF(prefix);
    }
    if (!well) {
        Py_XDECREF(keys);
        Py_XDECREF(unsettled);
        return NULL;
    }
    placer->key_count = placer->unsettled_count = placer->told_count = 0;
    if (placer->width)
        memset(placer->slots, 0, placer->width * sizeof *placer->slots);
    return Py_BuildValue("(NN)", keys, unsettled);
}

static int placer_init(PyObject *self, PyObject *args, PyObject *named) {
    static char *names[] = {"filter", "next", "flags", NULL};
    Placer *placer = (Placer *)self;
    PyObject *filter, *flags;
    long long next;
    if (placer->flags || !PyArg_ParseTupleAndKeywords(args, named, "OLO", names, &filter, &next, &flags)
        || !flags_taken(flags, placer->flag_texts) || PyObject_GetBuffer(filter, &placer->filter, PyBUF_WRITABLE) < 0)
        return -1;
    if (placer->filter.len < 1 || placer->filter.len & (placer->filter.len - 1)) {
        PyErr_SetString(PyExc_ValueError, "the filter's size is a power of two");
        return -1;
    }
    placer->flags = Py_NewRef(flags);
    placer->next = next;
    return 0;
}

static void placer_dealloc(PyObject *self) {
    Placer *placer = (Placer *)self;
    PyTypeObject *type = Py_TYPE(self);
    free(placer->told);
    free(placer->slots);
    free(placer->keys);
    free(placer->unsettled);
    PyBuffer_Release(&placer->filter);
    Py_XDECREF(placer->flags);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef members[] = {
    {"next", T_LONGLONG, offsetof(Placer, next), READONLY, "the number of the next event"}, {NULL, 0, 0, 0, NULL}};

static PyMethodDef methods[] = {
    {"place", placer_place, METH_VARARGS, "place(key, check, load) -> (number, ordinal) of a new event"},
    {"rows", placer_rows, METH_VARARGS,
     "rows(packed, seq, snapshot, member, load, ids, placed, occurred)\n\nAdds the rows of packed events to the two lists."},
    {"take", placer_take, METH_NOARGS, "take() -> (rows for event_keys in order, prefixes that are not settled); all is forgotten"},
    {NULL, NULL, 0, NULL}};

static PyType_Slot placer_slots[] = {
    {Py_tp_doc, "Places for the events of a case's first snapshot."}, {Py_tp_new, PyType_GenericNew}, {Py_tp_init, placer_init},
    {Py_tp_dealloc, placer_dealloc}, {Py_tp_methods, methods}, {Py_tp_members, members}, {0, NULL}};

PyType_Spec placer_spec = {"fimforensics.native._native.Placer", sizeof(Placer), 0, Py_TPFLAGS_DEFAULT, placer_slots};
