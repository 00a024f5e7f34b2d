/* Registry values and processes whose cells are plain, made as `blocks.Blocks` makes them. */
#include "make.h"

#include <string.h>

typedef struct {
    const char *name, *shorter;
} Hive;

/* The names of hives that a plain key begins with; others are for Python. */
static const Hive HIVES[] = {
    {"HKEY_LOCAL_MACHINE", "HKLM"}, {"HKLM", "HKLM"}, {"HKEY_CURRENT_USER", "HKCU"}, {"HKCU", "HKCU"}, {"HKEY_USERS", "HKU"},
    {"HKU", "HKU"}, {"HKEY_CLASSES_ROOT", "HKCR"}, {"HKCR", "HKCR"}, {"HKEY_CURRENT_CONFIG", "HKCC"}, {"HKCC", "HKCC"}};

/* A key with its hive in the short spelling; false where it does not begin with one, or has separators to be made single. */
static bool hive_named(Lane *lane, Text key, Text *named) {
    const char *at = memchr(key.at, '\\', key.size);
    size_t size = at ? (size_t)(at - key.at) : key.size;
    for (size_t i = 1; i < key.size; i++)
        if (key.at[i] == '\\' && key.at[i - 1] == '\\')
            return false;
    if (!key.size || key.at[key.size - 1] == '\\')
        return false;
    for (size_t i = 0; i < sizeof HIVES / sizeof *HIVES; i++)
        if (strlen(HIVES[i].name) == size && !memcmp(HIVES[i].name, key.at, size)) {
            *named = text_join(lane, (Text){HIVES[i].shorter, strlen(HIVES[i].shorter)}, (Text){key.at + size, key.size - size});
            return true;
        }
    return false;
}

enum { R_KEY, R_HIVE, R_OLD_TYPE, R_OLD_NAME, R_OLD_KEY, R_NEW_TYPE, R_NEW_NAME, R_CELLS };

static bool registry_pieces(Lane *lane, Block *block, const Text cells[R_CELLS], const Text some[R_CELLS], Text key, Text old_key) {
    const Text pieces[] = {cells[R_KEY], cells[R_HIVE], cells[R_OLD_TYPE], cells[R_OLD_NAME], cells[R_OLD_KEY], cells[R_NEW_TYPE],
                           cells[R_NEW_NAME], key, some[R_NEW_NAME], some[R_NEW_TYPE], some[R_OLD_NAME], some[R_OLD_TYPE], old_key};
    static const uint8_t last[] = {2, 5, 7, 10, 12, 13};  /* how many texts there are up to each piece's end */
    Buffer *out = &lane->row;
    size_t ends[6], piece = 0;
    bool well = true, begun = true;
    out->size = 0;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces && well; i++) {
        well = (begun || PUT(out, ",")) && json_text(out, pieces[i]);
        begun = i + 1 == last[piece];
        if (begun)
            ends[piece++] = out->size;
    }
    return well && json_pieces(&lane->tables[REGISTRY], block, out, ends, 6);
}

/* The value's and the report's entities. */
static bool registry_entities(Lane *lane, int64_t host, Block *block, const Text some[R_CELLS], Text named) {
    Text where = some[R_KEY].at ? some[R_KEY] : some[R_OLD_KEY], name = some[R_NEW_NAME].at ? some[R_NEW_NAME] : some[R_OLD_NAME];
    Text label = name.at ? text_join(lane, text_join(lane, where, (Text){"\\", 1}), name) : where;
    Text folded = text_lower(lane, named), low = name.at ? text_lower(lane, name) : name;
    block->ids[0] = entity_add(lane, "registry_values", Py_BuildValue(
        "(Lz#z#z#)", (long long)host, label.at, (Py_ssize_t)label.size, folded.at, (Py_ssize_t)folded.size, low.at, (Py_ssize_t)low.size));
    if (block->ids[0] == NONE)
        return false;
    PyObject *row = PyTuple_New(R_CELLS);
    for (int i = 0; row && i < R_CELLS; i++) {
        PyObject *cell = Py_BuildValue("z#", some[i].at, (Py_ssize_t)some[i].size);
        if (!cell)
            Py_CLEAR(row);
        else
            PyTuple_SET_ITEM(row, i, cell);
    }
    block->ids[1] = entity_add(lane, "registry_reports", row);
    return block->ids[1] != NONE;
}

int registry_make(Lane *lane, int64_t host, Block *block) {
    const Cell *told = &lane->line.cells[KEY];
    Text cells[R_CELLS], some[R_CELLS], key = {NULL, 0}, old_key = {NULL, 0};
    size_t size = 0;
    bool any = false;
    for (int i = 0; i < R_CELLS; i++)
        size += told[i].span.size;
    if (!texts_open(lane, 8 * size + 64))
        return FAILED;
    for (int i = 0; i < R_CELLS; i++) {
        if (!text_of(lane, &told[i], &cells[i]))
            return STRANGE;
        some[i] = text_some(cells[i]);
        any = any || some[i].at;
        block->forms |= cells[i].at && !cells[i].size ? lane->empty[KEY + i] : 0;
    }
    if (any && ((some[R_KEY].at && !hive_named(lane, some[R_KEY], &key))
                || (some[R_OLD_KEY].at && !hive_named(lane, some[R_OLD_KEY], &old_key)) || (!key.at && !old_key.at)))
        return STRANGE;
    if (any && !registry_entities(lane, host, block, some, key.at ? key : old_key))
        return FAILED;
    return registry_pieces(lane, block, cells, some, key, old_key) ? WELL : FAILED;
}

enum { PID, NAME, CREATED, SESSION, SEEN, SOURCE, P_CELLS };

