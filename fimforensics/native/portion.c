/* Keys of a portion of records, each the n-th event of its key, as long as no other snapshot is in the case.
 *
 * What has to be known is how often a key was told in this portion, and of keys that the filter has seen in an earlier one, what
 * the case has; that is asked from Python.
 */
#include "portion.h"

#include <stdlib.h>
#include <string.h>

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

static uint32_t *slot_of(Portion *portion, const uint8_t key[32]) {
    size_t at = bytes_hash((const char *)key, 32) & (portion->width - 1);
    while (portion->slots[at] && memcmp(portion->told[portion->slots[at] - 1].key, key, 32))
        at = (at + 1) & (portion->width - 1);
    return &portion->slots[at];
}

static bool slots_widen(Portion *portion) {
    if (2 * portion->told_count < portion->width)
        return true;
    free(portion->slots);
    portion->width = portion->width ? 2 * portion->width : 1 << 14;
    portion->slots = calloc(portion->width, sizeof *portion->slots);
    if (!portion->slots) {
        portion->width = portion->told_count = 0;
        PyErr_NoMemory();
        return false;
    }
    for (size_t i = 0; i < portion->told_count; i++)
        *slot_of(portion, portion->told[i].key) = (uint32_t)i + 1;
    return true;
}

/* What the case has of a key that came in an earlier portion, from Python: (how often, check of the first, all alike?, ids). */
static bool ask(Portion *portion, Told *told) {
    const char *check;
    Py_ssize_t size;
    unsigned count;
    int alike;
    PyObject *items, *answer = PyObject_CallFunction(portion->load, "y#L", told->key, (Py_ssize_t)32, (long long)eight(told->key));
    bool well = answer && PyArg_ParseTuple(answer, "Iy#pO!", &count, &check, &size, &alike, &PyDict_Type, &items);
    if (well && count) {
        well = size == 8;
        if (!well)
            PyErr_SetString(PyExc_ValueError, "a check has 8 bytes");
        told->told = count;
        told->alike = alike;
        if (well) {
            memcpy(&told->check, check, 8);
            told->items = Py_NewRef(items);
        }
    }
    Py_XDECREF(answer);
    return well;
}

/* What is known of a key, which is told here for the first time in this portion. */
static Told *told_new(Portion *portion, const uint8_t key[32], uint64_t check) {
    uint8_t *seen = (uint8_t *)portion->filter.buf + ((uint64_t)eight(key) & (uint64_t)(portion->filter.len - 1));
    Told told = {.check = check, .alike = true};
    memcpy(told.key, key, 32);
    if (*seen && !ask(portion, &told))
        return NULL;
    *seen = 1;
    if (!grown((void **)&portion->told, portion->told_count, &portion->told_room, sizeof told) || !slots_widen(portion)) {
        Py_XDECREF(told.items);
        return NULL;
    }
    portion->told[portion->told_count] = told;
    *slot_of(portion, key) = (uint32_t)portion->told_count + 1;
    return &portion->told[portion->told_count++];
}

/* Knows a record by its id, unless it is known: then its number goes to `known`, else 0. */
static bool item_known(PyObject *items, Span item, int64_t number, int64_t *known) {
    PyObject *text = PyUnicode_DecodeUTF8(item.at, (Py_ssize_t)item.size, NULL), *value = PyLong_FromLongLong(number);
    PyObject *found = text && value ? PyDict_SetDefault(items, text, value) : NULL;
    *known = found && found != value ? PyLong_AsLongLong(found) : 0;
    Py_XDECREF(text);
    Py_XDECREF(value);
    return found && !(*known == -1 && PyErr_Occurred());
}

/* The id of a key's first record is kept as it is, for most keys have no second one. */
static bool item_keep(Portion *portion, Told *told, Span item) {
    while (portion->ids_room - portion->ids_size < item.size)
        if (!grown((void **)&portion->ids, portion->ids_room, &portion->ids_room, 1))
            return false;
    memcpy(portion->ids + portion->ids_size, item.at, item.size);
    told->id = portion->ids_size;
    told->id_size = item.size;
    portion->ids_size += item.size;
    return true;
}

