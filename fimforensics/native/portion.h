/* What a portion of records knows of its match keys: how often each was told, and by which ids. */
#ifndef FIM_PORTION_H
#define FIM_PORTION_H

#include "table.h"

typedef struct {
    uint8_t key[32];
    uint64_t check;  /* of the first record's row */
    uint32_t told;
    bool alike;  /* are all records of the key alike? */
    size_t id, id_size;  /* where the first record's id lies in `ids` of the portion */
    int64_t first;  /* the first record's number */
    PyObject *items;  /* id → number, from the second record on */
} Told;

typedef struct {
    int64_t prefix, number, ordinal, check;
} NewKey;

typedef struct {
    PyObject *load;  /* borrowed while a call lasts: kept, the writer and this would keep each other alive */
    Py_buffer filter;
    Told *told;
    size_t told_count, told_room;
    uint32_t *slots;  /* numbers of `told`, plus one */
    size_t width;
    NewKey *keys;
    size_t key_count, key_room;
    int64_t *unsettled;
    size_t unsettled_count, unsettled_room;
    char *ids;
    size_t ids_size, ids_room;
    int64_t next;
    char items;  /* did any record have an id? */
} Portion;

typedef struct {
    int64_t number, ordinal;
    bool fresh;  /* else the record was sent twice, and `number` is the first one's */
} Place;

/* The place of the next record of a key, whose row has this check, and perhaps an id; false with an exception. */
bool portion_place(Portion *portion, const uint8_t key[32], const uint8_t check[8], Span item, Place *found);

/* (rows for event_keys in order, prefixes that are not settled); all is forgotten. */
PyObject *portion_take(Portion *portion);

void portion_close(Portion *portion);

#endif
