/* Looks up the blocks of a line; those never seen are asked from Python, which makes them as the ordinary way does. */
#include "make.h"

#include <string.h>

/* Cells as a JSON array, for Python to decode and as a key. */
static bool put_cells(Buffer *out, const Line *line, const uint8_t *cells, size_t first, size_t count) {
    bool well = PUT(out, "[");
    for (size_t i = 0; i < count && well; i++) {
        const Span *span = &line->cells[cells ? cells[i] : first + i].span;
        well = (!i || PUT(out, ",")) && put(out, span->at, span->size);
    }
    return well && PUT(out, "]");
}

/* Takes over an answer: (ids, forms, flags, pieces, word); numbers are None or not negative. */
static bool block_fill(Block *block, int kind, PyObject *answer) {
    PyObject *ids, *pieces, *word;
    unsigned long long forms;
    block->held = answer;
    if (!PyArg_ParseTuple(answer, "O!KIO!O", &PyTuple_Type, &ids, &forms, &block->flags, &PyTuple_Type, &pieces, &word))
        return false;
    block->forms = forms;
    if (word != Py_None) {
        Py_ssize_t size;
        if (!(block->text.at = PyUnicode_AsUTF8AndSize(word, &size)))
            return false;
        block->text.size = (size_t)size;
    }
    if (PyTuple_GET_SIZE(ids) > IDS || PyTuple_GET_SIZE(pieces) > PIECES || block->flags > 3) {
        PyErr_SetString(PyExc_RuntimeError, "an answer that no lane understands");
        return false;
    }
    for (Py_ssize_t i = 0; i < IDS; i++) {
        PyObject *id = i < PyTuple_GET_SIZE(ids) ? PyTuple_GET_ITEM(ids, i) : Py_None;
        block->ids[i] = id == Py_None ? NONE : PyLong_AsLongLong(id);
        if (block->ids[i] == -1 && PyErr_Occurred())
            return false;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(pieces); i++) {
        char *at;
        Py_ssize_t size;
        if (PyBytes_AsStringAndSize(PyTuple_GET_ITEM(pieces, i), &at, &size) < 0)
            return false;
        bool json = kind != IMAGE || i != 4;  /* an image's last piece is the key of its path, as it is */
        bool before = json && size && at[0] == ',', after = json && size > 1 && at[size - 1] == ',';  /* `Lane` has commas around */
        block->pieces[i] = (Span){at + before, (size_t)size - before - after};
    }
    return true;
}

/* Fills a new block, with Python's answer where it is not to be made here, and gives it to its table. */
static int block_keep(Lane *lane, int kind, Block *block, int told, PyObject *(*ask)(Lane *, int, const Block *), Block **found) {
    if (told == STRANGE) {
        block->forms = block->flags = 0;
        PyObject *answer = ask(lane, kind, block);
        told = answer && block_fill(block, kind, answer) ? WELL : FAILED;
    }
    if (told == FAILED) {
        block_drop(&lane->tables[kind], block);
        return FAILED;
    }
    if (table_put(&lane->tables[kind], block) < 0)
        return FAILED;
    *found = block;
    return WELL;
}

/* What a block of this kind is looked up by, after what the buffer holds. */
static bool key_put(Lane *lane, Buffer *key, int kind, int64_t host) {
    static const uint8_t first[KINDS] = {[CHANGES] = ENTITY, [FILES] = FILE_NAME, [REGISTRY] = KEY, [CONTENT] = SIZE};
    static const uint8_t count[KINDS] = {[CHANGES] = 2, [FILES] = 5, [REGISTRY] = 7, [CONTENT] = 4, [ACTOR] = ACCOUNT_CELLS};
    bool well = put(key, (const char *)&host, sizeof host);
    if (kind >= GROUPS)
        return well && put_cells(key, &lane->line, kind == ACTOR ? lane->account_slots : NULL, first[kind], count[kind]);
    const Group *group = &lane->groups[kind];
    for (size_t i = 0; i < group->part_count && well; i++)
        well = put(key, (const char *)&lane->line.numbers[group->parts[i]], sizeof(int64_t));
    return well && put_cells(key, &lane->line, group->cells, 0, group->cell_count);
}