/* The number of the record of this key that had this id; 0 where none had: then it is known as the next one's. */
static bool item_seen(Portion *portion, Told *told, Span item, int64_t *known) {
    *known = 0;
    if (!item.size)
        return true;
    portion->items = 1;
    if (!told->told)
        return item_keep(portion, told, item);
    if (!told->items) {
        if (!(told->items = PyDict_New()))
            return false;
        if (told->id_size && !item_known(told->items, (Span){portion->ids + told->id, told->id_size}, told->first, known))
            return false;
    }
    return item_known(told->items, item, portion->next, known);
}

bool portion_place(Portion *portion, const uint8_t key[32], const uint8_t check_bytes[8], Span item, Place *found) {
    uint64_t check;
    memcpy(&check, check_bytes, 8);
    uint32_t at = portion->width ? *slot_of(portion, key) : 0;
    Told *told = at ? &portion->told[at - 1] : told_new(portion, key, check);
    if (!told || !grown((void **)&portion->keys, portion->key_count, &portion->key_room, sizeof *portion->keys)
        || !grown((void **)&portion->unsettled, portion->unsettled_count, &portion->unsettled_room, sizeof *portion->unsettled))
        return false;
    if (told->told && (!told->alike || told->check != check))
        portion->unsettled[portion->unsettled_count++] = eight(key);
    int64_t known;
    if (!item_seen(portion, told, item, &known))
        return false;
    *found = (Place){known ? known : portion->next, known ? 0 : told->told, !known};
    if (known)
        return true;
    if (!told->told)
        told->first = portion->next;
    told->alike = told->alike && told->check == check;
    portion->keys[portion->key_count++] = (NewKey){eight(key), portion->next++, told->told++, eight(check_bytes)};
    return true;
}

static void told_forget(Portion *portion) {
    for (size_t i = 0; i < portion->told_count; i++)
        Py_CLEAR(portion->told[i].items);
    portion->key_count = portion->unsettled_count = portion->told_count = portion->ids_size = 0;
}

static int by_prefix(const void *one, const void *other) {
    const NewKey *a = one, *b = other;
    return a->prefix != b->prefix ? (a->prefix < b->prefix ? -1 : 1) : (a->number > b->number) - (a->number < b->number);
}

PyObject *portion_take(Portion *portion) {
    PyObject *keys = PyList_New((Py_ssize_t)portion->key_count), *unsettled = PySet_New(NULL);
    bool well = keys && unsettled;
    if (portion->key_count)
        qsort(portion->keys, portion->key_count, sizeof *portion->keys, by_prefix);
    for (size_t i = 0; i < portion->key_count && well; i++) {
        const NewKey *key = &portion->keys[i];
        PyObject *row = Py_BuildValue("(LLLL)", (long long)key->prefix, (long long)key->number, (long long)key->ordinal,
                                      (long long)key->check);
        well = row;
        PyList_SET_ITEM(keys, (Py_ssize_t)i, row);
    }
    for (size_t i = 0; i < portion->unsettled_count && well; i++) {
        PyObject *prefix = PyLong_FromLongLong(portion->unsettled[i]);
        well = prefix && PySet_Add(unsettled, prefix) == 0;
        Py_XDECREF(prefix);
    }
    if (!well) {
        Py_XDECREF(keys);
        Py_XDECREF(unsettled);
        return NULL;
    }
    told_forget(portion);
    if (portion->width)
        memset(portion->slots, 0, portion->width * sizeof *portion->slots);
    return Py_BuildValue("(NN)", keys, unsettled);
}

void portion_close(Portion *portion) {
    told_forget(portion);
    free(portion->told);
    free(portion->slots);
    free(portion->keys);
    free(portion->unsettled);
    free(portion->ids);
    PyBuffer_Release(&portion->filter);
}
