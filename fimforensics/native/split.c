/* A line falls into stretches. Of a stable one the bytes alone say which it is; the others' cells are read. A row's are all read. */
#define _GNU_SOURCE
#include "lane.h"

#include <stdlib.h>
#include <string.h>

bool put(Buffer *buffer, const char *at, size_t size) {
    if (size > buffer->room - buffer->size) {
        size_t room = 2 * (buffer->room + size) + 256;
        char *wider = realloc(buffer->at, room);
        if (!wider) {
            PyErr_NoMemory();
            return false;
        }
        buffer->at = wider;
        buffer->room = room;
    }
    if (size)
        memcpy(buffer->at + buffer->size, at, size);
    buffer->size += size;
    return true;
}

/* The cells of a stretch whose bytes are `part`: its columns in their order, some of them perhaps left out. */
static bool cells_read(Lane *lane, const Stretch *stretch, Span part, bool first) {
    const char *at = part.at, *end = part.at + part.size;
    size_t next = 0;
    if (first && at < end && *at == ',')
        return false;
    while (at < end) {
        if (!first && *at++ != ',')
            return false;
        first = false;
        const Column *column = NULL;
        for (; next < stretch->count && !column; next++) {
            const Span *name = &stretch->columns[next].name;
            if ((size_t)(end - at) > name->size && !memcmp(at, name->at, name->size))
                column = &stretch->columns[next];
        }
        if (!column)
            return false;
        Cell *cell = &lane->line.cells[column->slot];
        at = cell_read(at + column->name.size, end, cell);
        if (!at || !(cell->kind & column->takes))
            return false;
    }
    return true;
}

static bool proven(Lane *lane, size_t stretch, Span bytes) {
    if (cells_read(lane, &lane->stretches[stretch], bytes, stretch == 0))
        return true;
    PyObject *told = PyObject_CallFunction(lane->prove, "ny#", (Py_ssize_t)stretch, bytes.at, (Py_ssize_t)bytes.size);
    Py_XDECREF(told);
    return told;
}

int lane_actor_cells(Lane *lane) {
    const Group *group = &lane->groups[PROCESS];
    if (lane->rows)
        return WELL;
    for (size_t i = 0; i < lane->stretch_count; i++) {
        const Stretch *stretch = &lane->stretches[i];
        if (stretch->stable < 0 || !memchr(group->parts, stretch->stable, group->part_count))
            continue;
        for (size_t j = 0; j < stretch->count; j++)
            lane->line.cells[stretch->columns[j].slot] = (Cell){.span = SPAN("null"), .kind = NOTHING, .ascii = true};
        if (!cells_read(lane, stretch, lane->line.parts[stretch->stable], i == 0))
            return STRANGE;
    }
    return WELL;
}

/* A number for a part's bytes, once they are proven to be plain: here, or by Python, which knows more that is. */
static int part_number(Lane *lane, size_t stretch, int part, uint64_t hash) {
    Span bytes = lane->line.parts[part];
    Table *table = &lane->parts[part];
    Block *block = table_find(table, bytes, hash);
    if (!block) {
        if (!lane->rows && !proven(lane, stretch, bytes))
            return FAILED;
        block = block_new(table, bytes, hash);
        if (!block || (block->ids[0] = ++lane->count, table_put(table, block)) < 0)
            return FAILED;
    }
    lane->line.numbers[part] = block->ids[0];
    return WELL;
}

static int parts_numbered(Lane *lane) {
    uint64_t hashes[MOST_PARTS];
    for (size_t i = 0; i < lane->part_count; i++) {
        hashes[i] = bytes_hash(lane->line.parts[i].at, lane->line.parts[i].size);
        table_ahead(&lane->parts[i], hashes[i]);
    }
    for (size_t i = 0; i < lane->part_count; i++)
        table_block_ahead(&lane->parts[i], hashes[i]);
    for (size_t i = 0; i < lane->stretch_count; i++) {
        int part = lane->stretches[i].stable;
        if (part >= 0) {
            int told = part_number(lane, i, part, hashes[part]);
            if (told != WELL)
                return told;
        }
    }
    return WELL;
}

int lane_split(Lane *lane, const char *at, size_t size) {
    if (size < 2 || at[0] != '{' || at[size - 1] != '}')
        return STRANGE;
    const char *next = at + 1, *last = at + size - 1;
    for (size_t i = 0; i < lane->read_count; i++)
        lane->line.cells[i] = (Cell){.span = SPAN("null"), .kind = NOTHING, .ascii = true};
    for (size_t i = 0; i < lane->stretch_count; i++) {
        const Stretch *stretch = &lane->stretches[i];
        const char *end = last;
        if (stretch->border.size && !(end = memmem(next, (size_t)(last - next), stretch->border.at, stretch->border.size)))
            return STRANGE;
        Span part = {next, (size_t)(end - next)};
        if (stretch->stable < 0 && !cells_read(lane, stretch, part, i == 0))
            return STRANGE;
        if (stretch->stable >= 0)
            lane->line.parts[stretch->stable] = part;
        next = end;
    }
    return parts_numbered(lane);
}

int lane_split_row(Lane *lane, const char *at, size_t *size) {
    const char *next = at, *end = at + (*size < LONGEST ? *size : LONGEST);
    char before = '[';
    for (size_t i = 0; i < lane->stretch_count; i++) {
        const Stretch *stretch = &lane->stretches[i];
        const char *began = next + 1;
        for (size_t j = 0; j < stretch->count; j++) {
            const Column *column = &stretch->columns[j];
            Cell *cell = &lane->line.cells[column->slot];
            if (next >= end || *next != before || !(next = cell_read(next + 1, end, cell)) || !(cell->kind & column->takes))
                return STRANGE;
            before = ',';
        }
        if (stretch->stable >= 0)
            lane->line.parts[stretch->stable] = (Span){began, (size_t)(next - began)};
    }
    if (next >= end || *next != ']')
        return STRANGE;
    *size = (size_t)(next + 1 - at);
    return parts_numbered(lane);
}

bool lane_part_told(Lane *lane, int part, Span *told) {
    Buffer *out = &lane->scratch;
    *told = lane->line.parts[part];
    if (!lane->rows)
        return true;
    const Stretch *stretch = lane->stretches;
    while (stretch->stable != part)
        stretch++;
    bool well = true;
    out->size = 0;
    for (size_t i = 0; i < stretch->count && well; i++) {
        const Column *column = &stretch->columns[i];
        Span cell = lane->line.cells[column->slot].span;
        well = (!i || PUT(out, ",")) && put(out, column->name.at, column->name.size) && put(out, cell.at, cell.size);
    }
    *told = (Span){out->at, out->size};
    return well;
}
