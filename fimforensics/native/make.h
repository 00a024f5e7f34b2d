/* Blocks that are made here, where all their cells are plain; for the others Python is asked. */
#ifndef FIM_MAKE_H
#define FIM_MAKE_H

#include "lane.h"

/* A cell's text; `at` is NULL where there is none, which is not the same as an empty one. */
typedef Span Text;

/* Room for texts that stay where they are until the next call. */
bool texts_open(Lane *lane, size_t room);

/* The text of a cell that is text or nothing; false where it is not ASCII. */
bool text_of(Lane *lane, const Cell *cell, Text *found);

/* Two texts one after the other. */
Text text_join(Lane *lane, Text one, Text other);
Text text_lower(Lane *lane, Text text);
bool text_same(Text one, Text other);

/* NULL where it is empty. */
Text text_some(Text text);

/* A piece of JSON for the block: values with commas between. */
bool json_text(Buffer *out, Text text);
bool json_pieces(Table *table, Block *block, const Buffer *out, const size_t *ends, size_t count);

/* The local number of a new entity, whose row is given up; NONE with an exception. */
int64_t entity_add(Lane *lane, const char *kind, PyObject *row);

/* Each fills a new block: WELL, STRANGE where Python is to be asked, FAILED. */
int file_make(Lane *lane, int64_t host, Block *block);
int content_make(Lane *lane, Block *block);
int registry_make(Lane *lane, int64_t host, Block *block);
int process_make(Lane *lane, int64_t host, Block *block);

#endif
