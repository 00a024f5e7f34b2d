/* A lane: how lines, or rows of an answer, of one layout fall into cells and parts, and what is remembered of the parts. See
 * segments.py, its twin. */
#ifndef FIM_LANE_H
#define FIM_LANE_H

#include "sha256.h"
#include "table.h"

enum { MOST_CELLS = 96, MOST_PARTS = 64, LONGEST = 128 << 10 };  /* bytes of a line; `segments.LONGEST` */

/* The cells that are read anew in each line, in the order of `stretches.VARYING`; loose cells of stable kinds come after. */
enum {
    ENTITY, CHANGE, FILE_NAME, FILE_PATH, OLD_FILE_NAME, OLD_FILE_PATH, FILE_TYPE, KEY, HIVE, OLD_TYPE, OLD_NAME, OLD_KEY, NEW_TYPE,
    NEW_NAME, TIME, SIZE, MD5, SHA256, SHA1, OLD_DATA, NEW_DATA, ACCESS, BILLED, LOOSE
};

/* Kinds of blocks. The first four are found by parts of the line, the next five by cells; of the last two only numbers are known. */
enum { MACHINE, REQUEST, PROCESS, IMAGE, CHANGES, FILES, REGISTRY, CONTENT, ACTOR, MINUTE, PATHS, FILE_NUMBERS, KINDS };
enum { GROUPS = IMAGE + 1, ASKED = MINUTE + 1, PROCESS_CELLS = 6, ACCOUNT_CELLS = 3 };

/* What a line gave: 1 = all is well, 0 = it is not plainly like the others, -1 = an exception. */
enum { FAILED = -1, STRANGE = 0, WELL = 1 };

typedef struct {
    Span name;  /* `"Column":` */
    uint8_t slot;
    uint8_t takes;  /* a mask of kinds of cells */
} Column;

typedef struct {
    Span border;  /* what begins the next stretch; empty for the last */
    int stable;   /* the number of its part, or -1 where its cells are read anew */
    Column *columns;
    size_t count;
} Stretch;

typedef struct {
    uint8_t parts[MOST_PARTS], cells[MOST_CELLS];  /* which of them tell two blocks of the kind apart */
    size_t part_count, cell_count;
} Group;

typedef struct {
    Cell cells[MOST_CELLS];
    Span parts[MOST_PARTS];
    int64_t numbers[MOST_PARTS];
} Line;

typedef struct {
    char *at;
    size_t size, room;
} Buffer;

/* What a block is looked up by: bytes of `ahead`. */
typedef struct {
    size_t begin, size;
    uint64_t hash;
} Sought;

typedef struct {
    PyObject_HEAD
    PyObject *steps;  /* owns the bytes that borders and names point at */
    Stretch *stretches;
    size_t stretch_count, cell_count, part_count;
    bool rows;  /* the columns are named once, before all rows, which are arrays */
    int item;  /* the cell of `_ItemId`, or NONE */
    size_t read_count;  /* of the cells that are read anew in each line */
    Group groups[GROUPS];
    Table parts[MOST_PARTS], tables[KINDS];
    int64_t count;  /* of all parts that were ever numbered */
    PyObject *prove, *asked[ASKED], *real, *add;  /* the functions of `swift.Answers` */
    Line line;
    Buffer key, row, scratch, texts, ahead, out;  /* `out`: packed events */
    Sought sought[KINDS];
    int path_form_shift;
    uint64_t empty[LOOSE], process_empty[PROCESS_CELLS];  /* the bits of texts that are proven empty */
    uint8_t process_slots[PROCESS_CELLS], account_slots[ACCOUNT_CELLS];
    ShaState inner, outer;  /* of the salt, after the case's key */
    uint64_t snapshot, member;
} Lane;

/* A layout, as `swift.swift` tells it; -1 with an exception. `lane_close` frees what it could take. */
int lane_open(Lane *lane, PyObject *steps, PyObject *groups, PyObject *answers, PyObject *bits, size_t most, size_t most_bytes);
void lane_close(Lane *lane);

bool put(Buffer *buffer, const char *at, size_t size);
#define PUT(buffer, text) put(buffer, text, sizeof(text) - 1)

/* The line's cells and parts, into `lane->line`. */
int lane_split(Lane *lane, const char *at, size_t size);

/* The same of a row, which begins at `at` and of which only this says where it ends: `size` tells how much there is, then its length. */
int lane_split_row(Lane *lane, const char *at, size_t *size);

/* A part's bytes as they stand in a line: those of a row get the names of their columns, into `lane->scratch`. */
bool lane_part_told(Lane *lane, int part, Span *told);

/* The cells of the process's, account's and image's parts, into the line. */
int lane_actor_cells(Lane *lane);

/* The line's block of a kind, from memory or made by `swift.Answers`; `host` for kinds that belong to one. */
int lane_block(Lane *lane, int kind, int64_t host, Block **found);

/* Says which blocks of the line come next, so that their memory is on its way when they are looked up; false with an exception. */
bool lane_seek(Lane *lane, const int *kinds, const int64_t *hosts, size_t count);

/* The block of a kind that was sought last. */
int lane_sought(Lane *lane, int kind, int64_t host, Block **found);

/* A time's canonical form into `out` and its flags. */
int lane_time(Lane *lane, const Cell *cell, char out[28], unsigned *flags);

/* The match key, row hash, leaf and time of one line; its event goes to `lane->out`. Of a row `size` is as with `lane_split_row`. */
typedef struct {
    uint8_t key[32], row_hash[32], leaf[32];
    char time[28];
} Made;

int lane_make(Lane *lane, const char *at, size_t *size, uint64_t seq, uint64_t offset, Made *made);

#endif
