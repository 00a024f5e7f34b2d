/* The twin of `store.Writer` for a case's first snapshot: there every record is a new event, the n-th of its key, unless one of
 * its key had the same id: then the service sent it twice.
 */
#include "place.h"
#include "portion.h"

#include <structmember.h>
#include <stddef.h>

typedef struct {
    PyObject_HEAD
    PyObject *flags;
    PyObject *flag_texts[4];
    Portion portion;
} Placer;

static PyObject *placer_place(PyObject *self, PyObject *args) {
    Placer *placer = (Placer *)self;
    const uint8_t *key, *check;
    Span item = {NULL, 0};
    Py_ssize_t key_size, check_size, item_size;
    Place found;
    if (!PyArg_ParseTuple(args, "y#y#z#O", &key, &key_size, &check, &check_size, &item.at, &item_size, &placer->portion.load))
        return NULL;
    if (key_size != 32 || check_size != 8 || !placer->flags) {
        PyErr_SetString(PyExc_ValueError, "a key has 32 bytes and a check 8");
        return NULL;
    }
    item.size = (size_t)item_size;
    if (!portion_place(&placer->portion, key, check, item, &found))
        return NULL;
    return Py_BuildValue("(LLO)", (long long)found.number, (long long)found.ordinal, found.fresh ? Py_True : Py_False);
}

static bool occurred_put(PyObject *occurred, const Packed *event, const char *item, unsigned long long seq, int64_t number,
                         unsigned long long snapshot, unsigned long long member) {
    return list_put(occurred, Py_BuildValue("(KLKKKIz#)", seq, (long long)number, snapshot, member, (unsigned long long)event->offset,
                                            (unsigned)event->length, event->texts[5] ? item : NULL, (Py_ssize_t)event->texts[5]));
}

/* One packed event as rows for `events`, where it is a new one, and `occurrences`. */
static bool rows_of(Placer *placer, const Packed *event, const char *texts[TEXTS], const Ids *ids, unsigned long long seq,
                    unsigned long long snapshot, unsigned long long member, PyObject *placed, PyObject *occurred) {
    Place found;
    if (!portion_place(&placer->portion, event->key, event->check, (Span){texts[5], event->texts[5]}, &found))
        return false;
    if (!found.fresh)
        return occurred_put(occurred, event, texts[5], seq, found.number, snapshot, member);
    PyObject *row = PyTuple_New(EVENT_CELLS + 3);
    if (!row)
        return false;
    PyTuple_SET_ITEM(row, 0, PyLong_FromLongLong(found.number));
    if (!event_cells(row, 1, event, texts, ids, placer->flag_texts)) {
        Py_DECREF(row);
        return false;
    }
    PyTuple_SET_ITEM(row, EVENT_CELLS + 1, PyBytes_FromStringAndSize((const char *)event->key, 32));
    PyTuple_SET_ITEM(row, EVENT_CELLS + 2, PyLong_FromLongLong(found.ordinal));
    if (!PyTuple_GET_ITEM(row, 0) || !PyTuple_GET_ITEM(row, EVENT_CELLS + 1) || !PyTuple_GET_ITEM(row, EVENT_CELLS + 2)) {
        Py_DECREF(row);
        return false;
    }
    return list_put(placed, row) && occurred_put(occurred, event, texts[5], seq, found.number, snapshot, member);
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
    const char *at, *end, *texts[TEXTS];
    Py_ssize_t size;
    unsigned long long seq, snapshot, member;
    PyObject *arrays, *placed, *occurred;
    Py_buffer buffers[REFERENCES];
    Ids ids;
    if (!PyArg_ParseTuple(args, "y#KKKOOO!O!", &at, &size, &seq, &snapshot, &member, &placer->portion.load, &arrays, &PyList_Type, &placed,
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

static PyObject *placer_take(PyObject *self, PyObject *args) {
    (void)args;
    return portion_take(&((Placer *)self)->portion);
}

static int placer_init(PyObject *self, PyObject *args, PyObject *named) {
    static char *names[] = {"filter", "next", "flags", NULL};
    Placer *placer = (Placer *)self;
    PyObject *filter, *flags;
    long long next;
    if (placer->flags || !PyArg_ParseTupleAndKeywords(args, named, "OLO", names, &filter, &next, &flags)
        || !flags_taken(flags, placer->flag_texts) || PyObject_GetBuffer(filter, &placer->portion.filter, PyBUF_WRITABLE) < 0)
        return -1;
    if (placer->portion.filter.len < 1 || placer->portion.filter.len & (placer->portion.filter.len - 1)) {
        PyErr_SetString(PyExc_ValueError, "the filter's size is a power of two");
        return -1;
    }
    placer->flags = Py_NewRef(flags);
    placer->portion.next = next;
    return 0;
}

static void placer_dealloc(PyObject *self) {
    Placer *placer = (Placer *)self;
    PyTypeObject *type = Py_TYPE(self);
    portion_close(&placer->portion);
    Py_XDECREF(placer->flags);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef members[] = {
    {"next", T_LONGLONG, offsetof(Placer, portion.next), READONLY, "the number of the next event"},
    {"items", T_BOOL, offsetof(Placer, portion.items), READONLY, "whether any record had an id"}, {NULL, 0, 0, 0, NULL}};

static PyMethodDef methods[] = {
    {"place", placer_place, METH_VARARGS, "place(key, check, item, load) -> (number, ordinal, new?)"},
    {"rows", placer_rows, METH_VARARGS,
     "rows(packed, seq, snapshot, member, load, ids, placed, occurred)\n\nAdds the rows of packed events to the two lists."},
    {"take", placer_take, METH_NOARGS, "take() -> (rows for event_keys in order, prefixes that are not settled); all is forgotten"},
    {NULL, NULL, 0, NULL}};

static PyType_Slot placer_slots[] = {
    {Py_tp_doc, "Places for the events of a case's first snapshot."}, {Py_tp_new, PyType_GenericNew}, {Py_tp_init, placer_init},
    {Py_tp_dealloc, placer_dealloc}, {Py_tp_methods, methods}, {Py_tp_members, members}, {0, NULL}};

PyType_Spec placer_spec = {"fimforensics.native._native.Placer", sizeof(Placer), 0, Py_TPFLAGS_DEFAULT, placer_slots};
