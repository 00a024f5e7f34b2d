/* Files, contents and registry values whose cells are plain, made as `blocks.Blocks` makes them. */
#include "make.h"

#include <string.h>

enum { FULL, FOLDER_SEPARATOR, FOLDER, NO_PATH };  /* forms of a recorded path, as in `schema` */

static bool windows(Text path) {
    bool slashed = memchr(path.at, '\\', path.size);
    if (path.size && path.at[0] == '/')
        return path.size > 1 && path.at[1] == '/' && slashed;
    bool letter = path.size > 1 && ((path.at[0] | 32) >= 'a' && (path.at[0] | 32) <= 'z');
    return slashed || (letter && path.at[1] == ':');
}

static bool separator(char byte, bool of_windows) {
    return byte == '/' || (of_windows && byte == '\\');
}

/* Does the path end in the file's own name? */
static bool is_full(Lane *lane, Text path, Text name, bool of_windows) {
    size_t at = path.size;
    while (at && !separator(path.at[at - 1], of_windows))
        at--;
    Text last = {path.at + at, path.size - at};
    return text_same(last, name) || (of_windows && text_same(text_lower(lane, last), text_lower(lane, name)));
}

/* `paths.join` and the form in which the path was recorded. */
static Text joined(Lane *lane, Text path, Text name, int *form) {
    *form = path.size ? FULL : name.size ? NO_PATH : FULL;
    if (!path.size || !name.size)
        return path.size ? path : text_some(name);
    bool of_windows = windows(path);
    if (separator(path.at[path.size - 1], of_windows)) {
        *form = FOLDER_SEPARATOR;
        return text_join(lane, path, name);
    }
    if (is_full(lane, path, name, of_windows))
        return path;
    *form = FOLDER;
    char mark = of_windows ? '\\' : '/';
    return text_join(lane, text_join(lane, path, (Text){&mark, 1}), name);
}

/* `paths.file_key` of a path that has nothing to be made single, turned or taken away; false for others. */
static bool file_key(Lane *lane, Text path, Text *key) {
    *key = path;
    if (!windows(path))
        return true;
    for (size_t i = 0; i < path.size; i++)
        if (path.at[i] == '/' || (path.at[i] == '\\' && (!i || i + 1 == path.size || path.at[i - 1] == '\\')))
            return false;
    *key = text_lower(lane, path);
    return true;
}

typedef PyObject *(*Row)(int64_t host, Text one, Text other, Text third);

/* The number of an entity that may have been told before, or of a new one, whose row `row` makes. */
static int64_t known_or_new(Lane *lane, int kind, const char *name, int64_t host, Text one, Text other, Text third, Row row) {
    Buffer *key = &lane->row;
    key->size = 0;
    if (!put(key, (const char *)&host, sizeof host) || !put(key, (const char *)&one.size, sizeof one.size) || !put(key, one.at, one.size)
        || !put(key, other.at, other.size))
        return NONE;
    Span told = {key->at, key->size};
    uint64_t hash = bytes_hash(told.at, told.size);
    Block *block = table_find(&lane->tables[kind], told, hash);
    if (block)
        return block->ids[0];
    if (!(block = block_new(&lane->tables[kind], told, hash)))
        return NONE;
    int64_t number = block->ids[0] = entity_add(lane, name, row(host, one, other, third));
    if (number == NONE) {
        block_drop(&lane->tables[kind], block);
        return NONE;
    }
    return table_put(&lane->tables[kind], block) < 0 ? NONE : number;
}

static PyObject *path_row(int64_t host, Text path, Text name, Text none) {
    (void)host;
    (void)none;
    return Py_BuildValue("(z#z#)", path.at, (Py_ssize_t)path.size, name.at, (Py_ssize_t)name.size);
}

static PyObject *file_row(int64_t host, Text path, Text none, Text key) {
    (void)none;
    return Py_BuildValue("(Lz#z#)", (long long)host, path.at, (Py_ssize_t)path.size, key.at, (Py_ssize_t)key.size);
}

static int64_t path_number(Lane *lane, Text path, Text name) {
    return path.at ? known_or_new(lane, PATHS, "paths", 0, path, text_some(name), (Text){NULL, 0}, path_row) : NONE;
}

/* The file's and its paths' entities. An exception (Ctrl-C's, say) ends it at once: Python must not be called with one set. */
static bool file_numbers(Lane *lane, int64_t host, Block *block, Text path, Text key, Text name, Text old_path, Text old_name) {
    block->ids[0] = path.at ? known_or_new(lane, FILE_NUMBERS, "files", host, path, (Text){NULL, 0}, key, file_row) : NONE;
    if (block->ids[0] == NONE && PyErr_Occurred())
        return false;
    block->ids[1] = path_number(lane, path, name);
    if (block->ids[1] == NONE && PyErr_Occurred())
        return false;
    block->ids[2] = path_number(lane, old_path, old_name);
    return block->ids[2] != NONE || !PyErr_Occurred();
}

