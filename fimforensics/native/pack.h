/* An event on its way from the reading to the writer: what a line gave, in bytes that only these two understand. */
#ifndef FIM_PACK_H
#define FIM_PACK_H

#include "table.h"

enum { REFERENCES = 13, STAMP = 28, TEXTS = 6 };

#define ABSENT UINT32_MAX

typedef struct {
    uint8_t key[32], check[8];
    uint64_t offset, forms;
    int64_t size;
    uint32_t length;
    uint32_t ids[REFERENCES];  /* local numbers in the order of an event's cells, or ABSENT */
    uint32_t texts[TEXTS];  /* bytes of file type, old data, new data, billed size, extra columns and id, which follow; none is None */
    char time[STAMP], access[STAMP];
    uint8_t flags, sized, accessed;
} Packed;

/* Takes the next one out of `size` bytes; NULL where they do not hold a whole one. */
const Packed *packed_next(const char **at, const char *end, const char *texts[TEXTS]);

/* Bytes to the next whole word, where another event may begin. */
size_t packed_padding(size_t size);

#endif
