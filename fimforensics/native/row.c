/* A line's row, match key, leaf and event, out of its blocks' pieces and its own cells; as `segments.Lane` makes them. */
#include "lane.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    Block *machine, *change, *file, *request, *registry, *process, *content;
    char time[28], access[28];
    bool accessed, same_access;
    uint64_t forms;
    unsigned flags;
    PyObject *billed;  /* owned; text or None */
    Span billed_json;
} Parts;

static const Span FLAG_JSON[4] = {SPAN("null"), SPAN("\"escaped\""), SPAN("\"odd time\""), SPAN("\"escaped, odd time\"")};

static Span or_null(Span cell) {
    return cell.size == 2 && cell.at[0] == '"' ? (Span)SPAN("null") : cell;
}

static bool put_span(Buffer *out, Span span) {
    return put(out, span.at, span.size);
}

/* Each after a comma. */
static bool put_all(Buffer *out, const Span *spans, size_t count) {
    bool well = true;
    for (size_t i = 0; i < count && well; i++)
        well = put(out, ",", 1) && put_span(out, spans[i]);
    return well;
}

static bool put_quoted(Buffer *out, const char *at, size_t size) {
    return PUT(out, "\"") && put(out, at, size) && PUT(out, "\"");
}

/* Old and new data must be plain: what a case would have to escape is for the ordinary way. */
static bool data_plain(const Lane *lane, Parts *found) {
    const Cell *old = &lane->line.cells[OLD_DATA], *new = &lane->line.cells[NEW_DATA];
    if (!old->ascii || !new->ascii)
        return false;
    found->forms |= (span_is(old->span, "\"\"", 2) ? lane->old_empty : 0) | (span_is(new->span, "\"\"", 2) ? lane->new_empty : 0);
    return true;
}

static int times_read(Lane *lane, Parts *found) {
    const Cell *time = &lane->line.cells[TIME], *access = &lane->line.cells[ACCESS];
    int told = lane_time(lane, time, found->time, &found->flags);
    if (told != WELL)
        return told;
    found->accessed = access->kind == TEXT && access->span.size > 2;
    found->same_access = span_is(access->span, time->span.at, time->span.size);
    if (!found->accessed)
        return WELL;
    if (found->same_access) {
        memcpy(found->access, found->time, sizeof found->time);
        return WELL;
    }
    return lane_time(lane, access, found->access, &found->flags);
}

static int billed_read(Lane *lane, Parts *found) {
    const Cell *cell = &lane->line.cells[BILLED];
    if (cell->kind == REAL)
        found->billed = PyObject_CallFunction(lane->real, "y#", cell->span.at, (Py_ssize_t)cell->span.size);
    else if (cell->kind == WHOLE)
        found->billed = PyUnicode_FromStringAndSize(cell->span.at, (Py_ssize_t)cell->span.size);
    else if (cell->kind == NOTHING || cell->span.size == 2)
        found->billed = Py_NewRef(Py_None);
    else
        return STRANGE;
    if (!found->billed)
        return FAILED;
    found->billed_json = (Span){NULL, 0};
    if (found->billed != Py_None) {
        Py_ssize_t size;
        found->billed_json.at = PyUnicode_AsUTF8AndSize(found->billed, &size);
        found->billed_json.size = (size_t)size;
    }
    return found->billed == Py_None || found->billed_json.at ? WELL : FAILED;
}

/* The blocks, in the order in which the ordinary way makes them. */
static int blocks_find(Lane *lane, Parts *found) {
    int told;
    if ((told = lane_part_block(lane, MACHINE, 0, &found->machine)) != WELL)
        return told;
    int64_t host = found->machine->ids[0];
    if ((told = lane_cell_block(lane, CHANGES, 0, &found->change)) != WELL
        || (told = lane_cell_block(lane, FILES, host, &found->file)) != WELL
        || (told = lane_part_block(lane, REQUEST, 0, &found->request)) != WELL
        || (told = lane_cell_block(lane, REGISTRY, host, &found->registry)) != WELL
        || (told = lane_part_block(lane, PROCESS, host, &found->process)) != WELL
        || (told = lane_cell_block(lane, CONTENT, 0, &found->content)) != WELL)
        return told;
    const Block *all[] = {found->machine, found->change, found->file, found->request, found->registry, found->process, found->content};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        found->forms |= all[i]->forms;
        found->flags |= all[i]->flags;
    }
    return WELL;
}

