/* The module `_native`: lanes, and SHA-256 for the tests. What it gives is what the Python beside it gives, sooner. */
#include "lane.h"
#include "digest_rows.h"
#include "digests.h"
#include "intern.h"
#include "place.h"

#include <string.h>

static int lane_init(PyObject *self, PyObject *args, PyObject *named) {
    static char *names[] = {"steps", "groups", "answers", "bits", "key", "place", "most", "most_bytes", "rows", "item", NULL};
    Lane *lane = (Lane *)self;
    PyObject *steps, *groups, *answers, *bits;
    const uint8_t *inner, *outer;
    Py_ssize_t inner_size, outer_size, most, most_bytes;
    unsigned long long snapshot, member;
    int rows = 0, item = NONE;
    if (lane->steps || !PyArg_ParseTupleAndKeywords(
            args, named, "O!O!OO!(y#y#)(KK)nn|pi", names, &PyTuple_Type, &steps, &PyTuple_Type, &groups, &answers,
            &PyTuple_Type, &bits, &inner, &inner_size, &outer, &outer_size, &snapshot, &member, &most, &most_bytes, &rows, &item))
        return -1;
    if (inner_size != 64 || outer_size != 64 || most < 1 || most_bytes < 1 || item < NONE || item >= MOST_CELLS) {
        PyErr_SetString(PyExc_ValueError, "two blocks of 64 bytes, room for something, and a cell that there is");
        return -1;
    }
    lane->rows = rows;
    lane->item = item;
    lane->snapshot = snapshot;
    lane->member = member;
    lane->inner = lane->outer = SHA_START;
    sha_blocks(&lane->inner, inner, 1);
    sha_blocks(&lane->outer, outer, 1);
    return lane_open(lane, steps, groups, answers, bits, (size_t)most, (size_t)most_bytes);
}

static void lane_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    lane_close((Lane *)self);
    type->tp_free(self);
    Py_DECREF(type);
}

/* Is the exception one by which Python says that a line is not plain? Then it is gone. */
static bool only_strange(void) {
    if (!PyErr_ExceptionMatches(PyExc_ValueError) && !PyErr_ExceptionMatches(PyExc_TypeError) && !PyErr_ExceptionMatches(PyExc_KeyError))
        return false;
    PyErr_Clear();
    return true;
}

PyDoc_STRVAR(read_doc,
"read(data, at, offset, limit, seq, most, leaves, gap=b'') -> (at, count, strange, packed, first, last)\n\n"
"Takes the lines of `data` from `at` on, which lies at `offset` in the member: until `most` are taken, one begins beyond `limit`,\n"
"or one is not plainly of this layout. Where the next one begins, how many were taken, whether the next one is not plain, the\n"
"packed events, and their first and last time; leaves are added to the bytearray. Rows go on as long as `gap` and another row\n"
"follow; where not, `at` is behind the last one.");

typedef struct {
    const char *data;
    Py_ssize_t size, at, most, count;
    unsigned long long offset, limit, seq;
    PyObject *leaves;
    Span gap;
    bool strange;
    char first[28], last[28];
} Reading;

static bool leaf_keep(PyObject *leaves, const uint8_t leaf[32]) {
    Py_ssize_t before = PyByteArray_GET_SIZE(leaves);
    if (PyByteArray_Resize(leaves, before + 32) < 0)
        return false;
    memcpy(PyByteArray_AS_STRING(leaves) + before, leaf, 32);
    return true;
}

/* One line or row, `size` bytes long, or of a row at the most; its length goes to `size`. False with an exception. */
static bool one_read(Lane *lane, Reading *now, size_t *size) {
    size_t before = lane->out.size;
    Made made;
    int told = *size ? lane_make(lane, now->data + now->at, size, now->seq + (uint64_t)now->count, now->offset, &made) : STRANGE;
    now->strange = told == STRANGE || (told == FAILED && only_strange());
    if (told != WELL)
        lane->out.size = before;
    if (told != WELL || !leaf_keep(now->leaves, made.leaf))
        return now->strange;
    if (!now->count || memcmp(made.time, now->first, sizeof now->first) < 0)
        memcpy(now->first, made.time, sizeof now->first);
    if (!now->count || memcmp(made.time, now->last, sizeof now->last) > 0)
        memcpy(now->last, made.time, sizeof now->last);
    now->count++;
    return true;
}

static void passed(Reading *now, size_t size) {
    now->at += (Py_ssize_t)size;
    now->offset += size;
}

static bool lines_read(Lane *lane, Reading *now) {
    while (now->at < now->size && now->count < now->most && now->offset <= now->limit) {
        const char *line = now->data + now->at, *end = memchr(line, '\n', (size_t)(now->size - now->at));
        size_t length = (size_t)((end ? end : now->data + now->size) - line), taken = length - 1 <= LONGEST ? length : 0;
        if (!one_read(lane, now, &taken))
            return false;
        if (now->strange)
            return true;
        passed(now, length + 1);
    }
    return true;
}