static bool empty(Text text) {
    return text.at && !text.size;
}

int file_make(Lane *lane, int64_t host, Block *block) {
    const Cell *cells = &lane->line.cells[FILE_NAME];
    Text texts[5], key = {NULL, 0};
    size_t size = 0;
    for (int i = 0; i < 5; i++)
        size += cells[i].span.size;
    if (!texts_open(lane, 16 * size + 64))
        return FAILED;
    for (int i = 0; i < 5; i++)
        if (!text_of(lane, &cells[i], &texts[i]))
            return STRANGE;
    Text name = texts[0], path = texts[1], old_name = texts[2], old_path = texts[3], type = texts[4];
    int form, old_form;
    Text whole = joined(lane, path, name, &form), old = joined(lane, old_path, old_name, &old_form);
    if (whole.at && !file_key(lane, whole, &key))
        return STRANGE;
    if (!file_numbers(lane, host, block, whole, key, name, old, old_name))
        return FAILED;
    Text told[] = {name, type, whole.at ? whole : path, old_name, old.at ? old : old_path};
    static const uint8_t slots[] = {FILE_NAME, FILE_TYPE, FILE_PATH, OLD_FILE_NAME, OLD_FILE_PATH};
    block->forms = (uint64_t)form << lane->path_form_shift | (uint64_t)old_form << (lane->path_form_shift + 2);
    for (int i = 0; i < 5; i++)
        block->forms |= empty(told[i]) ? lane->empty[slots[i]] : 0;
    Buffer *out = &lane->row;
    size_t ends[3];
    out->size = 0;
    bool well = json_text(out, told[0]) && PUT(out, ",") && json_text(out, told[1]) && PUT(out, ",") && json_text(out, told[2]);
    ends[0] = out->size;
    well = well && json_text(out, told[3]) && PUT(out, ",") && json_text(out, told[4]);
    ends[1] = out->size;
    well = well && json_text(out, whole) && PUT(out, ",") && json_text(out, old);
    ends[2] = out->size;
    well = well && put(out, type.at, type.size) && json_pieces(&lane->tables[FILES], block, out, ends, 3);
    if (well)
        block->text = (Span){block->pieces[2].at + block->pieces[2].size, type.size};
    return well ? WELL : FAILED;
}

/* A hash as a cell: in lower case where it is hexadecimal. */
static Text hash_of(Lane *lane, Text text) {
    for (size_t i = 0; i < text.size; i++)
        if (!memchr("0123456789abcdefABCDEF", text.at[i], 22))
            return text;
    return text.size ? text_lower(lane, text) : text;
}

int content_make(Lane *lane, Block *block) {
    const Cell *cells = &lane->line.cells[MD5];
    Text hashes[3];
    if (!texts_open(lane, 4 * (cells[0].span.size + cells[1].span.size + cells[2].span.size) + 64))
        return FAILED;
    for (int i = 0; i < 3; i++) {
        if (!text_of(lane, &cells[i], &hashes[i]))
            return STRANGE;
        hashes[i] = hash_of(lane, hashes[i]);
        block->forms |= empty(hashes[i]) ? lane->empty[MD5 + i] : 0;
    }
    Text md5 = text_some(hashes[0]), sha256 = text_some(hashes[1]), sha1 = text_some(hashes[2]);
    if (md5.at || sha256.at || sha1.at) {
        const Cell *size = &lane->line.cells[SIZE];
        PyObject *number = size->kind == WHOLE ? PyLong_FromLongLong(cell_whole(size->span)) : Py_NewRef(Py_None);
        block->ids[0] = entity_add(lane, "contents", Py_BuildValue("(z#z#z#N)", sha256.at, (Py_ssize_t)sha256.size, sha1.at,
                                                                   (Py_ssize_t)sha1.size, md5.at, (Py_ssize_t)md5.size, number));
        if (block->ids[0] == NONE)
            return FAILED;
    }
    Buffer *out = &lane->row;
    size_t ends[2];
    out->size = 0;
    bool well = json_text(out, hashes[0]) && PUT(out, ",") && json_text(out, hashes[1]) && PUT(out, ",") && json_text(out, hashes[2]);
    ends[0] = out->size;
    well = well && json_text(out, sha256) && PUT(out, ",") && json_text(out, sha1) && PUT(out, ",") && json_text(out, md5);
    ends[1] = out->size;
    return well && json_pieces(&lane->tables[CONTENT], block, out, ends, 2) ? WELL : FAILED;
}
