/* Packed events become the rows that SQLite takes. */
#include "unpack.h"

#include <string.h>

size_t packed_padding(size_t size) {
    return -size & 7;
}

const Packed *packed_next(const char **at, const char *end, const char *texts[TEXTS]) {
    const Packed *event = (const Packed *)*at;
    size_t left = (size_t)(end - *at), size = sizeof *event;
    if (left < size)
        return NULL;
    for (int i = 0; i < TEXTS; i++) {
        texts[i] = *at + size;
        size += event->texts[i];
        if (size > left)
            return NULL;
    }
    size += packed_padding(size);
    *at = size < left ? *at + size : end;
    return event;
}

static PyObject *text_or_none(const char *at, uint32_t size) {
    if (PyErr_Occurred())  /* of another cell: a decoder must not be called then */
        return NULL;
    return size ? PyUnicode_DecodeUTF8(at, size, NULL) : Py_NewRef(Py_None);
}

/* A reference: the local number, or with `ids` what it is in the case. */
static PyObject *reference(const Packed *event, int at, const Ids *ids) {
    uint32_t number = event->ids[at];
    if (number == ABSENT)
        return Py_NewRef(Py_None);
    if (!ids)
        return PyLong_FromUnsignedLong(number);
    if (number >= ids->count[at]) {
        PyErr_SetString(PyExc_IndexError, "an entity that was never told");
        return NULL;
    }
    return PyLong_FromLongLong(ids->at[at][number]);
}

bool event_cells(PyObject *tuple, Py_ssize_t first, const Packed *event, const char *texts[TEXTS], const Ids *ids,
                 PyObject *const flags[4]) {
    PyObject *time = text_or_none(event->time, STAMP);
    PyObject *access = !event->accessed ? Py_NewRef(Py_None)
                       : time && !memcmp(event->time, event->access, STAMP) ? Py_NewRef(time)
                       : text_or_none(event->access, STAMP);
    PyObject *rest[] = {
        text_or_none(texts[0], event->texts[0]), event->sized ? PyLong_FromLongLong(event->size) : Py_NewRef(Py_None),
        text_or_none(texts[1], event->texts[1]), text_or_none(texts[2], event->texts[2]), access,
        text_or_none(texts[3], event->texts[3]), PyLong_FromUnsignedLongLong(event->forms),
        text_or_none(texts[4], event->texts[4]), Py_NewRef(flags[event->flags & 3])};
    bool well = time;
    PyTuple_SET_ITEM(tuple, first, time);
    for (int i = 0; i < REFERENCES; i++) {
        PyObject *one = reference(event, i, ids);
        well = well && one;
        PyTuple_SET_ITEM(tuple, first + 1 + i, one);
    }
    for (int i = 0; i < 9; i++) {
        well = well && rest[i];
        PyTuple_SET_ITEM(tuple, first + 14 + i, rest[i]);
    }
    return well;
}

bool list_put(PyObject *list, PyObject *item) {
    bool well = item && PyList_Append(list, item) == 0;
    Py_XDECREF(item);
    return well;
}

bool flags_taken(PyObject *tuple, PyObject *flags[4]) {
    if (!PyTuple_Check(tuple) || PyTuple_GET_SIZE(tuple) != 4) {
        PyErr_SetString(PyExc_ValueError, "there are four flags");
        return false;
    }
    for (int i = 0; i < 4; i++)
        flags[i] = PyTuple_GET_ITEM(tuple, i);
    return true;
}

static bool unpacked(const Packed *event, const char *texts[TEXTS], unsigned long long seq, PyObject *const flags[4], PyObject *lists[4]) {
    PyObject *cells = PyTuple_New(EVENT_CELLS);
    if (!cells || !event_cells(cells, 0, event, texts, NULL, flags)) {
        Py_XDECREF(cells);
        return false;
    }
    return list_put(lists[0], cells) && list_put(lists[1], PyBytes_FromStringAndSize((const char *)event->key, 32))
        && list_put(lists[2], PyBytes_FromStringAndSize((const char *)event->check, 8))
        && list_put(lists[3], Py_BuildValue("(KKIN)", seq, (unsigned long long)event->offset, (unsigned)event->length,
                                            text_or_none(texts[5], event->texts[5])));
}

PyObject *unpack(PyObject *module, PyObject *args) {
    const char *at, *end, *texts[TEXTS];
    Py_ssize_t size;
    unsigned long long seq;
    PyObject *flag_texts, *flags[4], *lists[4] = {PyList_New(0), PyList_New(0), PyList_New(0), PyList_New(0)};
    bool well = lists[0] && lists[1] && lists[2] && lists[3] && PyArg_ParseTuple(args, "y#KO", &at, &size, &seq, &flag_texts)
             && flags_taken(flag_texts, flags);
    (void)module;
    for (end = well ? at + size : NULL; well && at < end; seq++) {
        const Packed *event = packed_next(&at, end, texts);
        if (!event)
            PyErr_SetString(PyExc_ValueError, "half an event");
        well = event && unpacked(event, texts, seq, flags, lists);
    }
    if (well)
        return Py_BuildValue("(NNNN)", lists[0], lists[1], lists[2], lists[3]);
    for (int i = 0; i < 4; i++)
        Py_XDECREF(lists[i]);
    return NULL;
}
