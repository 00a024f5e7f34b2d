/* Texts of cells, and pieces of JSON out of them. */
#include "make.h"

#include <stdlib.h>
#include <string.h>

bool texts_open(Lane *lane, size_t room) {
    Buffer *texts = &lane->texts;
    texts->size = 0;
    if (texts->room >= room)
        return true;
    char *wider = realloc(texts->at, 2 * room);
    if (!wider) {
        PyErr_NoMemory();
        return false;
    }
    texts->at = wider;
    texts->room = 2 * room;
    return true;
}

bool text_of(Lane *lane, const Cell *cell, Text *found) {
    *found = (Text){NULL, 0};
    if (cell->kind == NOTHING)
        return true;
    if (cell->kind != TEXT || !cell->ascii)
        return false;
    char *at = lane->texts.at + lane->texts.size;
    *found = (Text){at, cell_text(cell->span, at)};
    lane->texts.size += found->size;
    return true;
}

Text text_join(Lane *lane, Text one, Text other) {
    char *at = lane->texts.at + lane->texts.size;
    memcpy(at, one.at, one.size);
    memcpy(at + one.size, other.at, other.size);
    lane->texts.size += one.size + other.size;
    return (Text){at, one.size + other.size};
}

Text text_lower(Lane *lane, Text text) {
    char *at = lane->texts.at + lane->texts.size;
    for (size_t i = 0; i < text.size; i++)
        at[i] = (char)(text.at[i] >= 'A' && text.at[i] <= 'Z' ? text.at[i] + 32 : text.at[i]);
    lane->texts.size += text.size;
    return (Text){at, text.size};
}

bool text_same(Text one, Text other) {
    return one.size == other.size && (!one.size || !memcmp(one.at, other.at, one.size));
}

Text text_some(Text text) {
    return text.size ? text : (Text){NULL, 0};
}

bool json_text(Buffer *out, Text text) {
    static const char escapes[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    if (!text.at)
        return PUT(out, "null");
    bool well = PUT(out, "\"");
    size_t begun = 0;
    for (size_t i = 0; i < text.size && well; i++) {
        if ((unsigned char)text.at[i] >= 0x20 && text.at[i] != '"' && text.at[i] != '\\')
            continue;
        const char *escape = escapes;
        while (*escape != text.at[i])
            escape += 2;
        char written[2] = {'\\', escape[1]};
        well = put(out, text.at + begun, i - begun) && put(out, written, 2);
        begun = i + 1;
    }
    return well && put(out, text.at + begun, text.size - begun) && PUT(out, "\"");
}

bool json_pieces(Table *table, Block *block, const Buffer *out, const size_t *ends, size_t count) {
    char *own = table_room(table, out->size + 1);
    if (!own)
        return false;
    memcpy(own, out->at, out->size);
    for (size_t i = 0; i < count; i++) {
        size_t begin = i ? ends[i - 1] : 0;
        block->pieces[i] = (Span){own + begin, ends[i] - begin};
    }
    return true;
}

int64_t entity_add(Lane *lane, const char *kind, PyObject *row) {
    PyObject *number = row ? PyObject_CallFunction(lane->add, "sN", kind, row) : NULL;
    int64_t found = number ? PyLong_AsLongLong(number) : NONE;
    Py_XDECREF(number);
    return number && found < 0 && !PyErr_Occurred() ? (PyErr_SetString(PyExc_ValueError, "numbers count up"), NONE) : found;
}
