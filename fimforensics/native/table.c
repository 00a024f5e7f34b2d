/* A hash table with linear probing; keys are compared whole, so the hash only has to be quick and unforeseeable. */
#include "table.h"

#include <stdlib.h>
#include <string.h>

static uint64_t secret[2] = {0x9e3779b97f4a7c15ull, 0xd1b54a32d192ed03ull};

static uint64_t mix(uint64_t one, uint64_t other) {
    unsigned __int128 product = (unsigned __int128)one * other;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t word_at(const char *at, size_t size) {
    uint64_t word = 0;
    memcpy(&word, at, size);
    return word;
}

void bytes_seed(uint64_t seed) {
    secret[0] ^= mix(seed, 0xa0761d6478bd642full);
    secret[1] ^= mix(seed ^ secret[0], 0xe7037ed1a0b428dbull);
}

uint64_t bytes_hash(const char *at, size_t size) {
    uint64_t one = secret[0] ^ size, two = secret[1];
    size_t left = size;
    for (; left >= 32; left -= 32, at += 32) {  /* two chains, so that one's multiplication hides behind the other's */
        one = mix(word_at(at, 8) ^ secret[0], word_at(at + 8, 8) ^ one);
        two = mix(word_at(at + 16, 8) ^ secret[1], word_at(at + 24, 8) ^ two);
    }
    for (; left > 8; left -= 8, at += 8)
        one = mix(word_at(at, 8) ^ secret[1], one ^ secret[0]);
    two ^= word_at(at, left);
    return mix(one ^ secret[1], two ^ secret[0]);
}

void table_open(Table *table, size_t most, size_t most_bytes) {
    *table = (Table){.most = most, .most_bytes = most_bytes};
}

enum { HUNK = 256 << 10, WORD = 16 };

struct Hunk {
    Hunk *before;
    size_t size;
    _Alignas(WORD) char at[];
};

static void hunks_free(Table *table, const Hunk *last) {
    while (table->hunk != last) {
        Hunk *before = table->hunk->before;
        free(table->hunk);
        table->hunk = before;
    }
}

char *table_room(Table *table, size_t size) {
    size = (size + WORD - 1) / WORD * WORD;
    if (!table->hunk || size > table->hunk->size - table->used) {
        size_t room = size > HUNK ? size : HUNK;
        Hunk *hunk = malloc(sizeof *hunk + room);
        if (!hunk) {
            PyErr_NoMemory();
            return NULL;
        }
        hunk->before = table->hunk;
        hunk->size = room;
        table->hunk = hunk;
        table->used = 0;
    }
    char *found = table->hunk->at + table->used;
    table->used += size;
    return found;
}

static void table_forget(Table *table) {
    for (size_t i = 0; i < table->width; i++)
        if (table->slots[i].block)
            Py_XDECREF(table->slots[i].block->held);
    hunks_free(table, NULL);
    free(table->slots);
    table->slots = NULL;
    table->width = table->count = table->bytes = table->used = 0;
}

void table_close(Table *table) {
    table_forget(table);
}

static size_t first_slot(const Table *table, uint64_t hash) {
    return (hash ^ hash >> 32) & (table->width - 1);
}

Block *table_find(const Table *table, Span key, uint64_t hash) {
    if (!table->width)
        return NULL;
    for (size_t at = first_slot(table, hash);; at = (at + 1) & (table->width - 1)) {
        Slot slot = table->slots[at];
        if (!slot.block)
            return NULL;
        if (slot.hash == hash && slot.block->key_size == key.size && !memcmp(slot.block->key, key.at, key.size))
            return slot.block;
    }
}

enum { CACHE_LINE = 64, FARTHEST = 1024 };  /* the processor follows longer ones by itself */

void span_ahead(Span span) {
    for (size_t at = 0; at < span.size && at < FARTHEST; at += CACHE_LINE)
        __builtin_prefetch(span.at + at);
}

void table_ahead(const Table *table, uint64_t hash) {
    if (table->width)
        __builtin_prefetch(&table->slots[first_slot(table, hash)]);
}

void table_block_ahead(const Table *table, uint64_t hash) {
    if (!table->width)
        return;
    Slot slot = table->slots[first_slot(table, hash)];
    if (slot.block && slot.hash == hash)
        span_ahead((Span){(const char *)slot.block, sizeof *slot.block + 2 * CACHE_LINE});
}

Block *block_new(Table *table, Span key, uint64_t hash) {
    if (table->count >= table->most || table->bytes >= table->most_bytes)
        table_forget(table);
    table->hunk_before = table->hunk;
    table->used_before = table->used;
    Block *block = (Block *)table_room(table, sizeof *block + key.size);
    if (!block)
        return NULL;
    memset(block, 0, sizeof *block);
    block->hash = hash;
    for (int i = 0; i < IDS; i++)
        block->ids[i] = NONE;
    block->key_size = (uint32_t)key.size;
    memcpy(block->key, key.at, key.size);
    return block;
}

void block_drop(Table *table, Block *block) {
    Py_XDECREF(block->held);
    hunks_free(table, table->hunk_before);
    table->used = table->used_before;
}

static void place(Table *table, Block *block) {
    size_t at = first_slot(table, block->hash);
    while (table->slots[at].block)
        at = (at + 1) & (table->width - 1);
    table->slots[at] = (Slot){block->hash, block};
}

static int widen(Table *table) {
    size_t before = table->width, width = before ? 2 * before : 256;
    Slot *slots = calloc(width, sizeof *slots), *old = table->slots;
    if (!slots) {
        PyErr_NoMemory();
        return -1;
    }
    table->slots = slots;
    table->width = width;
    for (size_t i = 0; i < before; i++)
        if (old[i].block)
            place(table, old[i].block);
    free(old);
    return 0;
}

int table_put(Table *table, Block *block) {
    if (2 * table->count >= table->width && widen(table) < 0) {
        block_drop(table, block);
        return -1;
    }
    place(table, block);
    table->count++;
    table->bytes += block->key_size;
    return 0;
}