/* Numbers and bytes of all parts of the line, as two tuples. */
static PyObject *parts_told(Lane *lane, PyObject **numbers) {
    Py_ssize_t count = (Py_ssize_t)lane->part_count;
    PyObject *parts = PyTuple_New(count);
    *numbers = PyTuple_New(count);
    for (Py_ssize_t i = 0; parts && *numbers && i < count; i++) {
        Span part;
        PyObject *number = PyLong_FromLongLong(lane->line.numbers[i]);
        PyObject *bytes = lane_part_told(lane, (int)i, &part) ? PyBytes_FromStringAndSize(part.at, (Py_ssize_t)part.size) : NULL;
        if (number)
            PyTuple_SET_ITEM(*numbers, i, number);
        if (bytes)
            PyTuple_SET_ITEM(parts, i, bytes);
        if (!number || !bytes)
            Py_CLEAR(parts);
    }
    if (!parts || !*numbers) {
        Py_CLEAR(parts);
        Py_CLEAR(*numbers);
    }
    return parts;
}

static int64_t host_of(const Block *block) {
    int64_t host;
    memcpy(&host, block->key, sizeof host);
    return host;
}

static PyObject *ask_parts(Lane *lane, int kind, const Block *block) {
    size_t loose = sizeof(int64_t) * (1 + lane->groups[kind].part_count);
    PyObject *numbers, *parts = parts_told(lane, &numbers);
    if (!parts)
        return NULL;
    return PyObject_CallFunction(lane->asked[kind], "LNNy#", (long long)host_of(block), numbers, parts, block->key + loose,
                                 (Py_ssize_t)(block->key_size - loose));
}

static PyObject *ask_cells(Lane *lane, int kind, const Block *block) {
    return PyObject_CallFunction(lane->asked[kind], "Ly#", (long long)host_of(block), block->key + sizeof(int64_t),
                                 (Py_ssize_t)(block->key_size - sizeof(int64_t)));
}

static int block_make(Lane *lane, int kind, int64_t host, Block *block) {
    switch (kind) {
    case FILES: return file_make(lane, host, block);
    case REGISTRY: return registry_make(lane, host, block);
    case CONTENT: return content_make(lane, block);
    case PROCESS: return process_make(lane, host, block);
    default: return STRANGE;
    }
}

static int block_get(Lane *lane, int kind, int64_t host, Span key, uint64_t hash, Block **found) {
    if ((*found = table_find(&lane->tables[kind], key, hash)))
        return WELL;
    Block *block = block_new(&lane->tables[kind], key, hash);
    if (!block)
        return FAILED;
    return block_keep(lane, kind, block, block_make(lane, kind, host, block), kind < GROUPS ? ask_parts : ask_cells, found);
}

int lane_block(Lane *lane, int kind, int64_t host, Block **found) {
    Buffer *key = &lane->scratch;
    key->size = 0;
    if (!key_put(lane, key, kind, host))
        return FAILED;
    return block_get(lane, kind, host, (Span){key->at, key->size}, bytes_hash(key->at, key->size), found);
}

bool lane_seek(Lane *lane, const int *kinds, const int64_t *hosts, size_t count) {
    Buffer *key = &lane->ahead;
    key->size = 0;
    for (size_t i = 0; i < count; i++) {
        Sought *sought = &lane->sought[kinds[i]];
        sought->begin = key->size;
        if (!key_put(lane, key, kinds[i], hosts[i]))
            return false;
        sought->size = key->size - sought->begin;
        sought->hash = bytes_hash(key->at + sought->begin, sought->size);
        table_ahead(&lane->tables[kinds[i]], sought->hash);
    }
    for (size_t i = 0; i < count; i++)
        table_block_ahead(&lane->tables[kinds[i]], lane->sought[kinds[i]].hash);
    return true;
}

int lane_sought(Lane *lane, int kind, int64_t host, Block **found) {
    const Sought *sought = &lane->sought[kind];
    int told = block_get(lane, kind, host, (Span){lane->ahead.at + sought->begin, sought->size}, sought->hash, found);
    for (int i = 0; told == WELL && i < PIECES; i++)
        span_ahead((*found)->pieces[i]);
    return told;
}

static PyObject *ask_minute(Lane *lane, int kind, const Block *block) {
    char text[28] = "0000-00-00T00:00:00.0000000Z";
    memcpy(text, block->key, block->key_size);
    return PyObject_CallFunction(lane->asked[kind], "s#", text, (Py_ssize_t)sizeof text);
}

int lane_time(Lane *lane, const Cell *cell, char out[28], unsigned *flags) {
    if (cell->kind != TEXT || !cell_time(cell->span, out))
        return STRANGE;
    Span minute = {out, 16};
    uint64_t hash = bytes_hash(out, 16);
    Block *block = table_find(&lane->tables[MINUTE], minute, hash);
    if (!block) {
        block = block_new(&lane->tables[MINUTE], minute, hash);
        int told = block ? block_keep(lane, MINUTE, block, STRANGE, ask_minute, &block) : FAILED;
        if (told != WELL)
            return told;
    }
    *flags |= block->flags;
    return WELL;
}
