/* A line of JSON as cells: where each value's bytes lie, without decoding them. Every byte is taken for hostile. */
#ifndef FIM_CELLS_H
#define FIM_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *at;
    size_t size;
} Span;

/* What a cell may be; a mask of these says what a column takes. */
enum { NOTHING = 1, TEXT = 2, WHOLE = 4, TRUTH = 8, REAL = 16 };

typedef struct {
    Span span;  /* the JSON as it stands, quotes and all */
    uint8_t kind;
    bool ascii;
} Cell;

#define SPAN(text) ((Span){text, sizeof(text) - 1})

/* The value that begins at `at` and ends at or before `end`; its end, or NULL where it is not plain: not a scalar, not UTF-8, or
 * spelled otherwise than a writer of JSON would spell it. */
const char *cell_read(const char *at, const char *end, Cell *found);

/* A text's bytes between its quotes, escapes undone, into `out` (room for all of them); how many. */
size_t cell_text(Span span, char *out);

/* A whole number of at most 18 digits, which `cell_read` found. */
int64_t cell_whole(Span span);

bool span_is(Span one, const char *other, size_t size);

/* The canonical form of a time that ends in Z, into `out` (28 bytes); false where it is in no such form. Whether its minute is one
 * of the calendar, the caller knows. */
bool cell_time(Span span, char out[28]);

#endif
