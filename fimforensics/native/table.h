/* What is remembered of a line's parts: bytes → a block, made once, with the numbers of its entities and its pieces of JSON. */
#ifndef FIM_TABLE_H
#define FIM_TABLE_H

#include "cells.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>

enum { PIECES = 7, IDS = 5, NONE = -1 };

typedef struct {
    uint64_t hash;
    uint32_t key_size;
    uint32_t flags;
    uint64_t forms;
    int64_t ids[IDS];  /* NONE where there is no entity */
    Span pieces[PIECES];
    PyObject *held;  /* what owns bytes that the pieces point at; NULL where they are the table's own */
    Span text;  /* a text of the event; empty where there is none */
    char key[];
} Block;

typedef struct {
    uint64_t hash;  /* beside the block, so that another's is passed over without a look at its memory */
    Block *block;
} Slot;

/* Memory for many blocks, which are all forgotten together. */
typedef struct Hunk Hunk;

typedef struct {
    Slot *slots;
    size_t width;  /* of `slots`: a power of two */
    size_t count, most;
    size_t bytes, most_bytes;  /* held by the keys */
    Hunk *hunk, *hunk_before;  /* the last one, and which was that before the newest block was made */
    size_t used, used_before;  /* of the last one */
} Table;

/* A table that forgets all when it holds `most` blocks, or keys of `most_bytes`. */
void table_open(Table *table, size_t most, size_t most_bytes);
void table_close(Table *table);

/* A number for bytes that a hostile source cannot foresee, as long as nobody knows the seed. */
uint64_t bytes_hash(const char *at, size_t size);
void bytes_seed(uint64_t seed);

Block *table_find(const Table *table, Span key, uint64_t hash);

/* Most of a look-up is waiting for memory. Who knows several to come lets them wait together: first the slots, then the blocks. */
void table_ahead(const Table *table, uint64_t hash);
void table_block_ahead(const Table *table, uint64_t hash);
void span_ahead(Span span);

/* A new block for a key that the table does not have, empty but for it; NULL with an exception set. A full table forgets all before.
 * It is to be put into the table, or given back, before the next one is made. */
Block *block_new(Table *table, Span key, uint64_t hash);
void block_drop(Table *table, Block *block);

/* Room for what belongs to the newest block; NULL with an exception set. */
char *table_room(Table *table, size_t size);

/* Takes the block over; -1 with an exception set, and the block given back. */
int table_put(Table *table, Block *block);

#endif