static bool row_write(Lane *lane, const Parts *found) {
    const Cell *cells = lane->line.cells;
    const Span *m = found->machine->pieces, *c = found->change->pieces, *f = found->file->pieces, *k = found->content->pieces;
    const Span *q = found->request->pieces, *r = found->registry->pieces, *p = found->process->pieces;
    Buffer *out = &lane->row;
    char end[32];
    int size = snprintf(end, sizeof end, "%llu", (unsigned long long)(found->forms >> lane->path_form_shift));
    const Span file[] = {c[0], f[0], cells[SIZE].span, f[1], k[0], q[0], r[0], cells[OLD_DATA].span, r[1], cells[NEW_DATA].span, r[2]};
    const Span process[] = {p[0], p[1], p[2]}, image[] = {p[3], p[4], p[5], m[2]};
    const Span rest[] = {m[3], {end, (size_t)size}, c[1], FLAG_JSON[found->flags & 3]};
    out->size = 0;
    return PUT(out, "[") && put_span(out, m[0]) && PUT(out, ",") && put_quoted(out, found->time, sizeof found->time)
        && put_all(out, m + 1, 1) && put_all(out, file, sizeof file / sizeof *file)
        && put_all(out, process, sizeof process / sizeof *process) && PUT(out, ",")
        && (found->accessed ? put_quoted(out, found->access, sizeof found->access) : PUT(out, "null"))
        && put_all(out, image, sizeof image / sizeof *image) && PUT(out, ",")
        && (found->billed_json.at ? put_quoted(out, found->billed_json.at, found->billed_json.size) : PUT(out, "null"))
        && put_all(out, rest, sizeof rest / sizeof *rest) && PUT(out, "]");
}

static bool key_write(Lane *lane, const Parts *found) {
    const Cell *cells = lane->line.cells;
    const Span *r = found->registry->pieces;
    Buffer *out = &lane->key;
    const Span rest[] = {
        found->machine->pieces[4], found->change->pieces[0], found->file->pieces[2], found->content->pieces[1], cells[SIZE].span,
        r[3], or_null(cells[NEW_DATA].span), r[4], or_null(cells[OLD_DATA].span), r[5], found->process->pieces[6],
        found->request->pieces[1]};
    out->size = 0;
    return PUT(out, "[") && put_quoted(out, found->time, 23) && put_all(out, rest, sizeof rest / sizeof *rest) && PUT(out, "]");
}

/* Old or new data as text; None where there is none. */
static PyObject *data_text(Lane *lane, Span cell) {
    Buffer *out = &lane->scratch;
    if (cell.at[0] != '"' || cell.size == 2)
        return Py_NewRef(Py_None);
    out->size = 0;
    if (!put(out, cell.at, cell.size))
        return NULL;
    return PyUnicode_FromStringAndSize(out->at, (Py_ssize_t)cell_text(cell, out->at));
}

static PyObject *number(int64_t id) {
    return id == NONE ? Py_NewRef(Py_None) : PyLong_FromLongLong(id);
}