static bool rows_read(Lane *lane, Reading *now) {
    while (now->at < now->size && now->count < now->most && now->offset <= now->limit) {
        size_t left = (size_t)(now->size - now->at), length = left;
        if (!one_read(lane, now, &length))
            return false;
        if (now->strange)
            return true;
        passed(now, length);
        const char *next = now->data + now->at;
        if (left - length <= now->gap.size || memcmp(next, now->gap.at, now->gap.size) || next[now->gap.size] != '[')
            return true;
        passed(now, now->gap.size);
    }
    return true;
}

static PyObject *lane_read(PyObject *self, PyObject *args) {
    Lane *lane = (Lane *)self;
    Reading now = {.gap = SPAN("")};
    Py_ssize_t gap = 0;
    if (!PyArg_ParseTuple(args, "y#nKKKnO!|y#", &now.data, &now.size, &now.at, &now.offset, &now.limit, &now.seq, &now.most,
                          &PyByteArray_Type, &now.leaves, &now.gap.at, &gap))
        return NULL;
    now.gap.size = (size_t)gap;
    if (!lane->steps || now.at < 0) {
        PyErr_SetString(PyExc_ValueError, "a lane that was never opened, or a place before the data");
        return NULL;
    }
    lane->out.size = 0;
    if (!(lane->rows ? rows_read : lines_read)(lane, &now))
        return NULL;
    Py_ssize_t stamp = now.count ? (Py_ssize_t)sizeof now.first : 0;
    return Py_BuildValue("(nniy#s#s#)", now.at < now.size ? now.at : now.size, now.count, (int)now.strange,
                         lane->out.at ? lane->out.at : "", (Py_ssize_t)lane->out.size, now.first, stamp, now.last, stamp);
}

static PyMethodDef lane_methods[] = {{"read", lane_read, METH_VARARGS, read_doc}, {NULL, NULL, 0, NULL}};

static PyType_Slot lane_slots[] = {
    {Py_tp_doc, "Lines of one layout into rows, keys, leaves and events."}, {Py_tp_new, PyType_GenericNew}, {Py_tp_init, lane_init},
    {Py_tp_dealloc, lane_dealloc}, {Py_tp_methods, lane_methods}, {0, NULL}};

static PyType_Spec lane_spec = {"fimforensics.native._native.Lane", sizeof(Lane), 0, Py_TPFLAGS_DEFAULT, lane_slots};

static PyObject *sha256_of(PyObject *module, PyObject *args) {
    const uint8_t *one, *other;
    Py_ssize_t one_size, other_size;
    uint8_t found[2][32];
    (void)module;
    if (!PyArg_ParseTuple(args, "y#y#", &one, &one_size, &other, &other_size))
        return NULL;
    sha_two(one, (size_t)one_size, found[0], other, (size_t)other_size, found[1]);
    return Py_BuildValue("(y#y#)", found[0], (Py_ssize_t)32, found[1], (Py_ssize_t)32);
}

static PyObject *sha256_choose(PyObject *module, PyObject *portable) {
    (void)module;
    int plain = PyObject_IsTrue(portable);
    return plain < 0 ? NULL : PyBool_FromLong(sha_choose(plain));
}

static PyMethodDef methods[] = {
    {"sha256", sha256_of, METH_VARARGS, "sha256(one, other) -> the SHA-256 of each"},
    {"digest_rows", digest_rows, METH_O, "digest_rows(rows) -> the bytes over which a table's digest goes"},
    {"unpack", unpack, METH_VARARGS, "unpack(packed, seq, flags) -> (events, keys, checks, places)"},
    {"choose", sha256_choose, METH_O, "choose(portable) -> whether the processor's own SHA instructions are in use from now on"},
    {NULL, NULL, 0, NULL}};

static bool type_add(PyObject *module, PyType_Spec *spec) {
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    bool well = type && PyModule_AddType(module, (PyTypeObject *)type) == 0;
    Py_XDECREF(type);
    return well;
}

static int module_exec(PyObject *module) {
    PyObject *name = PyUnicode_FromString("fimforensics");
    if (!name || !type_add(module, &lane_spec) || !type_add(module, &placer_spec) || !type_add(module, &seen_spec)
        || PyModule_AddStringConstant(module, "SOURCES", SOURCES) < 0 || (sha_choose(0) && !type_add(module, &digests_spec))) {
        Py_XDECREF(name);
        return -1;
    }
    bytes_seed((uint64_t)PyObject_Hash(name) ^ (uint64_t)(uintptr_t)module);  /* Python's hash of a text differs from run to run */
    Py_DECREF(name);
    return 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, module_exec}, {0, NULL}};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_native", "Compiled ways of what Python does beside it.", 0, methods, slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__native(void) {
    return PyModuleDef_Init(&definition);
}