typedef struct {
    const Cell *cells[P_CELLS];
    Text name, source;
    char created[28], seen[28];
    bool has_created, has_seen;
} Told;

/* A time that may be left out. */
static int maybe_time(Lane *lane, const Cell *cell, char out[28], bool *has, unsigned *flags) {
    *has = cell->kind == TEXT && cell->span.size > 2;
    if (!*has)
        return cell->kind == NOTHING || cell->kind == TEXT ? WELL : STRANGE;
    return lane_time(lane, cell, out, flags);
}

static int process_told(Lane *lane, Block *block, Told *told) {
    for (int i = 0; i < P_CELLS; i++)
        told->cells[i] = &lane->line.cells[lane->process_slots[i]];
    const Cell *session = told->cells[SESSION], *name = told->cells[NAME], *source = told->cells[SOURCE];
    if (told->cells[PID]->kind != WHOLE || (session->kind != WHOLE && session->kind != NOTHING))
        return STRANGE;
    if (!texts_open(lane, name->span.size + source->span.size))
        return FAILED;
    if (!text_of(lane, name, &told->name) || !text_of(lane, source, &told->source))
        return STRANGE;
    block->forms = (told->name.at && !told->name.size ? lane->process_empty[NAME] : 0)
                 | (told->source.at && !told->source.size ? lane->process_empty[SOURCE] : 0);
    int found = maybe_time(lane, told->cells[CREATED], told->created, &told->has_created, &block->flags);
    return found == WELL ? maybe_time(lane, told->cells[SEEN], told->seen, &told->has_seen, &block->flags) : found;
}

static bool process_entities(Lane *lane, int64_t host, Block *block, const Told *told, const Block *image, const Block *actor) {
    const char *created = told->has_created ? told->created : NULL, *seen = told->has_seen ? told->seen : NULL;
    Text source = text_some(told->source), name = text_some(told->name);
    const Cell *told_session = told->cells[SESSION];
    PyObject *session = told_session->kind == WHOLE ? PyLong_FromLongLong(cell_whole(told_session->span)) : Py_NewRef(Py_None);
    PyObject *account = actor->ids[0] == NONE ? Py_NewRef(Py_None) : PyLong_FromLongLong(actor->ids[0]);
    long long pid = cell_whole(told->cells[PID]->span);
    block->ids[0] = entity_add(lane, "processes", Py_BuildValue(
        "(LLz#s#s#i)", (long long)host, pid, created, (Py_ssize_t)23, image->pieces[4].at, (Py_ssize_t)image->pieces[4].size,
        image->text.at, (Py_ssize_t)image->text.size, told->has_created ? 0 : 1));
    block->ids[1] = actor->ids[0];
    if (block->ids[0] == NONE) {
        Py_XDECREF(session);
        Py_XDECREF(account);
        return false;
    }
    block->ids[2] = entity_add(lane, "process_reports", Py_BuildValue(
        "(LNLLz#z#Nz#z#)", (long long)block->ids[0], account, (long long)image->ids[0], pid, name.at, (Py_ssize_t)name.size, created,
        (Py_ssize_t)28, session, seen, (Py_ssize_t)28, source.at, (Py_ssize_t)source.size));
    return block->ids[2] != NONE;
}

static bool process_pieces(Lane *lane, Block *block, const Told *told, const Block *image, const Block *actor) {
    Buffer *out = &lane->row;
    const Text none = {NULL, 0}, created = told->has_created ? (Text){told->created, 28} : none;
    const Text seen = told->has_seen ? (Text){told->seen, 28} : none, cut = told->has_created ? (Text){told->created, 23} : none;
    Span pid = told->cells[PID]->span, session = told->cells[SESSION]->span;
    size_t ends[4];
    out->size = 0;
    bool well = put(out, pid.at, pid.size) && PUT(out, ",") && json_text(out, told->name) && PUT(out, ",") && json_text(out, created)
             && PUT(out, ",") && put(out, session.at, session.size) && PUT(out, ",") && json_text(out, seen);
    ends[0] = out->size;
    well = well && put(out, actor->pieces[0].at, actor->pieces[0].size);
    ends[1] = out->size;
    well = well && json_text(out, told->source);
    ends[2] = out->size;
    well = well && put(out, pid.at, pid.size) && PUT(out, ",") && json_text(out, cut) && PUT(out, ",")
        && put(out, image->pieces[3].at, image->pieces[3].size) && PUT(out, ",") && put(out, actor->pieces[1].at, actor->pieces[1].size);
    ends[3] = out->size;
    if (!well || !json_pieces(&lane->tables[PROCESS], block, out, ends, 4))
        return false;
    const Span *image_pieces = image->pieces, *own = block->pieces;
    const Span pieces[PIECES] = {own[0], own[1], image_pieces[0], image_pieces[1], own[2], image_pieces[2], own[3]};
    memcpy(block->pieces, pieces, sizeof pieces);
    block->held = Py_NewRef(image->held);  /* owns the image's pieces, whatever the table forgets */
    return true;
}

int process_make(Lane *lane, int64_t host, Block *block) {
    Block *image, *actor;
    Told told;
    int found = lane_actor_cells(lane);
    if (found == WELL)
        found = process_told(lane, block, &told);
    if (found == WELL)
        found = lane_block(lane, ACTOR, 0, &actor);
    if (found == WELL)
        found = lane_block(lane, IMAGE, 0, &image);
    if (found != WELL)
        return found;
    if (image->ids[0] == NONE || !image->text.size || !image->pieces[4].size)  /* an image without name or path is for Python */
        return STRANGE;
    block->forms |= image->forms | actor->forms;
    block->flags |= image->flags | actor->flags;
    return process_entities(lane, host, block, &told, image, actor) && process_pieces(lane, block, &told, image, actor) ? WELL : FAILED;
}