static PyObject *event_new(Lane *lane, const Parts *found) {
    const Cell *cells = lane->line.cells;
    const int64_t *file = found->file->ids, *registry = found->registry->ids, *process = found->process->ids;
    const int64_t ids[] = {
        found->machine->ids[0], found->change->ids[0], file[0], registry[0], found->content->ids[0], process[0], process[1], file[1],
        file[2], found->request->ids[0], found->machine->ids[1], process[2], registry[1]};
    PyObject *event = PyTuple_New(23), *time = PyUnicode_FromStringAndSize(found->time, sizeof found->time);
    if (!event || !time) {
        Py_XDECREF(event);
        Py_XDECREF(time);
        return NULL;
    }
    PyObject *last = !found->accessed ? Py_NewRef(Py_None) : found->same_access ? Py_NewRef(time)
                     : PyUnicode_FromStringAndSize(found->access, sizeof found->access);
    PyObject *size = cells[SIZE].kind == WHOLE ? PyLong_FromLongLong(cell_whole(cells[SIZE].span)) : Py_NewRef(Py_None);
    PyObject *rest[] = {
        Py_NewRef(found->file->word), size, data_text(lane, cells[OLD_DATA].span), data_text(lane, cells[NEW_DATA].span), last,
        Py_NewRef(found->billed), PyLong_FromUnsignedLongLong(found->forms), Py_NewRef(found->change->word),
        Py_NewRef(lane->flags[found->flags & 3])};
    bool well = true;
    PyTuple_SET_ITEM(event, 0, time);
    for (size_t i = 0; i < 13; i++) {
        PyObject *one = number(ids[i]);
        well = well && one;
        PyTuple_SET_ITEM(event, (Py_ssize_t)(1 + i), one);
    }
    for (size_t i = 0; i < 9; i++) {
        well = well && rest[i];
        PyTuple_SET_ITEM(event, (Py_ssize_t)(14 + i), rest[i]);
    }
    if (!well)
        Py_CLEAR(event);
    return event;
}

static void big_endian(uint8_t *out, uint64_t number) {
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(number >> (56 - 8 * i));
}

/* The leaf as `evidence.leaves` tells it; the hash of the line's bytes comes in `raw`. */
static void leaf_make(const Lane *lane, uint64_t seq, uint64_t offset, uint64_t length, const uint8_t raw[32], Made *made) {
    uint8_t text[1 + 5 * 8 + 16 + 32 + 32] = {0}, salt[32], place[8];
    const uint64_t numbers[5] = {seq, lane->snapshot, lane->member, offset, length};
    for (int i = 0; i < 5; i++)
        big_endian(text + 1 + 8 * i, numbers[i]);
    big_endian(place, seq);
    sha_end(lane->inner, 64, place, sizeof place, salt);
    sha_end(lane->outer, 64, salt, sizeof salt, salt);
    memcpy(text + 41, salt, 16);
    memcpy(text + 57, raw, 32);
    memcpy(text + 89, made->row_hash, 32);
    sha_end(SHA_START, 0, text, sizeof text, made->leaf);
}

static int made_from(Lane *lane, Parts *found, const char *at, size_t size, uint64_t seq, uint64_t offset, Made *made) {
    uint8_t raw[32];
    int told = times_read(lane, found);
    if (told == WELL)
        told = data_plain(lane, found) ? billed_read(lane, found) : STRANGE;
    if (told == WELL)
        told = blocks_find(lane, found);
    if (told != WELL)
        return told;
    if (!row_write(lane, found) || !key_write(lane, found))
        return FAILED;
    sha_end(SHA_START, 0, (const uint8_t *)lane->key.at, lane->key.size, made->key);
    sha_two((const uint8_t *)lane->row.at, lane->row.size, made->row_hash, (const uint8_t *)at, size, raw);
    leaf_make(lane, seq, offset, size, raw, made);
    made->event = event_new(lane, found);
    return made->event ? WELL : FAILED;
}

int lane_make(Lane *lane, const char *at, size_t size, uint64_t seq, uint64_t offset, Made *made) {
    Parts found = {.billed = NULL};
    int told = lane_split(lane, at, size);
    if (told == WELL)
        told = made_from(lane, &found, at, size, seq, offset, made);
    Py_XDECREF(found.billed);
    return told;
}
