/* A line's row, match key, leaf and packed event, out of its blocks' pieces and its own cells; as `segments.Lane` makes them. */
#include "lane.h"
#include "pack.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    Block *machine, *change, *file, *request, *registry, *process, *content;
    char time[STAMP], access[STAMP];
    bool accessed, same_access;
    uint64_t forms;
    unsigned flags;
    PyObject *real;  /* owned; the text of a billed size that has a fraction */
    Span billed;
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
    found->forms |= span_is(old->span, "\"\"", 2) ? lane->empty[OLD_DATA] : 0;
    found->forms |= span_is(new->span, "\"\"", 2) ? lane->empty[NEW_DATA] : 0;
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
    if (cell->kind == WHOLE)
        found->billed = cell->span;
    if (cell->kind == TEXT && cell->span.size > 2)
        return STRANGE;
    if (cell->kind != REAL)
        return WELL;
    found->real = PyObject_CallFunction(lane->real, "y#", cell->span.at, (Py_ssize_t)cell->span.size);
    Py_ssize_t size = 0;
    found->billed.at = found->real ? PyUnicode_AsUTF8AndSize(found->real, &size) : NULL;
    found->billed.size = (size_t)size;
    return found->billed.at ? WELL : FAILED;
}

/* The blocks, in the order in which the ordinary way makes them. */
static int blocks_find(Lane *lane, Parts *found) {
    static const int kinds[] = {CHANGES, FILES, REQUEST, REGISTRY, PROCESS, CONTENT};
    Block **const places[] = {&found->change, &found->file, &found->request, &found->registry, &found->process, &found->content};
    enum { COUNT = sizeof kinds / sizeof *kinds };
    int told = lane_block(lane, MACHINE, 0, &found->machine);
    if (told != WELL)
        return told;
    int64_t host = found->machine->ids[0];
    const int64_t hosts[COUNT] = {0, host, 0, host, host, 0};
    if (!lane_seek(lane, kinds, hosts, COUNT))
        return FAILED;
    for (size_t i = 0; i < COUNT; i++)
        if ((told = lane_sought(lane, kinds[i], hosts[i], places[i])) != WELL)
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
        && (found->billed.size ? put_quoted(out, found->billed.at, found->billed.size) : PUT(out, "null"))
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

/* The bytes of a cell's text into the packed event; how many. */
static bool data_pack(Buffer *out, Span cell, uint32_t *size) {
    *size = 0;
    if (cell.at[0] != '"' || cell.size == 2)
        return true;
    if (!put(out, cell.at, cell.size))
        return false;
    size_t text = cell_text(cell, out->at + out->size - cell.size);
    out->size -= cell.size - text;
    *size = (uint32_t)text;
    return true;
}

static bool text_pack(Buffer *out, Span text, uint32_t *size) {
    *size = (uint32_t)text.size;
    return put(out, text.at, text.size);
}

static bool event_pack(Lane *lane, const Parts *found, const Made *made, uint64_t offset, size_t length) {
    const Cell *cells = lane->line.cells;
    const int64_t *file = found->file->ids, *registry = found->registry->ids, *process = found->process->ids;
    const int64_t ids[REFERENCES] = {
        found->machine->ids[0], found->change->ids[0], file[0], registry[0], found->content->ids[0], process[0], process[1], file[1],
        file[2], found->request->ids[0], found->machine->ids[1], process[2], registry[1]};
    Buffer *out = &lane->out;
    size_t began = out->size;
    Packed event = {.offset = offset, .forms = found->forms, .length = (uint32_t)length, .flags = (uint8_t)(found->flags & 3),
                    .accessed = found->accessed, .sized = cells[SIZE].kind == WHOLE};
    event.size = event.sized ? cell_whole(cells[SIZE].span) : 0;
    memcpy(event.key, made->key, sizeof event.key);
    memcpy(event.check, made->row_hash, sizeof event.check);
    memcpy(event.time, found->time, STAMP);
    if (found->accessed)
        memcpy(event.access, found->access, STAMP);
    for (int i = 0; i < REFERENCES; i++)
        event.ids[i] = ids[i] == NONE ? ABSENT : (uint32_t)ids[i];
    if (!put(out, (const char *)&event, sizeof event) || !text_pack(out, found->file->text, &event.texts[0])
        || !data_pack(out, cells[OLD_DATA].span, &event.texts[1]) || !data_pack(out, cells[NEW_DATA].span, &event.texts[2])
        || !text_pack(out, found->billed, &event.texts[3]) || !text_pack(out, found->change->text, &event.texts[4])
        || (lane->item != NONE && !data_pack(out, cells[lane->item].span, &event.texts[5]))
        || !put(out, "\0\0\0\0\0\0\0", packed_padding(out->size - began)))
        return false;
    memcpy(out->at + began, &event, sizeof event);
    return true;
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
    int told = lane->item == NONE || lane->line.cells[lane->item].ascii ? times_read(lane, found) : STRANGE;
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
    memcpy(made->time, found->time, STAMP);
    leaf_make(lane, seq, offset, size, raw, made);
    return event_pack(lane, found, made, offset, size) ? WELL : FAILED;
}

int lane_make(Lane *lane, const char *at, size_t *size, uint64_t seq, uint64_t offset, Made *made) {
    Parts found = {.real = NULL};
    int told = lane->rows ? lane_split_row(lane, at, size) : lane_split(lane, at, *size);
    if (told == WELL)
        told = made_from(lane, &found, at, *size, seq, offset, made);
    Py_XDECREF(found.real);
    return told;
}
